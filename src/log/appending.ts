/**
 * The way of a batch into the log: checked, numbered, stamped in place, put in line for the next write, in a new segment
 * where the active one has had enough. Disk errors pass through; the log decides what they mean.
 */
import type { Memory } from '../base/memory.ts';
import * as batch from '../wire/batch.ts';
import { ERROR } from '../wire/errors.ts';
import { writeEpochs } from './opening.ts';
import { DUPLICATE, sequenceAfter } from './producers.ts';
import { transactionEnd } from './record-walk.ts';
import { newSegment } from './recovery.ts';
import { Staged } from './staged.ts';
import type { FlushProgress, LogState } from './state.ts';
import {
  type AppendOrigin,
  type AppendResult,
  accepted,
  checkAppend,
  checkHeader,
  checkReplicated,
  stamp,
} from './validation.ts';

export class Appending {
  readonly #state: LogState;
  readonly #progress: FlushProgress;
  readonly #staged = new Staged();

  constructor(state: LogState, progress: FlushProgress) {
    this.#state = state;
    this.#progress = progress;
  }

  /** Batches wait for `write`. */
  get pending(): boolean {
    return this.#staged.count > 0;
  }

  /** Whether all but the records of a client's batch is good: an error code, NONE when it is. */
  checkHeader(memory: Memory, offset: number, length: number): number {
    const { config, environment } = this.#state;
    return checkHeader(environment.kernels, memory, offset, length, config, 'client');
  }

  /** One batch of a client or a coordinator: this broker leads and decides offset and epoch. */
  stageOne(
    memory: Memory,
    offset: number,
    length: number,
    leaderEpoch: number,
    now: number,
    out: AppendResult,
    origin: AppendOrigin,
  ): void {
    const state = this.#state;
    const { config, environment } = state;
    const refused = checkAppend(environment.kernels, memory, offset, length, config, now, origin);
    if (refused !== ERROR.NONE) {
      out.errorCode = refused;
      return;
    }
    const { view } = memory;
    const { maxTimestamp, sizeBytes } = accepted;
    const logAppendTime = config.timestampType === 'LogAppendTime';
    const producerId = batch.producerId(view, offset);
    const delta = batch.lastOffsetDelta(view, offset);
    if (producerId >= 0 && origin === 'client' && !this.#mayFollow(memory, offset, producerId, delta, out)) {
      if (out.duplicate && logAppendTime) out.logAppendTime = state.producers.duplicate.timestamp;
      return;
    }
    const baseOffset = state.nextOffset;
    stamp(environment.kernels, memory, offset, baseOffset, leaderEpoch, config);
    this.#append(memory, offset, sizeBytes, baseOffset, baseOffset + delta, maxTimestamp, now);
    state.epochs.assign(leaderEpoch, baseOffset);
    if (producerId >= 0) this.#remember(memory, offset, baseOffset + delta, delta, maxTimestamp);
    out.baseOffset = baseOffset;
    out.endOffset = baseOffset + delta + 1;
    if (logAppendTime) out.logAppendTime = now;
  }

  /** What a leader sent: offsets and epochs are as they are. */
  stageReplicated(memory: Memory, offset: number, length: number, now: number, out: AppendResult): void {
    const state = this.#state;
    const { kernels } = state.environment;
    const good = checkReplicated(kernels, memory, offset, length, state.nextOffset, state.config.segmentBytes);
    if (good < 0) {
      out.errorCode = -good;
      return;
    }
    const { view } = memory;
    for (let at = offset; at < offset + good; at += batch.sizeInBytes(view, at)) {
      const base = batch.baseOffset(view, at);
      const last = batch.lastOffset(view, at);
      const newest = batch.maxTimestamp(view, at);
      this.#append(memory, at, batch.sizeInBytes(view, at), base, last, newest, now);
      state.epochs.assign(batch.partitionLeaderEpoch(view, at), base);
      if (batch.producerId(view, at) >= 0) this.#remember(memory, at, last, last - base, newest);
      if (at === offset) out.baseOffset = base;
      out.endOffset = last + 1;
    }
  }

  /** One gathered write for all that waits, then the epochs if they changed. */
  write(): void {
    if (!this.pending) return;
    const { environment, segments } = this.#state;
    const { active } = segments;
    this.#staged.writeTo(environment.disk, environment.files.descriptor(active.log), active.sizeBytes);
    active.sizeBytes = active.stagedBytes;
    writeEpochs(this.#state);
  }

  drop(): void {
    this.#staged.clear();
  }

  /** Ends the active segment and begins one at the next offset. */
  roll(now: number): void {
    this.write();
    const { environment, segments, directory, config, durability, producers, snapshots, nextOffset } = this.#state;
    const ended = segments.active;
    if (ended.baseOffset === nextOffset) return;
    ended.finish();
    durability.segmentFinished(ended);
    snapshots.write(producers, nextOffset, false);
    const segment = newSegment(environment, directory, nextOffset, config, now, true);
    segments.add(segment);
    segment.create(config);
    durability.directoryChanged(directory);
  }

  /** Whether the producer's last batches allow this one; otherwise `out` says why not, or where it lies already. */
  #mayFollow(memory: Memory, at: number, producerId: number, delta: number, out: AppendResult): boolean {
    const { producers } = this.#state;
    const epoch = batch.producerEpoch(memory.view, at);
    const first = batch.baseSequence(memory.view, at);
    const verdict = producers.check(producerId, epoch, first, sequenceAfter(first, delta), false);
    if (verdict === DUPLICATE) {
      out.duplicate = true;
      out.baseOffset = producers.duplicate.baseOffset;
      out.endOffset = producers.duplicate.lastOffset + 1;
    } else out.errorCode = verdict;
    return verdict === ERROR.NONE;
  }

  /** Puts one batch behind the last one. */
  #append(memory: Memory, at: number, size: number, base: number, last: number, newest: number, now: number): void {
    const { segments, config } = this.#state;
    if (segments.active.mustRoll(size, newest, last, now, config)) this.roll(now);
    // One that nobody appends to is left as it lies.
    if (!segments.active.growing) segments.active.activate(config);
    segments.active.appended(size, last, newest, config.indexIntervalBytes);
    this.#staged.add(memory, at, size);
    this.#state.nextOffset = last + 1;
    if (this.#progress.unflushedMessages === 0) this.#progress.unflushedSinceMs = now;
    this.#progress.unflushedMessages += last - base + 1;
  }

  #remember(memory: Memory, at: number, lastOffset: number, delta: number, timestamp: number): void {
    const { view, bytes } = memory;
    const { producers } = this.#state;
    const id = batch.producerId(view, at);
    const epoch = batch.producerEpoch(view, at);
    if (batch.isControl(view, at)) {
      const end = transactionEnd(bytes.subarray(at + batch.HEADER_BYTES, at + batch.sizeInBytes(view, at)));
      if (end !== null) producers.endTransaction(id, epoch, end.coordinatorEpoch, timestamp);
      return;
    }
    const first = batch.baseSequence(view, at);
    const lastSequence = first < 0 ? -1 : sequenceAfter(first, delta);
    producers.append(id, epoch, lastSequence, lastOffset, delta, timestamp, batch.isTransactional(view, at));
  }
}
