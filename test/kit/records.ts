/** Record batches as tests make and read them. */
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { PortableKernels } from '../../src/base/portable-kernels.ts';
import * as batch from '../../src/wire/batch.ts';
import { compress } from '../../src/wire/compression.ts';
import { decompressRecords } from '../../src/wire/decompress-batch.ts';
import { type BatchRecord, encodeBatch, type NewBatch, type NewRecord, readRecords } from '../../src/wire/records.ts';

export const kernels = new PortableKernels();
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

export function utf8(text: string | null): Uint8Array | null {
  return text === null ? null : UTF8.encode(text);
}

export function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : TEXT.decode(bytes);
}

export type BatchOptions = Omit<NewBatch, 'records' | 'compress'>;

/** A batch of these values. */
export function batchOf(values: readonly (string | NewRecord)[], options: BatchOptions = {}): Uint8Array {
  const now = Date.now();
  const records = values.map(
    (value): NewRecord => (typeof value === 'string' ? { timestamp: now, key: null, value: utf8(value) } : value),
  );
  const { codec } = options;
  return encodeBatch(
    codec === undefined
      ? { ...options, records }
      : { ...options, records, compress: (plain) => compress(codec, plain) },
    kernels,
  );
}

/** `count` records whose values take `bytes` each and start with `label` and their number. */
export function filledBatch(label: string, count: number, bytes: number, options: BatchOptions = {}): Uint8Array {
  return batchOf(
    Array.from({ length: count }, (_, index) => `${label}-${index}`.padEnd(bytes, '.')),
    options,
  );
}

export interface ReadBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly codec: number;
  readonly sizeBytes: number;
  readonly records: readonly BatchRecord[];
}

/** Whole batches in a range; one that is cut off at its end is left out, as clients do. The checksum of each is checked. */
export function readBatches(memory: Memory, offset: number, length: number): ReadBatch[] {
  const { view } = memory;
  const batches: ReadBatch[] = [];
  const end = offset + length;
  for (let at = offset; end - at >= batch.HEADER_BYTES; ) {
    const sizeBytes = batch.sizeInBytes(view, at);
    if (sizeBytes > end - at) break;
    const sum = kernels.crc32c(memory, at + batch.ATTRIBUTES_AT, sizeBytes - batch.ATTRIBUTES_AT);
    if (sum !== batch.crc(view, at)) throw new Error(`checksum ${sum} of the batch at ${batch.baseOffset(view, at)}`);
    const codec = batch.codec(view, at);
    const body = at + batch.HEADER_BYTES;
    const plain =
      codec === batch.CODEC.NONE
        ? undefined
        : memoryOver(decompressRecords(codec, memory, body, sizeBytes - batch.HEADER_BYTES));
    batches.push({
      baseOffset: batch.baseOffset(view, at),
      lastOffset: batch.lastOffset(view, at),
      leaderEpoch: batch.partitionLeaderEpoch(view, at),
      codec,
      sizeBytes,
      records: readRecords(memory, at, plain),
    });
    at += sizeBytes;
  }
  return batches;
}

/** A batch over a record section of one's own making, under a header that fits it. */
export function sealedBatch(section: Uint8Array, options: { codec?: number; count?: number } = {}): Uint8Array {
  const { codec = batch.CODEC.NONE, count = 1 } = options;
  const now = Date.now();
  const pack = { codec: batch.CODEC.GZIP, compress: () => section };
  const made = encodeBatch({ records: [{ timestamp: now, key: null, value: null }], ...pack }, kernels);
  const memory = memoryOver(made);
  const { view } = memory;
  batch.setAttributes(view, 0, (batch.attributes(view, 0) & ~batch.CODEC_MASK) | codec);
  batch.setRecordsCount(view, 0, count);
  batch.setLastOffsetDelta(view, 0, count - 1);
  batch.setCrc(view, 0, kernels.crc32c(memory, batch.ATTRIBUTES_AT, made.length - batch.ATTRIBUTES_AT));
  return made;
}
