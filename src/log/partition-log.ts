/**
 * One partition on disk, in Kafka's files: what may be appended, where a fetch reads, what lasts. Synchronous and without
 * a clock; nobody but its owner touches it. Batches are staged by reference and written together, so their memory stays
 * as it is until `write`. After a failed write or sync the log is broken and says so for ever: what the disk has is unknown.
 *
 *   logStartOffset, recoveryPoint <= endPosition.offset (written) <= logEndOffset (staged)
 */
import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import type { Uuid } from '../base/uuid.ts';
import { ERROR } from '../wire/errors.ts';
import { Appending } from './appending.ts';
import { type LogConfig, PRODUCER_ID_EXPIRATION_MS } from './config.ts';
import type { Deletion } from './deletions.ts';
import { DiskError } from './disk.ts';
import type { SyncPlan } from './durability.ts';
import type { LogEnvironment } from './environment.ts';
import { freezeLog, thawLog } from './freeze.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import { deletedDirectory, parentOf } from './names.ts';
import { type OpenOptions, openLog, writeEpochs } from './opening.ts';
import type { Producer } from './producers.ts';
import { type LogPosition, locate, positionOf, type ReadPlan } from './reading.ts';
import type { FlushProgress, LogIdentity, LogState } from './state.ts';
import { maxTimestamp, offsetForTimestamp, type TimestampOffset } from './timestamps.ts';
import { expiredSegments, raiseStart, retireFirst, truncateLog } from './trimming.ts';
import { type AppendOrigin, type AppendResult, blameNone } from './validation.ts';

export type { SyncPlan } from './durability.ts';
export type { LogEnvironment } from './environment.ts';

export class PartitionLog {
  readonly #state: LogState;
  readonly #appending: Appending;
  readonly #progress: FlushProgress;
  #written: LogPosition;
  #broken: Error | null = null;
  #finished = false;
  /** How much of the log lay before the last mark. */
  #markedBytes: number;
  #now: number;

  /** Creates the log or recovers it. Throws when it cannot be read, or belongs to another topic. */
  static open(options: LogEnvironment & OpenOptions): PartitionLog {
    const state = openLog(options, options);
    // What a killed process left in the page cache counts as if it had just been appended.
    const unflushedMessages = state.nextOffset - state.durability.recoveryPoint;
    return new PartitionLog(state, options.now, { unflushedMessages, unflushedSinceMs: options.now });
  }

  /** Goes on where `freeze` stopped, on whichever thread. */
  static thaw(bytes: Uint8Array, options: LogEnvironment & LogIdentity): PartitionLog {
    const progress = { unflushedMessages: 0, unflushedSinceMs: 0 };
    return new PartitionLog(thawLog(bytes, options, options, progress), options.now, progress);
  }

  private constructor(state: LogState, now: number, progress: FlushProgress) {
    this.#state = state;
    this.#now = now;
    this.#progress = progress;
    this.#appending = new Appending(state, progress);
    this.#written = this.#endOfActive();
    this.#markedBytes = this.#written.cumulativeBytes;
  }

  get directory(): string {
    return this.#state.directory;
  }

  get topicId(): Uuid {
    return this.#state.topicId;
  }

  get config(): LogConfig {
    return this.#state.config;
  }

  set config(config: LogConfig) {
    this.#state.config = config;
  }

  get logStartOffset(): number {
    return this.#state.logStartOffset;
  }

  /** The offset of the next record, behind all that is staged. */
  get logEndOffset(): number {
    return this.#state.nextOffset;
  }

  /** The end of what is written. */
  get endPosition(): LogPosition {
    return this.#written;
  }

  /** Everything below is durable. */
  get recoveryPoint(): number {
    return this.#state.durability.recoveryPoint;
  }

  get epochs(): LeaderEpochs {
    return this.#state.epochs;
  }

  get sizeBytes(): number {
    return this.#state.segments.sizeBytes;
  }

  get segmentCount(): number {
    return this.#state.segments.count;
  }

  get producerCount(): number {
    return this.#state.producers.count;
  }

  producers(): IterableIterator<Producer> {
    return this.#state.producers.values();
  }

  /** Why the log is out of service; null while it is not. */
  get broken(): Error | null {
    return this.#broken;
  }

