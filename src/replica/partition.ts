/**
 * A partition that this broker leads: its log, its high watermark, and the producers that wait for an answer. Nobody but
 * its handler touches it. Batches are staged as they come and written together; an answer leaves when its batch is written,
 * or durable where that is promised (group commit, flush per message).
 *
 *   log start <= high watermark <= written end <= staged end;   durable end <= written end
 *   group commit: the high watermark is the durable end, so nobody reads what power loss can take back
 */
import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import { hasPolicy } from '../log/config.ts';
import { DiskError } from '../log/disk.ts';
import type { PartitionLog, SyncPlan } from '../log/partition-log.ts';
import type { LogPosition, ReadPlan } from '../log/reading.ts';
import type { AppendResult } from '../log/validation.ts';
import * as batch from '../wire/batch.ts';
import { ERROR } from '../wire/errors.ts';
import { LIST_OFFSETS_TIMESTAMP } from '../wire/messages/list-offsets.ts';
import { newPartitionView, OFFLINE, ONLINE, type PublishedPartitions } from './published.ts';

/** The handler, as its partitions see it. */
export interface PartitionDesk {
  readonly published: PublishedPartitions;
  readonly groupCommit: boolean;
  appended(
    asker: number,
    operation: number,
    part: number,
    error: number,
    base: number,
    appendTime: number,
    start: number,
  ): void;
  /** Processors (bits) that asked to be told. */
  advanced(slot: number, watchers: number): void;
  /** Makes the plan's files durable, then calls `partition.synced` or `partition.syncFailed`. */
  sync(partition: Partition, plan: SyncPlan): void;
  offline(slot: number, why: string): void;
  /** Whether compressed batches are opened before they are taken, not only where keys are demanded. */
  readonly fullValidation: boolean;
  /** Has a compressed batch opened and its records checked elsewhere, then calls `partition.checked`. */
  check(partition: Partition, applicant: Applicant, needKeys: boolean): void;
}

/** A batch on its way into the log. One whose check is under way lets nothing behind it pass. */
export interface Applicant {
  readonly memory: Memory;
  readonly offset: number;
  readonly length: number;
  readonly asker: number;
  readonly operation: number;
  readonly part: number;
  /** CHECKING, or the error code that its check has come to. */
  verdict: number;
}

const CHECKING = -2;

/** What was written last is in the page cache unless the machine is short of memory; then a send waits for the disk once. */
const WARM_BYTES = 268_435_456;

/** An answer that waits for its batch to be written or durable. */
interface Waiting {
  readonly asker: number;
  readonly operation: number;
  readonly part: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly appendTime: number;
}

export interface ListedOffset {
  error: number;
  leaderEpoch: number;
  timestamp: number;
  offset: number;
}

const view = newPartitionView();

export class Partition {
  readonly slot: number;
  readonly log: PartitionLog;
  leaderEpoch: number;
  /** In-sync replicas that acks=all demands (min.insync.replicas). */
  minInsyncReplicas = 1;
  /** Nobody follows: the leader is the whole ISR. */
  readonly inSyncReplicas = 1;
  /** Already on its handler's list for this round. */
  touched = false;
  readonly #desk: PartitionDesk;
  /** Batches that wait behind one that is being checked; empty on the fast path. */
  readonly #line: Applicant[] = [];
  readonly #waiting: Waiting[] = [];
  #unwritten = 0;
  #highWatermark: LogPosition;
  #written: LogPosition;
  #durableEndOffset: number;
  #syncing = false;
  /** Answers wait for the sync that is due. */
  #flushDue = false;
  /** A segment is finished: it is made durable on the side, nobody waits. */
  #syncWanted = false;
  /** When the oldest record that is not durable was written. */
  #unsyncedSinceMs = 0;
  #segments: number;
  /** Where this process began to write. */
  readonly #openedAtOffset: number;
  #broken: string | null = null;
  readonly #staged: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };

  constructor(slot: number, log: PartitionLog, leaderEpoch: number, desk: PartitionDesk) {
    this.slot = slot;
    this.log = log;
    this.leaderEpoch = leaderEpoch;
    this.#desk = desk;
    this.#written = log.endPosition;
    this.#highWatermark = this.#written;
    this.#durableEndOffset = log.recoveryPoint;
    this.#segments = log.segmentCount;
    this.#openedAtOffset = log.logEndOffset;
    this.publish();
    desk.published.setState(slot, ONLINE);
  }

  /** Nothing staged, nobody waiting, no sync under way: it can move. */
  get quiet(): boolean {
    return this.#line.length === 0 && this.#unwritten === 0 && this.#waiting.length === 0 && !this.#syncing;
  }

  get dirty(): boolean {
    return this.#unwritten > 0;
  }

  get durableEndOffset(): number {
    return this.#durableEndOffset;
  }

