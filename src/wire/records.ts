/**
 * The records within a batch v2, one by one, for tools, tests and clients; the broker's own path never takes a batch apart.
 *
 *   length varint | attributes int8 (0) | timestamp delta varlong | offset delta varint |
 *   key length varint (-1: null), key | value length varint (-1: null), value |
 *   headers count varint, each: key length varint, key | value length varint (-1: null), value
 */
import { assert } from '../base/assert.ts';
import type { Kernels } from '../base/kernels.ts';
import { type Memory, memoryOver } from '../base/memory.ts';
import * as batch from './batch.ts';
import { Reader } from './reader.ts';
import { sizeOfVarint, sizeOfVarlong } from './varint.ts';
import { Writer } from './writer.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface BatchRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** Length, attributes, two deltas, two lengths and the headers count. */
const RECORD_BYTES_MIN = 7;
/** The lengths of a header's key and value. */
const HEADER_BYTES_MIN = 2;

/**
 * All records of the batch at `offset`. Of a compressed batch the caller hands in what the records decompress to.
 * Throws WireError when header and records do not fit each other.
 */
export function readRecords(memory: Memory, offset: number, decompressed?: Memory): BatchRecord[] {
  const { view } = memory;
  const reader = new Reader();
  reader.reset(memory, offset, memory.bytes.length);
  if (reader.remaining < batch.HEADER_BYTES) reader.fail('batch', 'no room for a header');
  const size = batch.sizeInBytes(view, offset);
  if (size < batch.HEADER_BYTES || size > reader.remaining) reader.fail('batch', `size of ${size} bytes`);
  if (batch.magic(view, offset) !== batch.MAGIC) reader.fail('batch', `magic ${batch.magic(view, offset)}`);
  if (decompressed !== undefined) {
    reader.reset(decompressed, 0, decompressed.bytes.length);
  } else {
    if (batch.codec(view, offset) !== batch.CODEC.NONE) reader.fail('batch', 'compressed records');
    reader.reset(memory, offset + batch.HEADER_BYTES, offset + size);
  }
  const count = batch.recordsCount(view, offset);
  if (count < 0 || count * RECORD_BYTES_MIN > reader.remaining) reader.fail('batch', `${count} records announced`);
  const appendTime = batch.isLogAppendTime(view, offset) ? batch.maxTimestamp(view, offset) : null;
  const records: BatchRecord[] = [];
  for (let i = 0; i < count; i++) {
    records.push(readRecord(reader, batch.baseOffset(view, offset), batch.baseTimestamp(view, offset), appendTime));
  }
  reader.expectEnd('batch');
  return records;
}

function readRecord(reader: Reader, baseOffset: number, baseTimestamp: number, appendTime: number | null): BatchRecord {
  const length = reader.varint('record.length');
  if (length < 0 || length > reader.remaining) reader.fail('record.length', `${length} bytes announced`);
  const end = reader.offset + length;
  reader.int8('record.attributes');
  const timestamp = baseTimestamp + reader.varlong('record.timestampDelta');
  const offset = baseOffset + reader.varint('record.offsetDelta');
  const key = nullableBytes(reader, 'record.key');
  const value = nullableBytes(reader, 'record.value');
  const count = reader.varint('record.headers');
  if (count < 0 || count * HEADER_BYTES_MIN > reader.remaining) {
    reader.fail('record.headers', `${count} headers announced`);
  }
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.text(reader.varint('record.headers.key'), 'record.headers.key');
    if (name === null) reader.refuseNull('record.headers.key');
    else headers.push({ key: name, value: nullableBytes(reader, 'record.headers.value') });
  }
  if (reader.offset !== end) reader.fail('record.length', `record ends ${end - reader.offset} bytes off`);
  return { offset, timestamp: appendTime ?? timestamp, key, value, headers };
}

function nullableBytes(reader: Reader, field: string): Uint8Array | null {
  const length = reader.varint(field);
  if (length < -1) reader.fail(field, `negative length ${length}`);
  return length === -1 ? null : reader.copy(length, field);
}

export interface NewRecord {
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
}

