/** What the controller must know of topic and broker settings, from the tables of the config room; and how answers show them. */
import type { EffectiveConfig } from '../api/controller-desk.ts';
import type { ConfigRules } from '../cluster/decision.ts';
import type { Configs } from '../cluster/image.ts';
import type { Settings } from '../config/broker-table.ts';
import { camelCase } from '../config/setting.ts';
import { brokerSetting } from '../config/settings.ts';
import { topicConfig } from '../config/topic-settings.ts';
import { TOPIC_SETTINGS, topicSetting } from '../config/topic-table.ts';

/** Kafka's numbers for where a value comes from. */
const FROM_TOPIC = 1;
const FROM_DEFAULT = 5;

export function topicRules(settings: () => Settings): ConfigRules {
  return {
    problem: (configs) => {
      const { errors } = topicConfig(configs, settings());
      return errors.length === 0 ? null : errors.join(' ');
    },
    isList: (name) => topicSetting(name)?.type === 'list',
    defaultValue: (name) => shown((topicConfig([], settings()).settings as Record<string, unknown>)[camelCase(name)]),
  };
}

export function brokerRules(settings: () => Settings): ConfigRules {
  return {
    problem: (configs) => {
      for (const name of configs.keys())
        if (brokerSetting(name) === undefined) return `${name} is not a broker setting.`;
      return null;
    },
    isList: (name) => brokerSetting(name)?.type === 'list',
    defaultValue: (name) => shown((settings() as Record<string, unknown>)[camelCase(name)]),
  };
}

export function effectiveConfigs(overrides: Configs, settings: Settings): EffectiveConfig[] {
  const values = topicConfig(overrides, settings).settings as Record<string, unknown>;
  return TOPIC_SETTINGS.map(({ name }) => ({
    name,
    value: shown(values[camelCase(name)]),
    readOnly: false,
    configSource: overrides.has(name) ? FROM_TOPIC : FROM_DEFAULT,
    isSensitive: false,
  }));
}

function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return Array.isArray(value) ? value.join(',') : String(value);
}