  append(
    memory: Memory,
    offset: number,
    length: number,
    epoch: number,
    now: number,
    asker: number,
    operation: number,
    part: number,
  ): void {
    const start = this.log.logStartOffset;
    const refused = this.#check(epoch);
    if (refused !== ERROR.NONE) return this.#desk.appended(asker, operation, part, refused, -1, -1, start);
    const suspend = length >= batch.HEADER_BYTES && this.#mustOpen(memory, offset);
    if (!suspend && this.#line.length === 0) return this.#stage(memory, offset, length, now, asker, operation, part);
    const applicant = { memory, offset, length, asker, operation, part, verdict: suspend ? CHECKING : ERROR.NONE };
    this.#line.push(applicant);
    if (suspend) this.#desk.check(this, applicant, hasPolicy(this.log.config, 'compact'));
  }

  /** The check of a suspended batch has ended: it and what waits behind it go on, in the order they came. */
  checked(applicant: Applicant, verdict: number, now: number): void {
    applicant.verdict = verdict;
    while (this.#line.length > 0 && (this.#line[0] as Applicant).verdict !== CHECKING) {
      const { memory, offset, length, asker, operation, part, verdict: error } = this.#line.shift() as Applicant;
      const refused = error === ERROR.NONE ? this.#check(-1) : error;
      if (refused === ERROR.NONE) this.#stage(memory, offset, length, now, asker, operation, part);
      else this.#desk.appended(asker, operation, part, refused, -1, -1, this.log.logStartOffset);
    }
  }

  #mustOpen(memory: Memory, offset: number): boolean {
    if ((batch.attributes(memory.view, offset) & batch.CODEC_MASK) === batch.CODEC.NONE) return false;
    return this.#desk.fullValidation || hasPolicy(this.log.config, 'compact');
  }

