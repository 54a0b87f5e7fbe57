/**
 * Follows changes of the broker's settings while it runs: brings the live settings up to date, tells those on the floor that
 * act on them, and sizes the pools. Owns nothing but the live settings' being what the store says.
 */
import type { Logger } from '../base/logger.ts';
import type { Change } from '../cluster/changes.ts';
import { ALL_BROKERS, type Configs, type MetadataImage, NO_CONFIGS } from '../cluster/image.ts';
import type { MetadataStore } from '../cluster/metadata-store.ts';
import { ALL_BROKERS_NAME, brokerConfigsPath } from '../cluster/paths.ts';
import { decodeConfigs } from '../cluster/stored.ts';
import type { Settings } from '../config/broker-table.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { topicConfig } from '../config/topic-settings.ts';
import { connectionsMax } from './limits.ts';
import { type PoolSizes, place, sizesOf, type ThreadPlan } from './placement.ts';

export interface TuningParts {
  readonly live: LiveSettings;
  readonly nodeId: number;
  readonly cores: number;
  readonly portable: boolean;
  /** How many. */
  readonly listeners: number;
  readonly logger: Logger;
  limitConnections(count: number): Promise<void>;
  /** Called once the change that asks for it is known to everybody; not waited for. */
  resize(sizes: PoolSizes): void;
}

/** What was changed in earlier lives of the broker, before anything is started. */
export async function recall(live: LiveSettings, nodeId: number, store: MetadataStore, logger: Logger): Promise<void> {
  const stored = async (name: string): Promise<Configs> => {
    const path = brokerConfigsPath(name);
    const node = await store.read(path);
    return node === null ? NO_CONFIGS : decodeConfigs(path, node.data);
  };
  take(live, await stored(ALL_BROKERS_NAME), await stored(String(nodeId)), logger);
}

function take(live: LiveSettings, allBrokers: Configs, broker: Configs, logger: Logger): void {
  for (const why of live.update(allBrokers, broker)) logger.warn('setting.ignored', { why });
}

export class Tuning {
  readonly #parts: TuningParts;

  constructor(parts: TuningParts) {
    this.#parts = parts;
  }

  /** The threads that the settings ask for. */
  plan(): ThreadPlan[] {
    const { live, cores, portable, listeners } = this.#parts;
    return place(live.settings.numNetworkThreads, live.settings.numIoThreads, cores, portable, listeners);
  }

  /** Before anybody is told of the changes. Gives what is to be done when everybody knows them. */
  changed(changes: readonly Change[], image: MetadataImage): () => Promise<void> {
    this.#warn(changes);
    if (!changes.some(({ kind }) => kind === 'brokerConfigsChanged')) return async () => {};
    const { live, nodeId, logger } = this.#parts;
    const before = live.settings;
    const sizesBefore = sizesOf(this.plan());
    take(
      live,
      image.brokerConfigs.get(ALL_BROKERS) ?? NO_CONFIGS,
      image.brokerConfigs.get(nodeId) ?? NO_CONFIGS,
      logger,
    );
    return () => this.#follow(before, sizesBefore);
  }

  async #follow(before: Settings, sizesBefore: PoolSizes): Promise<void> {
    const { live, resize, limitConnections } = this.#parts;
    if (live.settings.maxConnections !== before.maxConnections) await limitConnections(connectionsMax(live.settings));
    const sizes = sizesOf(this.plan());
    if (sizes.network !== sizesBefore.network || sizes.io !== sizesBefore.io) resize(sizes);
  }

  /** A topic may have settings that do nothing here: its owner reads so. */
  #warn(changes: readonly Change[]): void {
    for (const change of changes) {
      const topic =
        change.kind === 'topicCreated'
          ? change.topic
          : change.kind === 'topicConfigsChanged'
            ? { name: change.topic, configs: change.configs }
            : null;
      if (topic === null) continue;
      const { warnings } = topicConfig(topic.configs, this.#parts.live.settings);
      for (const why of warnings) this.#parts.logger.warn('topic.setting', { topic: topic.name, why });
    }
  }
}
