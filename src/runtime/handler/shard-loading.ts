/**
 * Reads a coordinator's log from its start to its high watermark, a piece at a time, so that the handler's other work goes
 * on: every record's key and value, in order, to whoever restores the shard.
 */
import { type Memory, memoryOver } from '../../base/memory.ts';
import { DiskError } from '../../log/disk.ts';
import type { LogEnvironment } from '../../log/environment.ts';
import type { FileTable } from '../../log/leases.ts';
import type { ReadPlan } from '../../log/reading.ts';
import type { Partition } from '../../replica/partition.ts';
import * as batch from '../../wire/batch.ts';
import { ERROR } from '../../wire/errors.ts';
import { readRecords } from '../../wire/records.ts';
import type { Registry } from '../net/answers.ts';

export interface ShardLoadingParts {
  readonly partition: Partition;
  readonly environment: LogEnvironment;
  readonly files: FileTable;
  readonly registry: Registry;
  record(key: Uint8Array | null, value: Uint8Array | null, offset: number): void;
}

const PIECE_BYTES = 262_144;
const ANY_EPOCH = -1;

export class ShardLoading {
  readonly #parts: ShardLoadingParts;
  readonly #plan: ReadPlan = { errorCode: 0, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
  #next: number;

  constructor(parts: ShardLoadingParts) {
    this.#parts = parts;
    this.#next = parts.partition.log.logStartOffset;
  }

  /** One piece. Whether all is read; throws DiskError, and what a damaged batch throws. */
  step(): boolean {
    const { partition, environment } = this.#parts;
    if (this.#next >= partition.highWatermark) return true;
    const plan = this.#plan;
    // Records may be deleted while they are being read.
    this.#next = Math.max(this.#next, partition.log.logStartOffset);
    partition.locate(this.#next, PIECE_BYTES, true, ANY_EPOCH, plan);
    if (plan.errorCode !== ERROR.NONE) throw new DiskError('EIO', 'read', partition.log.directory);
    if (plan.slot < 0) return true;
    const before = this.#next;
    try {
      this.#read(plan);
    } finally {
      environment.files.release(plan.slot);
    }
    if (this.#next === before) throw new DiskError('EIO', 'read to its end', partition.log.directory);
    return this.#next >= partition.highWatermark;
  }

  #read({ slot, position, length }: ReadPlan): void {
    const { environment, files, registry } = this.#parts;
    const { scratch, disk } = environment;
    const larger = length > scratch.bytes.length ? registry.register(new Uint8Array(length)) : null;
    const memory = larger ?? scratch;
    try {
      const read = disk.read(files.descriptor(slot), position, memory, 0, length);
      this.#replay(memory, read);
    } finally {
      if (larger !== null) registry.unregister(larger);
    }
  }

  /** All whole batches of what was read; the first is whole. */
  #replay(memory: Memory, length: number): void {
    const { view } = memory;
    for (let at = 0; at + batch.HEADER_BYTES <= length; ) {
      const size = batch.sizeInBytes(view, at);
      if (at + size > length) return;
      if (!batch.isControl(view, at)) this.#batch(memory, at, size);
      this.#next = batch.nextOffset(view, at);
      at += size;
    }
  }

  #batch(memory: Memory, at: number, size: number): void {
    const { environment, record } = this.#parts;
    const codec = batch.codec(memory.view, at);
    const decompressed =
      codec === batch.CODEC.NONE
        ? undefined
        : memoryOver(environment.decompress(codec, memory, at + batch.HEADER_BYTES, size - batch.HEADER_BYTES));
    for (const { key, value, offset } of readRecords(memory, at, decompressed)) {
      if (offset >= this.#next) record(key, value, offset);
    }
  }
}
