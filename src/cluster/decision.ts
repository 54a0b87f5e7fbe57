/**
 * The form of everything the controller decides: what to write, what will then have changed, what to answer. And the
 * place decisions are made in: what the controller knows and was given. Deciding changes none of it.
 */
import type { Random } from '../base/random.ts';
import { ERROR } from '../wire/errors.ts';
import type { Change } from './changes.ts';
import type { Configs, MetadataImage } from './image.ts';
import type { StoreWrite } from './metadata-store.ts';
import type { CollidingNames } from './topic-names.ts';

export interface Draft<Response> {
  readonly writes: readonly StoreWrite[];
  readonly changes: readonly Change[];
  readonly response: Response;
}

/** What is known of one kind of settings; the table of settings implements it. */
export interface ConfigRules {
  /** What is wrong with these overrides of a resource, in one sentence, or null. A new one has no name. */
  problem(configs: Configs, resource?: string): string | null;
  isList(name: string): boolean;
  /** What holds for the resource when it has no such override, null when nothing does. */
  defaultValue(name: string, resource?: string): string | null;
}

export interface InternalTopicDefaults {
  readonly numPartitions: number;
  /** Of fewer brokers each has one. */
  readonly replicationFactorMax: number;
  readonly configs: Configs;
}

export interface ControllerDefaults {
  readonly numPartitions: number;
  readonly replicationFactor: number;
  /** How the brokers' own topics are made, by name. */
  readonly internalTopics: ReadonlyMap<string, InternalTopicDefaults>;
  /** More new partitions in one request are refused. */
  readonly partitionsPerRequestMax: number;
  /** Of all topics together: a broker holds no more. */
  readonly partitionsMax: number;
}

export interface Surroundings {
  readonly image: MetadataImage;
  readonly collidingNames: CollidingNames;
  /** Of all topics of the image. */
  readonly partitions: number;
  readonly random: Random;
  readonly defaults: ControllerDefaults;
  readonly topicRules: ConfigRules;
  readonly brokerRules: ConfigRules;
  readonly groupRules: ConfigRules;
}

/** Why something was refused: Kafka's code and a sentence for the client. */
export interface Refusal {
  readonly errorCode: number;
  readonly errorMessage: string;
}

/** A sentence quotes what was asked, and an answer has no room for more than 32 KiB of it. */
const MESSAGE_CHARACTERS_MAX = 1_000;

export function refusal(errorCode: number, errorMessage: string): Refusal {
  if (errorMessage.length <= MESSAGE_CHARACTERS_MAX) return { errorCode, errorMessage };
  return { errorCode, errorMessage: `${errorMessage.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed()}…` };
}

/** Why there is no room for so many partitions more, or null. */
export function noRoom({ partitions, defaults }: Surroundings, more: number): Refusal | null {
  if (partitions + more <= defaults.partitionsMax) return null;
  return refusal(
    ERROR.POLICY_VIOLATION,
    `There are ${partitions} partitions, and ${more} more would be above the ${defaults.partitionsMax} that a broker holds.`,
  );
}

export function isRefusal(value: object): value is Refusal {
  return 'errorCode' in value && 'errorMessage' in value;
}

/** Values that occur more than once. */
export function repeated<T>(values: Iterable<T>): Set<T> {
  const seen = new Set<T>();
  const again = new Set<T>();
  for (const value of values) {
    if (seen.has(value)) again.add(value);
    else seen.add(value);
  }
  return again;
}
