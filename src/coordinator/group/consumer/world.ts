/** What groups of the consumer protocol are handed in, and what a request comes to: a refusal, or records with an answer. */
import type { ConsumerGroupHeartbeat } from '../../../wire/messages/consumer-group-heartbeat.ts';
import type { RequestOf, ResponseInput } from '../../../wire/schema.ts';
import type { Assignor } from '../assignors/assignor.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { TopicCatalogue } from '../topics.ts';

export type HeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type HeartbeatResponse = ResponseInput<typeof ConsumerGroupHeartbeat>;

export interface ConsumerSettings {
  readonly membersMax: number;
  readonly heartbeatIntervalMs: number;
}

export interface ConsumerWorld {
  readonly topics: TopicCatalogue;
  readonly settings: ConsumerSettings;
  /** The first is for groups whose members name none. */
  readonly assignors: readonly Assignor[];
  /** The wall clock's time, in ms. */
  readonly now: number;
}

/** Who sends the heartbeat. */
export interface HeartbeatCaller {
  readonly version: number;
  readonly clientId: string;
  readonly clientHost: string;
  /** For a member that does not name itself, as version 0 allows. */
  newMemberId(): string;
}

export interface Refusal {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface Taken {
  /** To be written together, or not at all; then to be applied. */
  readonly records: readonly ConsumerGroupRecord[];
  readonly response: HeartbeatResponse;
}

export function refused(errorCode: number, errorMessage: string): Refusal {
  return { errorCode, errorMessage };
}
