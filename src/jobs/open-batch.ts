/**
 * A job: opens a batch where it was received, checks its records one by one, and makes a new batch of them where the topic
 * stores another compression. What its header says of the producer stays; offset and leader epoch are the leader's to write.
 */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { WALK_BAD_OFFSET_DELTA, WALK_NO_KEY, WALK_OK } from '../base/kernels.ts';
import { type Memory, memoryOver } from '../base/memory.ts';
import { PortableKernels } from '../base/portable-kernels.ts';
import type { OpenedBatch, Opening } from '../log/admission.ts';
import { firstKeyless, firstOutside, outside, RECORD_FAULT } from '../log/record-faults.ts';
import * as batch from '../wire/batch.ts';
import { compress } from '../wire/compression.ts';
import { CompressionError } from '../wire/compression-error.ts';
import { decompressRecords } from '../wire/decompress-batch.ts';
import { ERROR } from '../wire/errors.ts';
import { WireError } from '../wire/wire-error.ts';
import { renumbered } from './renumber.ts';

export interface OpenBatch {
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
  readonly opening: Opening;
}

/** Records as they are before compression, and the time that their deltas count from. */
interface Plain {
  readonly records: Memory;
  readonly baseTimestamp: number;
}

/** Moves the bytes to whoever asked: nobody else holds them then. */
class Moved {
  readonly [transferableSymbol]: readonly ArrayBuffer[];
  readonly [valueSymbol]: OpenedBatch;

  constructor(opened: OpenedBatch, bytes: ArrayBuffer) {
    this[transferableSymbol] = [bytes];
    this[valueSymbol] = opened;
  }
}

const GOOD: OpenedBatch = { error: ERROR.NONE, fault: RECORD_FAULT.NONE, record: -1, bytes: null };

const kernels = new PortableKernels();

function refusal(error: number, fault: number = RECORD_FAULT.NONE, record = -1): OpenedBatch {
  return { error, fault, record, bytes: null };
}

/** What the codec makes of bytes that it cannot take, as an error code. */
function orError<T>(error: number, work: () => T): T | number {
  try {
    return work();
  } catch (problem) {
    if (problem instanceof CompressionError || problem instanceof WireError) return error;
    throw problem;
  }
}

export function openBatch({ memory, offset, length, opening }: OpenBatch): OpenedBatch {
  const received = memoryOver(new Uint8Array(memory));
  const { view } = received;
  const from = batch.codec(view, offset);
  const sectionBytes = length - batch.HEADER_BYTES;
  const opened = orError(ERROR.CORRUPT_MESSAGE, () =>
    from === batch.CODEC.NONE
      ? new Uint8Array(received.bytes.subarray(offset + batch.HEADER_BYTES, offset + length))
      : decompressRecords(from, received, offset + batch.HEADER_BYTES, sectionBytes),
  );
  if (typeof opened === 'number') return refusal(opened);
  let plain: Plain = { records: memoryOver(opened), baseTimestamp: batch.baseTimestamp(view, offset) };
  const count = batch.recordsCount(view, offset);
  let found = walk(plain, count, opening);
  if (found === WALK_BAD_OFFSET_DELTA && opening.codec !== from) {
    const records = orError(ERROR.INVALID_RECORD, () => renumbered(plain.records, count, kernels));
    if (typeof records === 'number') return refusal(records);
    plain = { ...plain, records };
    found = walk(plain, count, opening);
  }
  if (found === WALK_NO_KEY) {
    return refusal(ERROR.INVALID_RECORD, RECORD_FAULT.NO_KEY, firstKeyless(plain.records.bytes));
  }
  if (found !== WALK_OK) return refusal(ERROR.INVALID_RECORD);
  const stamped = batch.isLogAppendTime(view, offset);
  const stated = batch.maxTimestamp(view, offset);
  const walked = Math.max(batch.NO_TIMESTAMP, plain.baseTimestamp + kernels.walk.maxTimestampDelta);
  const newest = stamped ? stated : walked;
  const late = untimely(plain, stamped, newest, opening);
  if (late >= 0) return refusal(ERROR.INVALID_TIMESTAMP, RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE, late);
  if (from === opening.codec && newest === stated) return GOOD;
  const packed = orError(ERROR.UNSUPPORTED_COMPRESSION_TYPE, () => pack(plain.records.bytes, opening));
  if (typeof packed === 'number') return refusal(packed);
  if (batch.HEADER_BYTES + packed.length > opening.bytesMax) return refusal(ERROR.MESSAGE_TOO_LARGE);
  return { ...GOOD, bytes: newBatch(received, offset, packed, opening.codec, plain.baseTimestamp, newest) };
}

export default function job(asked: OpenBatch): unknown {
  const opened = openBatch(asked);
  return opened.bytes === null ? opened : move(new Moved(opened, opened.bytes));
}

function walk({ records }: Plain, count: number, { needKeys }: Opening): number {
  return kernels.walkRecords(records, 0, records.bytes.length, count, needKeys);
}

/** The first record whose timestamp is not allowed; -1 when all are. */
function untimely(plain: Plain, stamped: boolean, newest: number, { timestamps }: Opening): number {
  if (timestamps === null) return -1;
  if (stamped) return outside(newest, timestamps.oldest, timestamps.newest) ? 0 : -1;
  return firstOutside(plain.records.bytes, plain.baseTimestamp, timestamps.oldest, timestamps.newest);
}

function pack(records: Uint8Array, { codec, level }: Opening): Uint8Array {
  return codec === batch.CODEC.NONE ? records : compress(codec, records, level);
}

function newBatch(
  received: Memory,
  offset: number,
  packed: Uint8Array,
  codec: number,
  baseTimestamp: number,
  maxTimestamp: number,
): ArrayBuffer {
  const made = memoryOver(new Uint8Array(batch.HEADER_BYTES + packed.length));
  const { view } = made;
  kernels.move(made, 0, received, offset, batch.HEADER_BYTES);
  kernels.move(made, batch.HEADER_BYTES, memoryOver(packed), 0, packed.length);
  const size = made.bytes.length;
  batch.setBatchLength(view, 0, size - batch.LOG_OVERHEAD_BYTES);
  batch.setAttributes(view, 0, (batch.attributes(view, 0) & ~batch.CODEC_MASK) | codec);
  batch.setBaseTimestamp(view, 0, baseTimestamp);
  batch.setMaxTimestamp(view, 0, maxTimestamp);
  batch.setCrc(view, 0, kernels.crc32c(made, batch.ATTRIBUTES_AT, size - batch.ATTRIBUTES_AT));
  return made.bytes.buffer as ArrayBuffer;
}
