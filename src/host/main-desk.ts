/**
 * The desk of the main thread: answers what processors ask of the controller and of the broker as a whole. One question that
 * fails costs its asker's connection and nothing else.
 */
import type { ControllerDesk, EffectiveConfig, RememberedProducers } from '../api/controller-desk.ts';
import { decide } from '../api/decide.ts';
import type { DirectoryDesk } from '../api/directory-desk.ts';
import { AUTO_CREATE } from '../api/floor.ts';
import type { Logger } from '../base/logger.ts';
import { NO_CONFIGS } from '../cluster/image.ts';
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';
import {
  type DescribedSetting,
  describeAllBrokers,
  describeBroker,
  describeGroupSettings,
  describeTopic,
} from '../config/describe.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { FromThread } from '../runtime/control.ts';
import type { ControllerHost } from './controller-host.ts';
import type { Crew } from './crew.ts';
import type { PartitionHost } from './partition-host.ts';

export interface MainDeskParts {
  readonly nodeId: number;
  readonly live: LiveSettings;
  readonly controller: ControllerHost;
  readonly host: PartitionHost;
  readonly directories: DirectoryDesk;
  readonly crew: Crew;
  readonly logger: Logger;
  /** What stands behind `auto`, by the setting's name. */
  auto(): ReadonlyMap<string, string>;
}

export class MainDesk implements ControllerDesk {
  readonly nodeId: number;
  readonly directories: DirectoryDesk;
  readonly #parts: MainDeskParts;

  constructor(parts: MainDeskParts) {
    this.#parts = parts;
    this.nodeId = parts.nodeId;
    this.directories = parts.directories;
  }

  async answer({ from, token, api, request, ...asked }: Extract<FromThread, { kind: 'ask' }>): Promise<void> {
    let body: unknown = null;
    let error: string | null = null;
    try {
      body =
        api === AUTO_CREATE
          ? await this.ask('autoCreateTopics', request as RequestOf<'autoCreateTopics'>)
          : await decide(api, request, this, asked);
    } catch (problem) {
      error = (problem as Error).message;
      this.#parts.logger.error('controller.failed', { api, why: error });
    }
    // The processor may have been retired meanwhile: then nobody waits for the answer.
    await this.#parts.crew.ask(from, { kind: 'answer', token, body, error }).catch(() => {});
  }

  ask<K extends CallName>(name: K, request: RequestOf<K>): Promise<ResponseOf<K>> {
    return this.#parts.controller.ask(name, request);
  }

  effectiveConfigs(own: Parameters<ControllerDesk['effectiveConfigs']>[0]): readonly EffectiveConfig[] {
    const given = own.flatMap(({ name, value }): [string, string][] => (value === null ? [] : [[name, value]]));
    return describeTopic(new Map(given), this.#parts.live);
  }

  get deletesTopics(): boolean {
    return this.#parts.live.settings.deleteTopicEnable;
  }

  topicSettings(topic: string): readonly DescribedSetting[] | null {
    const found = this.#parts.controller.image.topics.get(topic);
    return found === undefined ? null : describeTopic(found.configs, this.#parts.live);
  }

  groupSettings(group: string): readonly DescribedSetting[] {
    const { controller, live } = this.#parts;
    return describeGroupSettings(controller.image.groupConfigs.get(group) ?? NO_CONFIGS, live);
  }

  brokerSettings(): readonly DescribedSetting[] {
    return describeBroker(this.#parts.live, this.#parts.auto());
  }

  allBrokersSettings(): readonly DescribedSetting[] {
    return describeAllBrokers(this.#parts.live);
  }

  nextProducerId(): Promise<number> {
    return this.#parts.controller.nextProducerId();
  }

  producersOf(topic: string, partitions: readonly number[]): Promise<readonly (RememberedProducers | null)[]> {
    const { controller, host } = this.#parts;
    // Owners change only while nothing else is decided.
    return controller.exclusive(() => host.producersOf(topic, partitions));
  }
}
