/**
 * What a batch must be before it enters a log: the checks Kafka makes of a producer's batch, with Kafka's codes. Offsets
 * and leader epoch in the batch are not looked at: the leader writes them.
 */
import type { Kernels } from '../base/kernels.ts';
import { WALK_OK } from '../base/kernels.ts';
import type { Memory } from '../base/memory.ts';
import * as batch from '../wire/batch.ts';
import { ERROR } from '../wire/errors.ts';
import { hasPolicy, type LogConfig } from './config.ts';
import { RecordWalk } from './record-walk.ts';

/** Who appends: a producer, this broker's own coordinators, or a follower that copies what its leader has. */
export type AppendOrigin = 'client' | 'coordinator' | 'replica';

export interface AppendResult {
  errorCode: number;
  /** Of the batch, or of the one that it repeats. */
  baseOffset: number;
  /** The next offset after it. */
  endOffset: number;
  /** -1 where the records keep the producer's timestamps. */
  logAppendTime: number;
  /** The records were in the log before; nothing was appended. */
  duplicate: boolean;
}

const NO_TIMESTAMP = -1;
const SMALLEST_BATCH_BYTES = batch.MAGIC_AT + 1;

/** What the last accepted batch needs before it is stored. One for all logs: read it at once. */
export const accepted = {
  sizeBytes: 0,
  maxTimestamp: NO_TIMESTAMP,
  /** Its largest timestamp or its kind must be written into it, and a new CRC. */
  rewrite: false,
};

/** The frame of one batch: a code, or NONE with `accepted.sizeBytes` set. */
function checkFrame(memory: Memory, offset: number, length: number, kernels: Kernels): number {
  const { view } = memory;
  if (length < SMALLEST_BATCH_BYTES) return ERROR.INVALID_RECORD;
  const magic = batch.magic(view, offset);
  // Older formats are known, and not allowed in any version of Produce that is served.
  if (magic === 0 || magic === 1) return ERROR.INVALID_RECORD;
  if (magic !== batch.MAGIC) return ERROR.CORRUPT_MESSAGE;
  const sizeBytes = batch.sizeInBytes(view, offset);
  if (sizeBytes < batch.HEADER_BYTES) return ERROR.CORRUPT_MESSAGE;
  if (sizeBytes > length) return ERROR.INVALID_RECORD;
  accepted.sizeBytes = sizeBytes;
  const crcLength = sizeBytes - batch.ATTRIBUTES_AT;
  if (kernels.crc32c(memory, offset + batch.ATTRIBUTES_AT, crcLength) !== batch.crc(view, offset)) {
    return ERROR.CORRUPT_MESSAGE;
  }
  return ERROR.NONE;
}

/** One batch that a leader is about to append: exactly one, as every served version of Produce demands. */
export function checkAppend(
  kernels: Kernels,
  memory: Memory,
  offset: number,
  length: number,
  config: LogConfig,
  now: number,
  origin: AppendOrigin,
): number {
  const { view } = memory;
  if (length >= batch.HEADER_BYTES) {
    const sizeBytes = batch.sizeInBytes(view, offset);
    if (sizeBytes <= length && sizeBytes > config.maxMessageBytes) return ERROR.MESSAGE_TOO_LARGE;
    if (sizeBytes <= length && sizeBytes > config.segmentBytes) return ERROR.RECORD_LIST_TOO_LARGE;
  }
  const frame = checkFrame(memory, offset, length, kernels);
  if (frame !== ERROR.NONE) return frame;
  if (accepted.sizeBytes !== length) return ERROR.INVALID_RECORD;
  const attributes = batch.attributes(view, offset);
  if ((attributes & batch.CODEC_MASK) > batch.CODEC_LAST) return ERROR.UNSUPPORTED_COMPRESSION_TYPE;
  const count = batch.recordsCount(view, offset);
  if (count <= 0 || batch.lastOffsetDelta(view, offset) !== count - 1) return ERROR.INVALID_RECORD;
  const producerId = batch.producerId(view, offset);
  if (producerId > Number.MAX_SAFE_INTEGER) return ERROR.INVALID_RECORD;
  if (origin === 'client') {
    if ((attributes & batch.CONTROL_BIT) !== 0) return ERROR.INVALID_RECORD;
    if (producerId >= 0 && batch.baseSequence(view, offset) < 0) return ERROR.INVALID_RECORD;
    // Nobody has opened a transaction: there is no coordinator that could.
    if ((attributes & batch.TRANSACTIONAL_BIT) !== 0) return ERROR.INVALID_TXN_STATE;
    if ((attributes & batch.LOG_APPEND_TIME_BIT) !== 0) return ERROR.INVALID_TIMESTAMP;
  }
  return checkRecords(kernels, memory, offset, attributes, count, config, now);
}

