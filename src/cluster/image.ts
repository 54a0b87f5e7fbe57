/**
 * What a broker knows of its cluster: brokers, topics, partitions, settings. An image never changes: `apply` in
 * `changes.ts` makes the next one and shares what stayed the same. Another thread is sent the changes that lead to it.
 */
import { ShardedMap } from '../base/sharded-map.ts';
import type { Uuid } from '../base/uuid.ts';

export const NO_LEADER = -1;
/** Stands for all brokers in `brokerConfigs`. */
export const ALL_BROKERS = -1;

export type Configs = ReadonlyMap<string, string>;

export const NO_CONFIGS: Configs = new Map();

export interface Endpoint {
  readonly listener: string;
  /** PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL */
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

export interface BrokerImage {
  readonly id: number;
  /** Grows with each registration of this id. */
  readonly epoch: number;
  readonly endpoints: readonly Endpoint[];
  readonly rack: string | null;
  /** A fenced broker is known, but leads nothing and is shown to no client. */
  readonly fenced: boolean;
}

export interface PartitionImage {
  /** NO_LEADER when no replica in the ISR is alive. */
  readonly leader: number;
  readonly leaderEpoch: number;
  /** Grows with every change of this partition; equals the version of its state node in the store. */
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

export interface TopicImage {
  readonly name: string;
  readonly id: Uuid;
  readonly partitions: readonly PartitionImage[];
  readonly configs: Configs;
}

export interface MetadataImage {
  readonly clusterId: string;
  /** -1 when there is none. */
  readonly controllerId: number;
  readonly controllerEpoch: number;
  readonly brokers: ReadonlyMap<number, BrokerImage>;
  readonly topics: ShardedMap<TopicImage>;
  /** Names by id. */
  readonly topicNames: ShardedMap<string>;
  /** Deleted topics whose files may still be there: names by id. */
  readonly deletedTopics: ReadonlyMap<Uuid, string>;
  readonly brokerConfigs: ReadonlyMap<number, Configs>;
  /** Of groups that have settings of their own, whether there are such groups or not. */
  readonly groupConfigs: ReadonlyMap<string, Configs>;
  /** Every producer id below it has been given to some broker. */
  readonly nextProducerId: number;
}

export function emptyImage(clusterId: string): MetadataImage {
  return {
    clusterId,
    controllerId: -1,
    controllerEpoch: 0,
    brokers: new Map(),
    topics: ShardedMap.empty(),
    topicNames: ShardedMap.empty(),
    deletedTopics: new Map(),
    brokerConfigs: new Map(),
    groupConfigs: new Map(),
    nextProducerId: 0,
  };
}

export function topicById(image: MetadataImage, id: Uuid): TopicImage | undefined {
  const name = image.topicNames.get(id);
  return name === undefined ? undefined : image.topics.get(name);
}

/** Where a broker is reached by those who came through the listener of this name. */
export function endpointOf(broker: BrokerImage, listener: string | undefined): Endpoint | undefined {
  return broker.endpoints.find((endpoint) => endpoint.listener === listener);
}

export function isLive(image: MetadataImage, brokerId: number): boolean {
  const broker = image.brokers.get(brokerId);
  return broker !== undefined && !broker.fenced;
}

export function liveBrokers(image: MetadataImage): number[] {
  const ids: number[] = [];
  for (const broker of image.brokers.values()) if (!broker.fenced) ids.push(broker.id);
  return ids.sort((a, b) => a - b);
}