  /** The topic's own flush limits (`flush.messages`, `flush.ms`) ask for a sync. */
  get flushDue(): boolean {
    const { unflushedMessages, unflushedSinceMs } = this.#progress;
    const { flushMessages, flushMs } = this.#state.config;
    return unflushedMessages > 0 && (unflushedMessages >= flushMessages || this.#now - unflushedSinceMs >= flushMs);
  }

  /** Whether all but the records of a producer's batch is good: an error code, NONE when it is. */
  checkHeader(memory: Memory, offset: number, length: number): number {
    return this.#appending.checkHeader(memory, offset, length);
  }

  /**
   * Takes a record section for the log: one batch from a client or coordinator, any number from a leader. On success its
   * stamp bytes are written in place and the bytes wait for `write`. Says everything through `out`, a failing disk, too.
   */
  stage(
    memory: Memory,
    offset: number,
    length: number,
    leaderEpoch: number,
    now: number,
    out: AppendResult,
    origin: AppendOrigin,
  ): void {
    out.errorCode = ERROR.NONE;
    out.baseOffset = -1;
    out.endOffset = -1;
    out.logAppendTime = -1;
    out.duplicate = false;
    this.#now = now;
    if (this.#broken !== null) {
      blameNone();
      out.errorCode = ERROR.KAFKA_STORAGE_ERROR;
      return;
    }
    try {
      if (origin === 'replica') this.#appending.stageReplicated(memory, offset, length, now, out);
      else this.#appending.stageOne(memory, offset, length, leaderEpoch, now, out, origin);
    } catch (problem) {
      this.#break(problem);
      if (!(problem instanceof DiskError)) throw problem;
      out.errorCode = ERROR.KAFKA_STORAGE_ERROR;
    }
  }

  /** Writes all that is staged. Throws a DiskError, then and from then on, when the disk fails. */
  write(): void {
    if (this.#broken !== null) throw this.#broken;
    if (!this.#appending.pending) return;
    try {
      this.#appending.write();
    } catch (problem) {
      throw this.#break(problem);
    }
    this.#written = this.#endOfActive();
  }

  /**
   * Where a fetch at `offset` reads: never beyond `end`, at least the first batch when `minOneBatch`, within one segment.
   * What is below the log's start or above its end is out of range; between `end` and the log's end there is nothing yet.
   */
  locate(offset: number, maxBytes: number, minOneBatch: boolean, end: LogPosition, plan: ReadPlan): void {
    plan.errorCode = ERROR.NONE;
    plan.slot = -1;
    plan.position = 0;
    plan.length = 0;
    plan.firstBatchBytes = 0;
    if (this.#broken !== null) plan.errorCode = ERROR.KAFKA_STORAGE_ERROR;
    else if (offset < this.logStartOffset || offset > this.#written.offset) plan.errorCode = ERROR.OFFSET_OUT_OF_RANGE;
    else if (offset < end.offset) {
      locate(this.#state.environment, this.#state.segments, offset, maxBytes, minOneBatch, end, plan);
    }
  }

  /** The place between batches at or before which `offset` lies; for a high watermark that is not the end. */
  positionOf(offset: number): LogPosition {
    return positionOf(this.#state.segments, offset, this.#written);
  }

  /** The first record with this timestamp or a later one, below `endOffset`. */
  offsetForTimestamp(timestamp: number, endOffset: number): TimestampOffset | null {
    this.write();
    const { environment, segments } = this.#state;
    return offsetForTimestamp(environment, segments, timestamp, this.logStartOffset, endOffset);
  }

  /** The first record that has the log's largest timestamp. */
  maxTimestamp(): TimestampOffset | null {
    this.write();
    const { environment, segments } = this.#state;
    return maxTimestamp(environment, segments, this.logStartOffset);
  }

  /** The files whose sync makes durable all that is written now. Its leases are the caller's to release. */
  syncPlan(): SyncPlan {
    this.#progress.unflushedMessages = 0;
    return this.#state.durability.plan(this.#state.segments.active, this.#written);
  }

  /**
   * The same for finished segments alone: the recovery point moves to where the active one begins. Null when a sync that was
   * planned before covers them all.
   */
  finishedSyncPlan(): SyncPlan | null {
    if (!this.#state.durability.pending) return null;
    const { baseOffset, cumulativeStart } = this.#state.segments.active;
    const end = { offset: baseOffset, segmentBaseOffset: baseOffset, position: 0, cumulativeBytes: cumulativeStart };
    return this.#state.durability.plan(null, end);
  }

  synced(plan: SyncPlan): void {
    this.#state.durability.synced(plan);
  }

  /** A sync failed, which is never tried again, or what must hold does not: nothing more is written. */
  outOfService(problem: Error): void {
    this.#broken ??= problem;
  }

  /**
   * Notes how far the log is written, when that is worth a file: a start after this process was killed reads on from there.
   * Nothing is synced.
   */
  mark(bytesMin: number): void {
    if (this.#broken !== null || this.#written.cumulativeBytes - this.#markedBytes < bytesMin) return;
    this.write();
    this.#guarded(() => {
      const { snapshots, producers, nextOffset, segments } = this.#state;
      segments.active.flushIndexes();
      snapshots.mark(producers, nextOffset, segments);
    });
    this.#markedBytes = this.#written.cumulativeBytes;
  }

  /** Cuts the log back, for a follower whose leader has other records from `offset` on. */
  truncateTo(offset: number, now: number): void {
    this.write();
    this.#guarded(() => truncateLog(this.#state, offset, now));
  }

  /** Records below are deleted by request; segments that hold nothing else go with the next `retention`. */
  advanceLogStart(offset: number): void {
    this.write();
    assert(offset <= this.#written.offset, 'the start does not pass the end', { offset, end: this.#written.offset });
    this.#guarded(() => raiseStart(this.#state, offset));
  }

  /** Retires the segments that have passed the topic's limits, none beyond the high watermark. How many. */
  retention(now: number, highWatermark: number = this.#written.offset): number {
    this.write();
    const count = expiredSegments(this.#state, now, highWatermark);
    this.#guarded(() => {
      if (count === this.#state.segments.count) this.#appending.roll(now);
      retireFirst(this.#state, count, now);
    });
    return count;
  }

  /** Forgets producers that were silent for too long. */
  expireProducers(now: number): void {
    this.#state.producers.expire(now, this.config.producerIdExpirationMs ?? PRODUCER_ID_EXPIRATION_MS);
  }

  /** Retired files that may be removed now; they are off the list then, and the caller's (`removeRetired`). */
  dueDeletions(now: number): string[] {
    return this.#state.deletions.due(now);
  }

  get nextDeletionMs(): number {
    return this.#state.deletions.nextDueMs;
  }

  /** The log by value. This object is done with; files stay open for the leases that are out. */
  freeze(): Uint8Array {
    this.write();
    const bytes = freezeLog(this.#state, this.#progress);
    this.#forgetFiles();
    return bytes;
  }

  /**
   * The end of appending: everything is written, nothing synced. Where many logs end, all are finished before the first is
   * closed: the file system then makes many files durable at once.
   */
  finish(): void {
    const { segments, snapshots, producers, durability, directory, nextOffset } = this.#state;
    try {
      this.write();
      if (this.#untouched) return;
      segments.active.finish();
      durability.fileReplaced(snapshots.write(producers, nextOffset, false));
      durability.directoryChanged(directory);
    } catch (problem) {
      throw this.#break(problem);
    }
    this.#finished = true;
  }

  /**
   * Makes everything durable, so that a clean opening has nothing to look for. Where many logs end, each is told what the others
   * have synced, once all are finished.
   */
  close(synced: Set<string> = new Set()): void {
    const { segments, durability, nextOffset } = this.#state;
    try {
      if (!this.#finished) this.finish();
      if (!this.#untouched) durability.syncAll(segments.active, nextOffset, synced);
    } catch (problem) {
      throw this.#break(problem);
    } finally {
      this.#forgetFiles();
    }
  }

  /** Renames the whole directory out of the way; the caller removes it (`removeRetired`) when it is due. */
  remove(now: number): Deletion {
    const { environment, directory, topic, partition, config } = this.#state;
    this.#forgetFiles();
    this.#appending.drop();
    this.#broken ??= new DiskError('ENOENT', 'open', directory);
    const path = `${parentOf(directory)}/${deletedDirectory(topic, partition, environment.random.bytes16())}`;
    environment.disk.rename(directory, path);
    return { path, dueMs: now + config.fileDeleteDelayMs };
  }

  /** As a clean end left it: there is nothing to write and nothing to sync. */
  get #untouched(): boolean {
    const { segments, snapshots, durability, nextOffset } = this.#state;
    if (segments.active.growing || !snapshots.offsets.includes(nextOffset)) return false;
    return this.#broken === null && durability.isWhole(nextOffset);
  }

  #endOfActive(): LogPosition {
    const { active } = this.#state.segments;
    const { sizeBytes, baseOffset, cumulativeStart } = active;
    const offset = this.#state.nextOffset;
    return { offset, segmentBaseOffset: baseOffset, position: sizeBytes, cumulativeBytes: cumulativeStart + sizeBytes };
  }

  /** A change of files that must not stop half way: if it does the log is broken. */
  #guarded(change: () => void): void {
    try {
      change();
      writeEpochs(this.#state);
    } catch (problem) {
      throw this.#break(problem);
    }
    this.#written = this.#endOfActive();
  }

  #break(problem: unknown): unknown {
    this.#broken ??= problem as Error;
    return problem;
  }

  #forgetFiles(): void {
    for (const segment of this.#state.segments.list) segment.forget();
  }
}
