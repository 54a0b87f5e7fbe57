/** What the APIs of the controller ask of the main thread. */
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';
import type { DescribedSetting } from '../config/describe.ts';
import type { DirectoryDesk } from './directory-desk.ts';

export interface ControllerDesk {
  readonly nodeId: number;
  readonly directories: DirectoryDesk;
  /** Whether clients may delete topics (delete.topic.enable). */
  readonly deletesTopics: boolean;
  /** Decided, durable, known to every thread, and led where leaders are needed: then the answer comes. */
  ask<K extends CallName>(name: K, request: RequestOf<K>): Promise<ResponseOf<K>>;
  /** What the settings of a topic with these of its own come to. */
  effectiveConfigs(
    own: readonly { readonly name: string; readonly value: string | null }[],
  ): readonly EffectiveConfig[];
  /** All settings of a topic, null when there is no such topic. */
  topicSettings(topic: string): readonly DescribedSetting[] | null;
  /** All settings of a group, whether there is one or not. */
  groupSettings(group: string): readonly DescribedSetting[];
  /** All settings of this broker. */
  brokerSettings(): readonly DescribedSetting[];
  /** What was changed for all brokers. */
  allBrokersSettings(): readonly DescribedSetting[];
  /** A producer id that was never given before. */
  nextProducerId(): Promise<number>;
  /** What the owners of these partitions remember of producers, in this order; null where the partition is not there. */
  producersOf(topic: string, partitions: readonly number[]): Promise<readonly (RememberedProducers | null)[]>;
}

export interface RememberedProducers {
  readonly errorCode: number;
  readonly producers: readonly RememberedProducer[];
}

/** -1 where there is no such thing: no batch, no end of a transaction, no open one. */
export interface RememberedProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  readonly currentTxnStartOffset: number;
}

export interface EffectiveConfig {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  /** Kafka's number for where the value comes from. */
  readonly configSource: number;
  readonly isSensitive: boolean;
}
