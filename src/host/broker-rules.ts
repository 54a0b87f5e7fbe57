/**
 * What the controller must know of broker settings: which can change while brokers run, and how far the pools of threads
 * may go in one step.
 */
import type { ConfigRules } from '../cluster/decision.ts';
import type { Settings } from '../config/broker-table.ts';
import { type LiveSettings, type Overrides, overrideProblem } from '../config/live-settings.ts';
import type { Setting } from '../config/setting.ts';
import { brokerSetting } from '../config/settings.ts';
import type { PoolSizes } from './placement.ts';

const NONE: Overrides = new Map();

export interface BrokerRulesParts {
  readonly nodeId: number;
  readonly live: LiveSettings;
  /** How many threads each pool has, or will have when what is under way is done. */
  sizes(): PoolSizes;
}

export function brokerRules({ nodeId, live, sizes }: BrokerRulesParts): ConfigRules {
  const overridesOf = (resource: string): Overrides => {
    if (resource === '') return live.allBrokers;
    return Number(resource) === nodeId ? live.broker : NONE;
  };
  return {
    problem: (configs, resource = '') => {
      const before = overridesOf(resource);
      const changed = new Map(Array.from(configs).filter(([name, value]) => before.get(name) !== value));
      const problem = overrideProblem(changed, resource === '');
      if (problem !== null) return problem;
      if (resource === '') return stepProblem(live.settings, live.with(configs, live.broker), sizes());
      if (Number(resource) !== nodeId) return null;
      return stepProblem(live.settings, live.with(live.allBrokers, configs), sizes());
    },
    isList: (name) => brokerSetting(name)?.type === 'list',
    defaultValue: (name, resource = '') => {
      const layers = resource === '' ? live.layers.slice(2) : live.layers.slice(1);
      return layers.find(({ values }) => values.has(name))?.values.get(name) ?? null;
    },
  };
}

/** Kafka's rule: one step may halve or double a pool. `auto` follows the cores and is free of it. */
function stepProblem(before: Settings, after: Settings, sizes: PoolSizes): string | null {
  return (
    stepProblemOf('num.network.threads', before.numNetworkThreads, after.numNetworkThreads, sizes.network) ??
    stepProblemOf('num.io.threads', before.numIoThreads, after.numIoThreads, sizes.io)
  );
}

function stepProblemOf(name: string, before: number | 'auto', after: number | 'auto', size: number): string | null {
  if (after === before || after === 'auto') return null;
  const least = Math.max(1, Math.floor(size / 2));
  const most = Math.min(size * 2, (brokerSetting(name) as Setting).max);
  if (after >= least && after <= most) return null;
  return `${name}=${after} is too far from the ${size} of now: one step may halve or double it, so it must be from ${least} to ${most}.`;
}