function checkRecords(
  kernels: Kernels,
  memory: Memory,
  offset: number,
  attributes: number,
  count: number,
  config: LogConfig,
  now: number,
): number {
  const { view } = memory;
  const records = offset + batch.HEADER_BYTES;
  const recordsBytes = accepted.sizeBytes - batch.HEADER_BYTES;
  const stated = batch.maxTimestamp(view, offset);
  let newest = stated;
  if ((attributes & batch.CODEC_MASK) === batch.CODEC.NONE) {
    const needKeys = config.cleanupPolicy !== 'delete' && hasPolicy(config, 'compact');
    if (kernels.walkRecords(memory, records, recordsBytes, count, needKeys) !== WALK_OK) return ERROR.INVALID_RECORD;
    newest = batch.baseTimestamp(view, offset) + kernels.walk.maxTimestampDelta;
  }
  if (config.timestampType === 'LogAppendTime') {
    accepted.maxTimestamp = now;
    accepted.rewrite = true;
    return ERROR.NONE;
  }
  accepted.maxTimestamp = newest;
  accepted.rewrite = newest !== stated;
  if (!Number.isSafeInteger(newest)) return ERROR.INVALID_TIMESTAMP;
  if (newest !== NO_TIMESTAMP && newest - now > config.timestampAfterMaxMs) return ERROR.INVALID_TIMESTAMP;
  if (config.timestampBeforeMaxMs < now && oldest(memory, offset, attributes) < now - config.timestampBeforeMaxMs) {
    return ERROR.INVALID_TIMESTAMP;
  }
  return ERROR.NONE;
}

/** The smallest timestamp that a record has. Walks the records a second time, which only a limit on age asks for. */
function oldest(memory: Memory, offset: number, attributes: number): number {
  const { view } = memory;
  const base = batch.baseTimestamp(view, offset);
  if ((attributes & batch.CODEC_MASK) !== batch.CODEC.NONE)
    return base === NO_TIMESTAMP ? Number.POSITIVE_INFINITY : base;
  let found = Number.POSITIVE_INFINITY;
  const end = offset + accepted.sizeBytes;
  for (const walk = new RecordWalk(memory.bytes.subarray(offset + batch.HEADER_BYTES, end)); walk.next(); ) {
    const timestamp = base + walk.timestampDelta;
    if (timestamp !== NO_TIMESTAMP && timestamp < found) found = timestamp;
  }
  return found;
}

/** Writes what `accepted` says and what the leader decides. Base offset and epoch lie outside of the CRC. */
export function stamp(
  kernels: Kernels,
  memory: Memory,
  offset: number,
  baseOffset: number,
  leaderEpoch: number,
  config: LogConfig,
): void {
  const { view } = memory;
  batch.setBaseOffset(view, offset, baseOffset);
  batch.setPartitionLeaderEpoch(view, offset, leaderEpoch);
  if (!accepted.rewrite) return;
  if (config.timestampType === 'LogAppendTime') {
    batch.setAttributes(view, offset, batch.attributes(view, offset) | batch.LOG_APPEND_TIME_BIT);
  }
  batch.setMaxTimestamp(view, offset, accepted.maxTimestamp);
  const crcLength = accepted.sizeBytes - batch.ATTRIBUTES_AT;
  batch.setCrc(view, offset, kernels.crc32c(memory, offset + batch.ATTRIBUTES_AT, crcLength));
}

/**
 * The batches a follower got from its leader: whole ones, rising from `nextOffset` on. How many bytes of the section are
 * good in that sense; a cut batch at the end is none of them. A negative number is an error code, negated.
 */
export function checkReplicated(
  kernels: Kernels,
  memory: Memory,
  offset: number,
  length: number,
  nextOffset: number,
  segmentBytes: number,
): number {
  const { view } = memory;
  let expected = nextOffset;
  let at = offset;
  const end = offset + length;
  while (end - at >= batch.HEADER_BYTES && batch.sizeInBytes(view, at) <= end - at) {
    const frame = checkFrame(memory, at, end - at, kernels);
    if (frame !== ERROR.NONE) return -frame;
    if (accepted.sizeBytes > segmentBytes) return -ERROR.RECORD_LIST_TOO_LARGE;
    if (batch.lastOffsetDelta(view, at) < 0) return -ERROR.INVALID_RECORD;
    if (batch.baseOffset(view, at) < expected) return -ERROR.OFFSET_OUT_OF_RANGE;
    expected = batch.nextOffset(view, at);
    at += accepted.sizeBytes;
  }
  return at - offset;
}