export interface NewBatch {
  /** At least one. */
  readonly records: readonly NewRecord[];
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** When given, the batch says log append time and this is it. */
  readonly logAppendTimeMs?: number;
  /** Number and function of the compression of the records as a whole. */
  readonly codec?: number;
  readonly compress?: (records: Uint8Array) => Uint8Array;
}

/** A batch as a producer makes it. */
export function encodeBatch(spec: NewBatch, kernels: Pick<Kernels, 'crc32c'>): Uint8Array {
  const { records } = spec;
  const first = records[0];
  assert(first !== undefined, 'a batch of no records');
  let maxTimestamp = first.timestamp;
  const writer = new Writer();
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as NewRecord;
    maxTimestamp = Math.max(maxTimestamp, record.timestamp);
    writeRecord(writer, record, record.timestamp - first.timestamp, i);
  }
  const plain = writer.memory.bytes.subarray(0, writer.writtenBytes);
  const payload = spec.compress === undefined ? plain : spec.compress(plain);
  const bytes = new Uint8Array(batch.HEADER_BYTES + payload.length);
  bytes.set(payload, batch.HEADER_BYTES);
  const memory = memoryOver(bytes);
  const { view } = memory;
  batch.setBaseOffset(view, 0, spec.baseOffset ?? 0);
  batch.setBatchLength(view, 0, bytes.length - batch.LOG_OVERHEAD_BYTES);
  batch.setPartitionLeaderEpoch(view, 0, spec.partitionLeaderEpoch ?? -1);
  batch.setMagic(view, 0, batch.MAGIC);
  batch.setAttributes(view, 0, attributesOf(spec));
  batch.setLastOffsetDelta(view, 0, records.length - 1);
  batch.setBaseTimestamp(view, 0, first.timestamp);
  batch.setMaxTimestamp(view, 0, spec.logAppendTimeMs ?? maxTimestamp);
  batch.setProducerId(view, 0, spec.producerId ?? batch.NO_PRODUCER_ID);
  batch.setProducerEpoch(view, 0, spec.producerEpoch ?? batch.NO_PRODUCER_EPOCH);
  batch.setBaseSequence(view, 0, spec.baseSequence ?? batch.NO_SEQUENCE);
  batch.setRecordsCount(view, 0, records.length);
  batch.setCrc(view, 0, kernels.crc32c(memory, batch.ATTRIBUTES_AT, bytes.length - batch.ATTRIBUTES_AT));
  return bytes;
}

function attributesOf(spec: NewBatch): number {
  let bits = spec.codec ?? batch.CODEC.NONE;
  if (spec.logAppendTimeMs !== undefined) bits |= batch.LOG_APPEND_TIME_BIT;
  if (spec.transactional === true) bits |= batch.TRANSACTIONAL_BIT;
  if (spec.control === true) bits |= batch.CONTROL_BIT;
  return bits;
}

const UTF8 = new TextEncoder();
const NO_HEADERS: readonly RecordHeader[] = [];

function writeRecord(writer: Writer, record: NewRecord, timestampDelta: number, offsetDelta: number): void {
  const headers = record.headers ?? NO_HEADERS;
  const names = headers.map((header) => UTF8.encode(header.key));
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + sizeOfVarint(headers.length);
  size += sizeOfNullable(record.key) + sizeOfNullable(record.value);
  for (let i = 0; i < headers.length; i++) {
    size += sizeOfNullable(names[i] as Uint8Array) + sizeOfNullable((headers[i] as RecordHeader).value);
  }
  writer.varint(size);
  writer.int8(0, 'record.attributes');
  writer.varlong(timestampDelta);
  writer.varint(offsetDelta);
  writeNullable(writer, record.key);
  writeNullable(writer, record.value);
  writer.varint(headers.length);
  for (let i = 0; i < headers.length; i++) {
    writeNullable(writer, names[i] as Uint8Array);
    writeNullable(writer, (headers[i] as RecordHeader).value);
  }
}

function sizeOfNullable(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length;
}

function writeNullable(writer: Writer, bytes: Uint8Array | null): void {
  writer.varint(bytes === null ? -1 : bytes.length);
  if (bytes !== null) writer.raw(bytes);
}
