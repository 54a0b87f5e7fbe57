/**
 * A partition that this broker leads: its log, its high watermark, and the producers that wait for an answer. Nobody but
 * its handler touches it. Batches are staged as they come and written together; an answer leaves when its batch is written,
 * or durable where that is promised (group commit, flush per message).
 *
 *   log start <= high watermark <= written end <= staged end;   durable end <= written end
 *   group commit: the high watermark is the durable end, so nobody reads what power loss can take back
 *
 * Whatever its work throws, a failing disk or a broken invariant of ours, takes this partition out of service and nobody
 * else: who waits is refused, all that is asked later, too, and the next start recovers it from what is on disk.
 */
import type { Memory } from '../base/memory.ts';
import { mustOpen, type Opening, openingOf } from '../log/admission.ts';
import { hasPolicy } from '../log/config.ts';
import { DiskError } from '../log/disk.ts';
import type { PartitionLog, SyncPlan } from '../log/partition-log.ts';
import type { ReadPlan } from '../log/reading.ts';
import { type AppendOrigin, type AppendResult, blameNone, refused } from '../log/validation.ts';
import * as batch from '../wire/batch.ts';
import { ERROR } from '../wire/errors.ts';
import { TO_HIGH_WATERMARK } from '../wire/messages/delete-records.ts';
import { AdmissionLine, type Applicant } from './admission-line.ts';
import { Ends } from './ends.ts';
import { clearFound, type FoundOffset, findEpochEnd, findOffset } from './offsets.ts';
import type { PartitionDesk } from './partition-desk.ts';
import { newPartitionView, OFFLINE, ONLINE } from './published.ts';
import { Syncs } from './syncs.ts';
import { WaitingProducers } from './waiting-producers.ts';

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
  /** Deletions whose answer waits until the log's start is kept on disk. */
  promised = 0;
  readonly #desk: PartitionDesk;
  readonly #line = new AdmissionLine();
  readonly #waiting: WaitingProducers;
  #unwritten = 0;
  readonly #ends: Ends;
  readonly #syncs: Syncs;
  #broken: string | null = null;
  /** Its topic is deleted or its owner another one: nothing is published any more. */
  #ended = false;
  readonly #staged: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };

  constructor(slot: number, log: PartitionLog, leaderEpoch: number, desk: PartitionDesk) {
    this.slot = slot;
    this.log = log;
    this.leaderEpoch = leaderEpoch;
    this.#desk = desk;
    this.#waiting = new WaitingProducers(desk);
    this.#ends = new Ends(log, desk.groupCommit);
    this.#syncs = new Syncs(log);
    this.publish();
    desk.published.setState(slot, ONLINE);
  }

  /** Nothing staged, nobody waiting, no sync under way: it can move. */
  get quiet(): boolean {
    if (this.promised > 0) return false;
    return this.#line.empty && this.#unwritten === 0 && this.#waiting.empty && !this.#syncs.underWay;
  }

  get dirty(): boolean {
    return this.#unwritten > 0;
  }

  get durableEndOffset(): number {
    return this.#syncs.durableEnd;
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
    const error = this.#check(epoch);
    if (error !== ERROR.NONE)
      return this.#desk.appended(asker, operation, part, error, -1, -1, this.log.logStartOffset);
    let verdict: number = ERROR.NONE;
    let opening: Opening | null = null;
    try {
      if (length >= batch.HEADER_BYTES && mustOpen(memory, offset, this.log.config, this.#desk.fullValidation)) {
        verdict = this.log.checkHeader(memory, offset, length);
        if (verdict === ERROR.NONE) opening = openingOf(memory, offset, this.log.config, now);
      }
    } catch (problem) {
      blameNone();
      verdict = ERROR.KAFKA_STORAGE_ERROR;
      this.fail(problem as Error);
    }
    if (verdict !== ERROR.NONE) this.#refuse(asker, operation, part, verdict, refused.fault, refused.record);
    else if (opening !== null) {
      const sizeBytes = batch.sizeInBytes(memory.view, offset);
      this.#desk.open(this, this.#line.join(memory, offset, sizeBytes, asker, operation, part, true), opening);
    } else if (this.#line.empty) this.#stage(memory, offset, length, now, asker, operation, part);
    else this.#line.join(memory, offset, length, asker, operation, part, false);
  }

  /** A batch of the coordinator that lives with this partition: it is what it should be. */
  appendOwn(memory: Memory, now: number, asker: number, operation: number): void {
    const { length } = memory.bytes;
    const error = this.#check(-1);
    if (error !== ERROR.NONE) this.#desk.appended(asker, operation, 0, error, -1, -1, -1);
    else if (this.#line.empty) this.#stage(memory, 0, length, now, asker, operation, 0, 'coordinator');
    else this.#line.join(memory, 0, length, asker, operation, 0, false);
  }

  /** One that was being opened has what came of it: it and what waits behind it go on, in the order they came. */
  admit(now: number): void {
    for (let next = this.#line.next(); next !== null; next = this.#line.next()) this.#admit(next, now);
  }

  #admit(applicant: Applicant, now: number): void {
    const { memory, offset, length, made, asker, operation, part, verdict } = applicant;
    const error = verdict === ERROR.NONE ? this.#check(-1) : verdict;
    if (error !== ERROR.NONE) this.#refuse(asker, operation, part, error, applicant.fault, applicant.record);
    else if (made === null) this.#stage(memory, offset, length, now, asker, operation, part);
    else if (this.#stage(made, 0, made.bytes.length, now, asker, operation, part)) {
      this.#line.keep(made);
      return;
    }
    if (made !== null) this.#desk.release(made);
  }

  #refuse(asker: number, operation: number, part: number, error: number, fault: number, record: number): void {
    this.#desk.refused(asker, operation, part, error, this.log.logStartOffset, fault, record);
  }

  /** True when the memory is needed until the next write. */
  #stage(
    memory: Memory,
    offset: number,
    length: number,
    now: number,
    asker: number,
    operation: number,
    part: number,
    origin: AppendOrigin = 'client',
  ): boolean {
    const staged = this.#staged;
    try {
      this.log.stage(memory, offset, length, this.leaderEpoch, now, staged, origin);
      // A new segment that could not be begun: those that came before it are not promised either.
      if (this.log.broken !== null) this.fail(this.log.broken);
    } catch (problem) {
      blameNone();
      staged.errorCode = ERROR.KAFKA_STORAGE_ERROR;
      this.fail(problem as Error);
    }
    if (staged.errorCode !== ERROR.NONE) {
      this.#refuse(asker, operation, part, staged.errorCode, refused.fault, refused.record);
      return false;
    }
    const { baseOffset, endOffset, logAppendTime } = staged;
    if (!staged.duplicate) this.#unwritten += 1;
    this.#waiting.join({ asker, operation, part, baseOffset, endOffset, appendTime: logAppendTime });
    return !staged.duplicate;
  }

  /** Writes what was staged in one go, then lets the answers go that are due. */
  settle(now: number): void {
    this.touched = false;
    if (this.#ended || this.#broken !== null) return;
    try {
      if (this.#unwritten > 0) this.#write(now);
      this.#advance();
      this.#syncIfDue();
    } catch (problem) {
      this.fail(problem as Error);
    }
  }

  /** What was staged earlier in this round counts for what is asked now: on one connection a request sees those before it. */
  catchUp(now: number): void {
    if (this.dirty) this.settle(now);
  }

  #write(now: number): void {
    this.#unwritten = 0;
    try {
      this.log.write();
    } finally {
      for (const memory of this.#line.takeKept()) this.#desk.release(memory);
    }
    this.#syncs.wrote(this.#ends.written.offset, now);
    this.#ends.written = this.log.endPosition;
  }

  /** Once a second: whether the oldest record has waited long enough for its sync (flush.ms). */
  look(now: number): void {
    if (!this.#syncs.isLate(this.#ends.written.offset, now)) return;
    try {
      this.#syncIfDue();
    } catch (problem) {
      this.fail(problem as Error);
    }
  }

  /** Old segments and silent producers go. */
  retain(now: number): void {
    if (this.#broken !== null) return;
    try {
      this.log.expireProducers(now);
      if (this.log.retention(now, this.highWatermark) > 0) this.#startMoved();
    } catch (problem) {
      this.fail(problem as Error);
    }
  }

  /** Notes how far the log is written: the next start need not read that again. */
  mark(bytesMin: number): void {
    if (this.#broken !== null) return;
    try {
      this.log.mark(bytesMin);
    } catch (problem) {
      this.fail(problem as Error);
    }
  }

  synced(plan: SyncPlan): void {
    this.#syncs.underWay = false;
    if (this.#broken !== null || this.#ended) return;
    try {
      this.#syncs.done(plan, this.#ends.written.offset);
      this.#ends.synced(plan.end);
      this.#advance();
      this.#syncIfDue();
    } catch (problem) {
      this.fail(problem as Error);
    }
  }

  /** A failed sync is never tried again: what the disk has is unknown. */
  syncFailed(errno: number): void {
    this.#syncs.underWay = false;
    if (!this.#ended) this.fail(new DiskError(`errno ${errno}`, 'sync', this.log.directory));
  }

  /** Out of service from here on, whatever the reason: its own work, or its directory elsewhere. */
  fail(problem: Error): void {
    if (this.#broken !== null) return;
    this.#broken = problem.message;
    this.log.outOfService(problem);
    this.#unwritten = 0;
    for (const memory of this.#line.takeKept()) this.#desk.release(memory);
    this.#desk.published.setState(this.slot, OFFLINE);
    this.#refuseWaiting(ERROR.KAFKA_STORAGE_ERROR);
    this.#desk.offline(this.slot, problem);
  }

  /** Its topic is deleted: what came is written, who waits is answered, batches that are being checked are refused when they come. */
  end(now: number): void {
    this.settle(now);
    this.#ended = true;
    this.#desk.published.setState(this.slot, OFFLINE);
    this.#refuseWaiting(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  }

  /** It goes on with another owner: from here on that one publishes. */
  leave(): void {
    this.#ended = true;
  }

  locate(offset: number, bytesMax: number, firstBatch: boolean, epoch: number, plan: ReadPlan): void {
    plan.slot = -1;
    plan.length = 0;
    plan.firstBatchBytes = 0;
    plan.errorCode = this.#check(epoch);
    if (plan.errorCode !== ERROR.NONE) return;
    try {
      this.log.locate(offset, bytesMax, firstBatch, this.#ends.visible, plan);
    } catch (problem) {
      plan.errorCode = ERROR.KAFKA_STORAGE_ERROR;
      this.fail(problem as Error);
    }
  }

  isWarm(offset: number, plan: ReadPlan): boolean {
    return this.#ends.isWarm(offset, plan);
  }

  isInOlder(offset: number): boolean {
    return this.#ends.isInOlder(offset);
  }

  get highWatermark(): number {
    return this.#ends.visible.offset;
  }

  /** No transactions are open on this partition: everything below the high watermark is stable. */
  get lastStableOffset(): number {
    return this.#ends.visible.offset;
  }

  /** For ListOffsets; `committed` leaves open transactions out. */
  listOffset(timestamp: number, committed: boolean, epoch: number, out: FoundOffset): void {
    const end = committed ? this.lastStableOffset : this.highWatermark;
    this.#find(epoch, out, () => findOffset(this.log, timestamp, end, this.leaderEpoch, out));
  }

  /** For OffsetForLeaderEpoch: where `wanted` ends. */
  endOfEpoch(wanted: number, epoch: number, out: FoundOffset): void {
    this.#find(epoch, out, () => findEpochEnd(this.log, wanted, this.leaderEpoch, out));
  }

  /** Moves the log's start up to an offset or the high watermark, never back. Gives an error code. */
  deleteRecords(offset: number): number {
    if (this.#broken !== null) return ERROR.KAFKA_STORAGE_ERROR;
    if (!hasPolicy(this.log.config, 'delete')) return ERROR.POLICY_VIOLATION;
    const start = offset === TO_HIGH_WATERMARK ? this.highWatermark : offset;
    if (start < 0 || start > this.highWatermark) return ERROR.OFFSET_OUT_OF_RANGE;
    if (start <= this.log.logStartOffset) return ERROR.NONE;
    try {
      this.log.advanceLogStart(start);
    } catch (problem) {
      this.fail(problem as Error);
      return ERROR.KAFKA_STORAGE_ERROR;
    }
    this.#startMoved();
    return ERROR.NONE;
  }

  publish(): void {
    view.leaderEpoch = this.leaderEpoch;
    view.logStartOffset = this.log.logStartOffset;
    view.highWatermark = this.#ends.visible.offset;
    view.lastStableOffset = this.lastStableOffset;
    view.logEndOffset = this.#ends.written.offset;
    view.durableEndOffset = this.#syncs.durableEnd;
    view.visibleBytes = this.#ends.visible.cumulativeBytes;
    this.#desk.published.publish(this.slot, view);
  }

  #find(epoch: number, out: FoundOffset, look: () => void): void {
    clearFound(out, this.#check(epoch));
    if (out.error !== ERROR.NONE) return;
    try {
      look();
    } catch (problem) {
      out.error = ERROR.KAFKA_STORAGE_ERROR;
      this.fail(problem as Error);
    }
  }

  /** Who waits for records below the start learns that they are gone. */
  #startMoved(): void {
    this.publish();
    this.#tellWatchers();
  }

  #check(epoch: number): number {
    if (this.#ended) return ERROR.UNKNOWN_TOPIC_OR_PARTITION;
    if (this.#broken !== null) return ERROR.KAFKA_STORAGE_ERROR;
    if (epoch === -1 || epoch === this.leaderEpoch) return ERROR.NONE;
    return epoch < this.leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH;
  }

  /** Moves the high watermark, publishes, and answers in the order of the log. */
  #advance(): void {
    const hasMoved = this.#ends.show();
    this.publish();
    const { durableEnd, flushDue } = this.#syncs;
    const due = this.#desk.groupCommit || flushDue ? durableEnd : this.#ends.written.offset;
    this.#waiting.answer(due, this.log.logStartOffset);
    if (hasMoved) this.#tellWatchers();
  }

  #syncIfDue(): void {
    if (this.#broken !== null) return;
    const behind = this.#desk.groupCommit && this.#syncs.durableEnd < this.#ends.written.offset;
    const plan = this.#syncs.begin(behind);
    if (plan !== null) this.#desk.sync(this, plan);
  }

  #refuseWaiting(error: number): void {
    this.#waiting.refuse(error, this.log.logStartOffset);
    this.#tellWatchers();
  }

  /** Whoever waits for something to happen here looks again. */
  #tellWatchers(): void {
    const watchers = this.#desk.published.takeWatchers(this.slot);
    if (watchers !== 0) this.#desk.advanced(this.slot, watchers);
  }
}
