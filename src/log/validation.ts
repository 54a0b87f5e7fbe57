/**
 * What a batch must be before it enters a log: the checks Kafka makes of a producer's batch, with Kafka's codes, and one
 * more: offset deltas of uncompressed records are dense, or readers would see offsets twice. The leader's epoch is not
 * looked at: the leader writes it.
 */
import type { Kernels } from '../base/kernels.ts';
import { WALK_NO_KEY, WALK_OK } from '../base/kernels.ts';
import type { Memory } from '../base/memory.ts';
import * as batch from '../wire/batch.ts';
import { ERROR } from '../wire/errors.ts';
import { hasPolicy, type LogConfig } from './config.ts';
import { firstKeyless, firstOutside, RECORD_FAULT } from './record-faults.ts';

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
/** A message of the first format, less its offset and length. */
const OLDEST_BATCH_BYTES = 14;

/** What the last accepted batch needs before it is stored. One for all logs: read it at once. */
export const accepted = {
  sizeBytes: 0,
  maxTimestamp: NO_TIMESTAMP,
  /** Its largest timestamp or its kind must be written into it, and a new CRC. */
  rewrite: false,
};

/** The record that the last refused batch was refused for, -1 where that is not known. One for all logs: read it at once. */
export const refused: { fault: number; record: number } = { fault: RECORD_FAULT.NONE, record: -1 };

/** What is refused from here on is not for the sake of a record. */
export function blameNone(): void {
  refused.fault = RECORD_FAULT.NONE;
  refused.record = -1;
}

function refuse(error: number, fault: number, record: number): number {
  refused.fault = fault;
  refused.record = record;
  return error;
}

/** The frame of one batch: a code, or NONE with `accepted.sizeBytes` set. Its sum is not looked at. */
function checkLayout(view: DataView, offset: number, length: number): number {
  if (length < SMALLEST_BATCH_BYTES) return ERROR.INVALID_RECORD;
  const magic = batch.magic(view, offset);
  // Older formats are known, and not allowed in any version of Produce that is served.
  if (magic === 0 || magic === 1) return ERROR.INVALID_RECORD;
  if (magic !== batch.MAGIC) return ERROR.CORRUPT_MESSAGE;
  const sizeBytes = batch.sizeInBytes(view, offset);
  if (sizeBytes < batch.HEADER_BYTES) return ERROR.CORRUPT_MESSAGE;
  if (sizeBytes > length) return ERROR.INVALID_RECORD;
  accepted.sizeBytes = sizeBytes;
  return ERROR.NONE;
}

function checkSum(kernels: Kernels, memory: Memory, offset: number): number {
  const length = accepted.sizeBytes - batch.ATTRIBUTES_AT;
  const sum = kernels.crc32c(memory, offset + batch.ATTRIBUTES_AT, length);
  return sum === batch.crc(memory.view, offset) ? ERROR.NONE : ERROR.CORRUPT_MESSAGE;
}

/** What lies behind the batch: a second one is refused, the beginning of one is cut off, as Kafka does both. */
function checkBehind(view: DataView, offset: number, length: number): number {
  if (length < batch.LOG_OVERHEAD_BYTES) return ERROR.NONE;
  if (batch.batchLength(view, offset) < OLDEST_BATCH_BYTES) return ERROR.CORRUPT_MESSAGE;
  if (length < SMALLEST_BATCH_BYTES) return ERROR.NONE;
  const magic = batch.magic(view, offset);
  if (magic < 0 || magic > batch.MAGIC) return ERROR.CORRUPT_MESSAGE;
  return batch.sizeInBytes(view, offset) > length ? ERROR.NONE : ERROR.INVALID_RECORD;
}

/** Of one batch all but its records: exactly one, as every served version of Produce demands. */
export function checkHeader(
  kernels: Kernels,
  memory: Memory,
  offset: number,
  length: number,
  config: LogConfig,
  origin: AppendOrigin,
): number {
  const { view } = memory;
  blameNone();
  const layout = checkLayout(view, offset, length);
  if (layout !== ERROR.NONE) return layout;
  const { sizeBytes } = accepted;
  if (sizeBytes < length) {
    const behind = checkBehind(view, offset + sizeBytes, length - sizeBytes);
    if (behind !== ERROR.NONE) return behind;
  }
  if (origin === 'client' && batch.baseOffset(view, offset) !== 0) return ERROR.INVALID_RECORD;
  if (sizeBytes > config.maxMessageBytes) return ERROR.MESSAGE_TOO_LARGE;
  const sum = checkSum(kernels, memory, offset);
  if (sum !== ERROR.NONE) return sum;
  const attributes = batch.attributes(view, offset);
  if ((attributes & batch.CODEC_MASK) > batch.CODEC_LAST) return ERROR.UNSUPPORTED_COMPRESSION_TYPE;
  const count = batch.recordsCount(view, offset);
  if (count <= 0 || batch.lastOffsetDelta(view, offset) !== count - 1) return ERROR.INVALID_RECORD;
  const producerId = batch.producerId(view, offset);
  if (producerId > Number.MAX_SAFE_INTEGER) return ERROR.INVALID_RECORD;
  if (origin !== 'client') return ERROR.NONE;
  if ((attributes & batch.CONTROL_BIT) !== 0) return ERROR.INVALID_RECORD;
  if (producerId >= 0 && batch.baseSequence(view, offset) < 0) return ERROR.INVALID_RECORD;
  // No request carries a transactional id that is allowed: there is no coordinator that could allow it.
  if ((attributes & batch.TRANSACTIONAL_BIT) !== 0) return ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  if ((attributes & batch.LOG_APPEND_TIME_BIT) !== 0 && config.timestampType === 'LogAppendTime') {
    return refuse(ERROR.INVALID_TIMESTAMP, RECORD_FAULT.TIMESTAMP_TYPE, 0);
  }
  return ERROR.NONE;
}

