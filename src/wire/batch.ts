/**
 * The header of a record batch v2, read and written in place over a DataView. `offset` is always the first byte of the batch.
 *
 *    0  baseOffset            int64   stamped by the leader, outside of the CRC
 *    8  batchLength           int32   bytes after this field
 *   12  partitionLeaderEpoch  int32   stamped by the leader, outside of the CRC
 *   16  magic                 int8    2
 *   17  crc                   uint32  CRC-32C of everything from attributes to the end of the batch
 *   21  attributes            int16   bits 0-2 codec | 3 log append time | 4 transactional | 5 control | 6 delete horizon
 *   23  lastOffsetDelta       int32   kept by compaction, so it may be larger than recordsCount - 1
 *   27  baseTimestamp         int64   the delete horizon, where that bit is set
 *   35  maxTimestamp          int64
 *   43  producerId            int64   -1 without idempotence
 *   51  producerEpoch         int16
 *   53  baseSequence          int32
 *   57  recordsCount          int32
 *   61  records, compressed as a whole
 *
 * Nothing is checked here: a caller looks at `remaining >= HEADER_BYTES` and `sizeInBytes` before it believes the rest.
 * Timestamps and ids beyond 2^53 come out rounded.
 */
export const BASE_OFFSET_AT = 0;
export const LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORDS_COUNT_AT = 57;
export const HEADER_BYTES = 61;

/** Base offset and length: what has to be there before the size of the batch is known. */
export const LOG_OVERHEAD_BYTES = 12;
export const MAGIC = 2;

export const CODEC_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

export const CODEC = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const;
export const CODEC_LAST = CODEC.ZSTD;

export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_TIMESTAMP = -1;

function int64(view: DataView, at: number): number {
  return view.getInt32(at) * 0x100000000 + view.getUint32(at + 4);
}

function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 0x100000000));
  view.setInt32(at + 4, value | 0);
}

export function baseOffset(view: DataView, offset: number): number {
  return int64(view, offset + BASE_OFFSET_AT);
}

export function setBaseOffset(view: DataView, offset: number, value: number): void {
  setInt64(view, offset + BASE_OFFSET_AT, value);
}

/** The length field as it stands: bytes after it. */
export function batchLength(view: DataView, offset: number): number {
  return view.getInt32(offset + LENGTH_AT);
}

export function setBatchLength(view: DataView, offset: number, value: number): void {
  view.setInt32(offset + LENGTH_AT, value);
}

/** The whole batch, header included; less than HEADER_BYTES when the length field lies. */
export function sizeInBytes(view: DataView, offset: number): number {
  return view.getInt32(offset + LENGTH_AT) + LOG_OVERHEAD_BYTES;
}

export function partitionLeaderEpoch(view: DataView, offset: number): number {
  return view.getInt32(offset + LEADER_EPOCH_AT);
}

export function setPartitionLeaderEpoch(view: DataView, offset: number, value: number): void {
  view.setInt32(offset + LEADER_EPOCH_AT, value);
}

export function magic(view: DataView, offset: number): number {
  return view.getInt8(offset + MAGIC_AT);
}

export function setMagic(view: DataView, offset: number, value: number): void {
  view.setInt8(offset + MAGIC_AT, value);
}

export function crc(view: DataView, offset: number): number {
  return view.getUint32(offset + CRC_AT);
}

export function setCrc(view: DataView, offset: number, value: number): void {
  view.setUint32(offset + CRC_AT, value);
}

export function attributes(view: DataView, offset: number): number {
  return view.getInt16(offset + ATTRIBUTES_AT);
}

export function setAttributes(view: DataView, offset: number, value: number): void {
  view.setInt16(offset + ATTRIBUTES_AT, value);
}

/** The bits themselves: 5, 6 and 7 are no codecs. */
export function codec(view: DataView, offset: number): number {
  return view.getInt16(offset + ATTRIBUTES_AT) & CODEC_MASK;
}

export function isLogAppendTime(view: DataView, offset: number): boolean {
  return (view.getInt16(offset + ATTRIBUTES_AT) & LOG_APPEND_TIME_BIT) !== 0;
}

export function isTransactional(view: DataView, offset: number): boolean {
  return (view.getInt16(offset + ATTRIBUTES_AT) & TRANSACTIONAL_BIT) !== 0;
}

export function isControl(view: DataView, offset: number): boolean {
  return (view.getInt16(offset + ATTRIBUTES_AT) & CONTROL_BIT) !== 0;
}

export function hasDeleteHorizon(view: DataView, offset: number): boolean {
  return (view.getInt16(offset + ATTRIBUTES_AT) & DELETE_HORIZON_BIT) !== 0;
}

export function lastOffsetDelta(view: DataView, offset: number): number {
  return view.getInt32(offset + LAST_OFFSET_DELTA_AT);
}

export function setLastOffsetDelta(view: DataView, offset: number, value: number): void {
  view.setInt32(offset + LAST_OFFSET_DELTA_AT, value);
}

export function lastOffset(view: DataView, offset: number): number {
  return baseOffset(view, offset) + lastOffsetDelta(view, offset);
}

export function nextOffset(view: DataView, offset: number): number {
  return lastOffset(view, offset) + 1;
}

export function baseTimestamp(view: DataView, offset: number): number {
  return int64(view, offset + BASE_TIMESTAMP_AT);
}

export function setBaseTimestamp(view: DataView, offset: number, value: number): void {
  setInt64(view, offset + BASE_TIMESTAMP_AT, value);
}

export function maxTimestamp(view: DataView, offset: number): number {
  return int64(view, offset + MAX_TIMESTAMP_AT);
}

export function setMaxTimestamp(view: DataView, offset: number, value: number): void {
  setInt64(view, offset + MAX_TIMESTAMP_AT, value);
}

export function producerId(view: DataView, offset: number): number {
  return int64(view, offset + PRODUCER_ID_AT);
}

export function setProducerId(view: DataView, offset: number, value: number): void {
  setInt64(view, offset + PRODUCER_ID_AT, value);
}

export function producerEpoch(view: DataView, offset: number): number {
  return view.getInt16(offset + PRODUCER_EPOCH_AT);
}

export function setProducerEpoch(view: DataView, offset: number, value: number): void {
  view.setInt16(offset + PRODUCER_EPOCH_AT, value);
}

export function baseSequence(view: DataView, offset: number): number {
  return view.getInt32(offset + BASE_SEQUENCE_AT);
}

export function setBaseSequence(view: DataView, offset: number, value: number): void {
  view.setInt32(offset + BASE_SEQUENCE_AT, value);
}

export function recordsCount(view: DataView, offset: number): number {
  return view.getInt32(offset + RECORDS_COUNT_AT);
}

export function setRecordsCount(view: DataView, offset: number, value: number): void {
  view.setInt32(offset + RECORDS_COUNT_AT, value);
}
