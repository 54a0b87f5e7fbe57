/**
 * What groups of every kind have in common: they share one space of ids, commit offsets, are listed, described, emptied and
 * deleted. Whatever a kind alone can do is asked of its own class.
 */
import type { OffsetCommitValue } from './records.ts';

/** Kafka's names of the kinds, as they are listed and filtered by. */
export type GroupKind = 'classic' | 'consumer' | 'share' | 'streams';

export const NO_MEMBER = '';
export const NO_GENERATION = -1;

/** How a commit says from whom it is. */
export interface Committer {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generation: number;
}

export interface Group {
  readonly id: string;
  readonly kind: GroupKind;
  readonly stateName: string;
  /** As it is listed; empty text when no member has said it yet. */
  readonly listedProtocolType: string;
  /** Nobody is in it, so it may be deleted. */
  readonly isEmpty: boolean;
  /** Its log has been told of it, so it takes a tombstone to remove it. */
  readonly isStored: boolean;
  /** Timers of it run or somebody waits to be answered: it is not to be dropped in passing. */
  readonly isBusy: boolean;
  /** NONE when the commit may be written. */
  commitProblem(from: Committer): number;
  /** A commit of this member was taken: it lives. */
  committed(memberId: string): void;
  /** NONE when offsets may be deleted by request. */
  offsetDeleteProblem(): number;
  /** NONE when the group may be deleted by request. */
  deleteProblem(): number;
  /** Whether it consumes the topic, or may do so for all that is known: its offsets stay then. */
  isSubscribedTo(topic: string): boolean;
  /** From when on the retention of this offset counts; null when it does not expire as things are. */
  retentionStart(offset: OffsetCommitValue): number | null;
  /** Its removal is being written; nothing else is taken until it is known how that ended. */
  beginRemoval(): void;
  /** The removal was not written. */
  endRemoval(): void;
  /** Answers everybody who waits with this error and stops every timer; the group is not used any more. */
  dispose(error: number): void;
}