  #stage(
    memory: Memory,
    offset: number,
    length: number,
    now: number,
    asker: number,
    operation: number,
    part: number,
  ): void {
    const start = this.log.logStartOffset;
    const staged = this.#staged;
    this.log.stage(memory, offset, length, this.leaderEpoch, now, staged, 'client');
    if (staged.errorCode !== ERROR.NONE) {
      return this.#desk.appended(asker, operation, part, staged.errorCode, -1, -1, start);
    }
    const { baseOffset, endOffset, logAppendTime } = staged;
    if (!staged.duplicate) this.#unwritten += 1;
    this.#waiting.push({ asker, operation, part, baseOffset, endOffset, appendTime: logAppendTime });
  }

  /** Writes what was staged in one go, then lets the answers go that are due. */
  settle(now: number): void {
    this.touched = false;
    if (this.#unwritten > 0) {
      this.#unwritten = 0;
      try {
        this.log.write();
      } catch (problem) {
        if (!(problem instanceof DiskError)) throw problem;
        return this.#fail(problem.message);
      }
      if (this.#durableEndOffset >= this.#written.offset) this.#unsyncedSinceMs = now;
      this.#written = this.log.endPosition;
      if (this.log.flushDue) this.#flushDue = true;
      if (this.log.segmentCount > this.#segments) this.#syncWanted = true;
      this.#segments = this.log.segmentCount;
    }
    this.#advance();
    this.#syncIfDue();
  }

  /** Once a second: whether the oldest record has waited long enough for its sync (flush.ms). */
  look(now: number): void {
    if (this.#durableEndOffset >= this.#written.offset) return;
    if (now - this.#unsyncedSinceMs < this.log.config.flushMs) return;
    this.#syncWanted = true;
    this.#syncIfDue();
  }

  /** Old segments and silent producers go. */
  retain(now: number): void {
    if (this.#broken !== null) return;
    try {
      this.log.expireProducers(now);
      if (this.log.retention(now, this.highWatermark) > 0) this.publish();
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      this.#fail(problem.message);
    }
  }

  synced(plan: SyncPlan): void {
    this.#syncing = false;
    if (this.#broken !== null) return;
    this.log.synced(plan);
    this.#durableEndOffset = Math.max(this.#durableEndOffset, plan.endOffset);
    if (this.#durableEndOffset >= this.#written.offset) this.#flushDue = false;
    if (this.#desk.groupCommit) this.#highWatermark = plan.end;
    this.#advance();
    this.#syncIfDue();
  }

  /** A failed sync is never tried again: what the disk has is unknown. */
  syncFailed(errno: number): void {
    this.#syncing = false;
    const problem = new DiskError(`errno ${errno}`, 'sync', this.log.directory);
    this.log.syncFailed(problem);
    this.#fail(problem.message);
  }

  locate(offset: number, bytesMax: number, firstBatch: boolean, epoch: number, plan: ReadPlan): void {
    plan.slot = -1;
    plan.length = 0;
    plan.firstBatchBytes = 0;
    plan.errorCode = this.#check(epoch);
    if (plan.errorCode !== ERROR.NONE) return;
    try {
      this.log.locate(offset, bytesMax, firstBatch, this.#highWatermark, plan);
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      plan.errorCode = ERROR.KAFKA_STORAGE_ERROR;
      this.#fail(problem.message);
    }
  }

  /** Whether what was located was written lately by this process, so that the page cache has it. */
  isWarm(offset: number, plan: ReadPlan): boolean {
    const { segmentBaseOffset, position } = this.#written;
    if (offset < Math.max(segmentBaseOffset, this.#openedAtOffset)) return false;
    return position - plan.position <= WARM_BYTES;
  }

  get highWatermark(): number {
    return this.#highWatermark.offset;
  }

  /** No transactions are open on this partition: everything below the high watermark is stable. */
  get lastStableOffset(): number {
    return this.#highWatermark.offset;
  }

  listOffset(timestamp: number, epoch: number, out: ListedOffset): void {
    out.error = this.#check(epoch);
    out.leaderEpoch = -1;
    out.timestamp = -1;
    out.offset = -1;
    if (out.error !== ERROR.NONE) return;
    const { LATEST, EARLIEST, EARLIEST_LOCAL, MAX_TIMESTAMP } = LIST_OFFSETS_TIMESTAMP;
    if (timestamp === LATEST) this.#listed(out, this.highWatermark, -1, this.leaderEpoch);
    else if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL) {
      const start = this.log.logStartOffset;
      this.#listed(out, start, -1, this.log.epochs.epochOf(start));
    } else if (timestamp === MAX_TIMESTAMP || timestamp >= 0) this.#listByTime(timestamp, out);
  }

  publish(): void {
    view.leaderEpoch = this.leaderEpoch;
    view.logStartOffset = this.log.logStartOffset;
    view.highWatermark = this.#highWatermark.offset;
    view.lastStableOffset = this.lastStableOffset;
    view.logEndOffset = this.#written.offset;
    view.durableEndOffset = this.#durableEndOffset;
    view.visibleBytes = this.#highWatermark.cumulativeBytes;
    this.#desk.published.publish(this.slot, view);
  }

  #listByTime(timestamp: number, out: ListedOffset): void {
    try {
      const found =
        timestamp === LIST_OFFSETS_TIMESTAMP.MAX_TIMESTAMP
          ? this.log.maxTimestamp()
          : this.log.offsetForTimestamp(timestamp, this.lastStableOffset);
      if (found !== null) this.#listed(out, found.offset, found.timestamp, found.leaderEpoch);
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      out.error = ERROR.KAFKA_STORAGE_ERROR;
      this.#fail(problem.message);
    }
  }

  #listed(out: ListedOffset, offset: number, timestamp: number, leaderEpoch: number): void {
    out.offset = offset;
    out.timestamp = timestamp;
    out.leaderEpoch = leaderEpoch;
  }

  #check(epoch: number): number {
    if (this.#broken !== null) return ERROR.KAFKA_STORAGE_ERROR;
    if (epoch === -1 || epoch === this.leaderEpoch) return ERROR.NONE;
    return epoch < this.leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH;
  }

  /** Moves the high watermark, publishes, and answers in the order of the log. */
  #advance(): void {
    const before = this.#highWatermark.offset;
    if (!this.#desk.groupCommit) this.#highWatermark = this.#written;
    assert(this.#highWatermark.offset >= before, 'the high watermark never goes back', {
      before,
      after: this.#highWatermark.offset,
    });
    this.publish();
    this.#answer();
    if (this.#highWatermark.offset === before) return;
    const watchers = this.#desk.published.takeWatchers(this.slot);
    if (watchers !== 0) this.#desk.advanced(this.slot, watchers);
  }

  #answer(): void {
    const due = this.#desk.groupCommit || this.#flushDue ? this.#durableEndOffset : this.#written.offset;
    const start = this.log.logStartOffset;
    let answered = 0;
    for (const waiting of this.#waiting) {
      if (waiting.endOffset > due) break;
      answered += 1;
      const { asker, operation, part, baseOffset, appendTime } = waiting;
      this.#desk.appended(asker, operation, part, ERROR.NONE, baseOffset, appendTime, start);
    }
    if (answered === this.#waiting.length) this.#waiting.length = 0;
    else if (answered > 0) this.#waiting.splice(0, answered);
  }

  #syncIfDue(): void {
    if (this.#syncing || this.#broken !== null) return;
    if (
      !this.#flushDue &&
      !this.#syncWanted &&
      !(this.#desk.groupCommit && this.#durableEndOffset < this.#written.offset)
    )
      return;
    this.#syncing = true;
    this.#syncWanted = false;
    this.#desk.sync(this, this.log.syncPlan());
  }

  #fail(why: string): void {
    if (this.#broken !== null) return;
    this.#broken = why;
    this.#desk.published.setState(this.slot, OFFLINE);
    for (const { asker, operation, part } of this.#waiting) {
      this.#desk.appended(asker, operation, part, ERROR.KAFKA_STORAGE_ERROR, -1, -1, this.log.logStartOffset);
    }
    this.#waiting.length = 0;
    const watchers = this.#desk.published.takeWatchers(this.slot);
    if (watchers !== 0) this.#desk.advanced(this.slot, watchers);
    this.#desk.offline(this.slot, why);
  }
}
