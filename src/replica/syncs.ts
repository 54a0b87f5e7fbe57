/**
 * When a partition's log is made durable: at once where answers wait for it, by and by when a segment is finished, after
 * flush.ms otherwise. One sync is under way at a time; what is written meanwhile belongs to the next.
 */
import type { PartitionLog, SyncPlan } from '../log/partition-log.ts';

export class Syncs {
  /** Everything before is durable. */
  durableEnd: number;
  underWay = false;
  /** Answers wait for the sync that is due. */
  flushDue: boolean;
  readonly #log: PartitionLog;
  /** It is time for a sync, nobody waits. */
  #wanted = false;
  /** A segment is finished: it is made durable on the side. */
  #finishedWanted = false;
  /** When the oldest record that is not durable was written. */
  #unsyncedSinceMs = 0;
  #segments: number;

  constructor(log: PartitionLog) {
    this.#log = log;
    this.durableEnd = log.recoveryPoint;
    this.flushDue = log.flushDue;
    this.#segments = log.segmentCount;
  }

  /** The log was written, and ended at `before` until then. */
  wrote(before: number, now: number): void {
    const log = this.#log;
    if (this.durableEnd >= before) this.#unsyncedSinceMs = now;
    if (log.flushDue) this.flushDue = true;
    if (log.segmentCount > this.#segments) this.#finishedWanted = true;
    this.#segments = log.segmentCount;
  }

  /** Whether the oldest record has waited long enough for its sync (flush.ms); it is wanted then. */
  isLate(writtenEnd: number, now: number): boolean {
    if (this.durableEnd >= writtenEnd || now - this.#unsyncedSinceMs < this.#log.config.flushMs) return false;
    this.#wanted = true;
    return true;
  }

  /** The sync to begin now, if there is one. `behind`: whatever is not durable yet is waited for. */
  begin(behind: boolean): SyncPlan | null {
    if (this.underWay) return null;
    const whole = this.flushDue || this.#wanted || behind;
    if (!whole && !this.#finishedWanted) return null;
    const plan = whole ? this.#log.syncPlan() : this.#log.finishedSyncPlan();
    if (whole) this.#wanted = false;
    this.#finishedWanted = false;
    this.underWay = plan !== null;
    return plan;
  }

  done(plan: SyncPlan, writtenEnd: number): void {
    this.#log.synced(plan);
    this.durableEnd = Math.max(this.durableEnd, plan.endOffset);
    if (this.durableEnd >= writtenEnd) this.flushDue = false;
  }
}
