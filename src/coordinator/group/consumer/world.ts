/** What groups of the consumer protocol are handed in, and what a request comes to: a refusal, or records with an answer. */
import type { ConsumerGroupHeartbeat } from '../../../wire/messages/consumer-group-heartbeat.ts';
import type { RequestOf, ResponseInput } from '../../../wire/schema.ts';
import type { Assignor } from '../assignors/assignor.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { TopicCatalogue } from '../topics.ts';
import type { ConsumerMember } from './member.ts';

export type HeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type HeartbeatResponse = ResponseInput<typeof ConsumerGroupHeartbeat>;

export interface ConsumerSettings {
  readonly membersMax: number;
  readonly heartbeatIntervalMs: number;
  /** Whether classic groups with members are taken over. */
  readonly upgrades: boolean;
  /** Whether a group is given back when all its members speak the classic protocol, and how many it may have then. */
  readonly downgrades: boolean;
  readonly classicMembersMax: number;
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
  /** Who is in the group no more: it may be one of the other kind then. */
  readonly gone: readonly ConsumerMember[];
}

export function refused(errorCode: number, errorMessage: string): Refusal {
  return { errorCode, errorMessage };
}