/** One batch that a leader is about to append. */
export function checkAppend(
  kernels: Kernels,
  memory: Memory,
  offset: number,
  length: number,
  config: LogConfig,
  now: number,
  origin: AppendOrigin,
): number {
  const header = checkHeader(kernels, memory, offset, length, config, origin);
  if (header !== ERROR.NONE) return header;
  if (accepted.sizeBytes > config.segmentBytes) return ERROR.RECORD_LIST_TOO_LARGE;
  return checkRecords(kernels, memory, offset, config, now);
}

function recordsOf(memory: Memory, offset: number): Uint8Array {
  return memory.bytes.subarray(offset + batch.HEADER_BYTES, offset + accepted.sizeBytes);
}

function checkRecords(kernels: Kernels, memory: Memory, offset: number, config: LogConfig, now: number): number {
  const { view } = memory;
  const attributes = batch.attributes(view, offset);
  // Of a batch that says so each record has the batch's largest timestamp.
  const stamped = (attributes & batch.LOG_APPEND_TIME_BIT) !== 0;
  const stated = batch.maxTimestamp(view, offset);
  let newest = stated;
  if ((attributes & batch.CODEC_MASK) === batch.CODEC.NONE) {
    const records = offset + batch.HEADER_BYTES;
    const bytes = accepted.sizeBytes - batch.HEADER_BYTES;
    const needKeys = config.cleanupPolicy !== 'delete' && hasPolicy(config, 'compact');
    const found = kernels.walkRecords(memory, records, bytes, batch.recordsCount(view, offset), needKeys);
    if (found === WALK_NO_KEY) {
      return refuse(ERROR.INVALID_RECORD, RECORD_FAULT.NO_KEY, firstKeyless(recordsOf(memory, offset)));
    }
    if (found !== WALK_OK) return ERROR.INVALID_RECORD;
    // What lies before 1970 is no timestamp in a header.
    if (!stamped) newest = Math.max(NO_TIMESTAMP, batch.baseTimestamp(view, offset) + kernels.walk.maxTimestampDelta);
  }
  if (config.timestampType === 'LogAppendTime') {
    accepted.maxTimestamp = now;
    accepted.rewrite = true;
    return ERROR.NONE;
  }
  accepted.maxTimestamp = newest;
  accepted.rewrite = newest !== stated || stamped;
  if (!Number.isSafeInteger(newest)) return ERROR.INVALID_TIMESTAMP;
  const ahead = newest !== NO_TIMESTAMP && newest - now > config.timestampAfterMaxMs;
  if (!ahead && config.timestampBeforeMaxMs >= now) return ERROR.NONE;
  return checkTimestamps(memory, offset, attributes, newest, config, now);
}

/** Walks the records a second time, which only a limit on age asks for, and a batch that is to be refused. */
function checkTimestamps(
  memory: Memory,
  offset: number,
  attributes: number,
  newest: number,
  config: LogConfig,
  now: number,
): number {
  const first = now - config.timestampBeforeMaxMs;
  const last = now + config.timestampAfterMaxMs;
  const base = batch.baseTimestamp(memory.view, offset);
  const stamped = (attributes & batch.LOG_APPEND_TIME_BIT) !== 0;
  if (!stamped && (attributes & batch.CODEC_MASK) === batch.CODEC.NONE) {
    const record = firstOutside(recordsOf(memory, offset), base, first, last);
    if (record < 0) return ERROR.NONE;
    return refuse(ERROR.INVALID_TIMESTAMP, RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE, record);
  }
  const oldest = stamped ? newest : base;
  const within = newest <= last && (oldest === NO_TIMESTAMP || oldest >= first);
  return within ? ERROR.NONE : refuse(ERROR.INVALID_TIMESTAMP, RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE, stamped ? 0 : -1);
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
  } else {
    batch.setAttributes(view, offset, batch.attributes(view, offset) & ~batch.LOG_APPEND_TIME_BIT);
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
    const layout = checkLayout(view, at, end - at);
    if (layout !== ERROR.NONE) return -layout;
    const sum = checkSum(kernels, memory, at);
    if (sum !== ERROR.NONE) return -sum;
    if (accepted.sizeBytes > segmentBytes) return -ERROR.RECORD_LIST_TOO_LARGE;
    if (batch.lastOffsetDelta(view, at) < 0) return -ERROR.INVALID_RECORD;
    if (batch.baseOffset(view, at) < expected) return -ERROR.OFFSET_OUT_OF_RANGE;
    expected = batch.nextOffset(view, at);
    at += accepted.sizeBytes;
  }
  return at - offset;
}
