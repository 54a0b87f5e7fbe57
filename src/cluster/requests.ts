/** What a controller can be asked, and what it answers: Kafka's words, without the versions of the wire. */
import type { Uuid } from '../base/uuid.ts';
import type { BrokerImage } from './image.ts';

/** -1 in a count: the broker's default. */
export const BY_DEFAULT = -1;

export interface NewTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: Uuid;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** -1 with an error. */
  readonly numPartitions: number;
  readonly replicationFactor: number;
}

export interface MorePartitions {
  readonly name: string;
  /** How many there shall be in all. */
  readonly count: number;
  /** Replicas of the new ones only; null leaves it to the controller. */
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}

export const CONFIG_SET = 0;
export const CONFIG_DELETE = 1;
export const CONFIG_APPEND = 2;
export const CONFIG_SUBTRACT = 3;

export interface ConfigOperation {
  readonly name: string;
  /** CONFIG_SET, CONFIG_DELETE, CONFIG_APPEND or CONFIG_SUBTRACT */
  readonly operation: number;
  readonly value: string | null;
}

export interface AlteredConfigs {
  /** A topic's name; a broker's number, or '' for all brokers. */
  readonly name: string;
  readonly operations: readonly ConfigOperation[];
  /** What is not named goes back to its default (the older AlterConfigs). */
  readonly replace: boolean;
}

/** One answer for each thing asked for by name. */
export interface NamedResult {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface DeletedTopic {
  readonly name: string | null;
  readonly topicId: Uuid;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface BrokerRef {
  readonly id: number;
  readonly epoch: number;
}

interface Call<Request, Response> {
  readonly request: Request;
  readonly response: Response;
}

export interface Calls {
  /** A broker has put itself into the store, in the transaction that is its epoch. */
  readonly registerBroker: Call<Omit<BrokerImage, 'fenced'>, { readonly errorCode: number }>;
  /** The broker's session is over, or it has asked to leave. */
  readonly fenceBroker: Call<BrokerRef, { readonly errorCode: number }>;
  readonly unfenceBroker: Call<BrokerRef, { readonly errorCode: number }>;
  readonly createTopics: Call<
    { readonly topics: readonly NewTopic[]; readonly validateOnly: boolean },
    { readonly topics: readonly CreatedTopic[] }
  >;
  /** With the defaults for everything; a topic that is there already is no error. */
  readonly autoCreateTopics: Call<{ readonly names: readonly string[] }, { readonly topics: readonly CreatedTopic[] }>;
  readonly createPartitions: Call<
    { readonly topics: readonly MorePartitions[]; readonly validateOnly: boolean },
    { readonly results: readonly NamedResult[] }
  >;
  /** By name, or by id where the name is null. */
  readonly deleteTopics: Call<
    { readonly topics: readonly { readonly name: string | null; readonly topicId: Uuid }[] },
    { readonly topics: readonly DeletedTopic[] }
  >;
  /** No broker has files of these deleted topics any more, other than those that are to be removed whatever happens. */
  readonly eraseTopics: Call<{ readonly topicIds: readonly Uuid[] }, { readonly erased: number }>;
  readonly alterTopicConfigs: Call<
    { readonly resources: readonly AlteredConfigs[]; readonly validateOnly: boolean },
    { readonly results: readonly NamedResult[] }
  >;
  readonly alterBrokerConfigs: Call<
    { readonly resources: readonly AlteredConfigs[]; readonly validateOnly: boolean },
    { readonly results: readonly NamedResult[] }
  >;
  readonly alterGroupConfigs: Call<
    { readonly resources: readonly AlteredConfigs[]; readonly validateOnly: boolean },
    { readonly results: readonly NamedResult[] }
  >;
  readonly allocateProducerIds: Call<
    { readonly brokerId: number; readonly brokerEpoch: number },
    { readonly errorCode: number; readonly producerIdStart: number; readonly producerIdLen: number }
  >;
}

export type CallName = keyof Calls;
export type RequestOf<K extends CallName> = Calls[K]['request'];
export type ResponseOf<K extends CallName> = Calls[K]['response'];
