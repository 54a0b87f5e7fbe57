/**
 * Goes through the batches of a log file from header to header, reading through the scratch memory. Knows nothing of
 * indexes; what it says of a batch holds until the next `next`. Lengths are believed only when they fit the range.
 */
import * as batch from '../wire/batch.ts';
import type { LogEnvironment } from './environment.ts';
import type { CachedFile } from './files.ts';

/** The range is through. */
export const SCAN_END = 0;
export const SCAN_BATCH = 1;
/** What stands at `position` is no batch of format 2, or one that does not fit the range. */
export const SCAN_TORN = 2;

/** Where a few batch headers are wanted: less than a page of page cache is read in vain. */
export const LOOKUP_WINDOW_BYTES = 4_096;
/** The scratch memory's end belongs to index entries. */
const RESERVED_BYTES = 16;

/** Messages of formats 0 and 1: crc uint32 over all that follows it, magic int8, attributes int8, key, value ... */
const OLDER_CRC_AT = 12;
const OLDER_BYTES_MIN = 14;

/** The CRC of those formats, bit by bit: asked for once, before a log is refused. */
function crc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let at = start; at < end; at++) {
    crc ^= bytes[at] as number;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

export class BatchScan {
  readonly #environment: LogEnvironment;
  readonly #file: CachedFile;
  readonly #end: number;
  #windowBytes: number;
  readonly #windowBytesMax: number;
  /** The part of the file that the scratch memory holds. */
  #windowStart = 0;
  #windowEnd = 0;
  #next: number;

  position = 0;
  sizeBytes = 0;
  baseOffset = 0;
  lastOffset = 0;
  leaderEpoch = 0;
  magic = 0;
  attributes = 0;
  baseTimestamp = 0;
  maxTimestamp = 0;
  producerId = 0;
  producerEpoch = 0;
  baseSequence = 0;
  recordsCount = 0;
  #crc = 0;

  /** With `grows` the window becomes larger where batches lie so close that much of it is used. */
  constructor(
    environment: LogEnvironment,
    file: CachedFile,
    position: number,
    end: number,
    windowBytes?: number,
    grows = false,
  ) {
    this.#environment = environment;
    this.#file = file;
    this.#next = position;
    this.#end = end;
    const max = environment.scratch.bytes.length - RESERVED_BYTES;
    this.#windowBytes = Math.min(windowBytes ?? max, max);
    this.#windowBytesMax = grows ? max : this.#windowBytes;
  }

  next(): number {
    const position = this.#next;
    this.position = position;
    this.sizeBytes = 0;
    const left = this.#end - position;
    if (left <= 0) return SCAN_END;
    if (left < batch.LOG_OVERHEAD_BYTES + 5 || !this.#need(position, Math.min(left, batch.HEADER_BYTES)))
      return SCAN_TORN;
    const { view } = this.#environment.scratch;
    const at = position - this.#windowStart;
    this.sizeBytes = batch.sizeInBytes(view, at);
    this.magic = batch.magic(view, at);
    if (left < batch.HEADER_BYTES || this.sizeBytes < batch.HEADER_BYTES || this.sizeBytes > left) return SCAN_TORN;
    if (this.magic !== batch.MAGIC) return SCAN_TORN;
    this.baseOffset = batch.baseOffset(view, at);
    this.lastOffset = batch.lastOffset(view, at);
    this.leaderEpoch = batch.partitionLeaderEpoch(view, at);
    this.attributes = batch.attributes(view, at);
    this.baseTimestamp = batch.baseTimestamp(view, at);
    this.maxTimestamp = batch.maxTimestamp(view, at);
    this.producerId = batch.producerId(view, at);
    this.producerEpoch = batch.producerEpoch(view, at);
    this.baseSequence = batch.baseSequence(view, at);
    this.recordsCount = batch.recordsCount(view, at);
    this.#crc = batch.crc(view, at);
    this.#next = position + this.sizeBytes;
    return SCAN_BATCH;
  }

  get codec(): number {
    return this.attributes & batch.CODEC_MASK;
  }

  get control(): boolean {
    return (this.attributes & batch.CONTROL_BIT) !== 0;
  }

  get transactional(): boolean {
    return (this.attributes & batch.TRANSACTIONAL_BIT) !== 0;
  }

  get logAppendTime(): boolean {
    return (this.attributes & batch.LOG_APPEND_TIME_BIT) !== 0;
  }

  /** Reads the whole batch, however large it is. */
  crcHolds(): boolean {
    const { kernels, scratch } = this.#environment;
    const end = this.position + this.sizeBytes;
    let crc = 0;
    for (let at = this.position + batch.ATTRIBUTES_AT; at < end; ) {
      if (!this.#need(at, Math.min(end - at, this.#windowBytes))) return false;
      const count = Math.min(end, this.#windowEnd) - at;
      crc = kernels.crc32c(scratch, at - this.#windowStart, count, crc);
      at += count;
    }
    return crc === this.#crc;
  }

  /** A copy of the records as they stand in the file, or null when the file has become shorter. */
  records(): Uint8Array | null {
    const { scratch } = this.#environment;
    const out = new Uint8Array(this.sizeBytes - batch.HEADER_BYTES);
    const start = this.position + batch.HEADER_BYTES;
    for (let done = 0; done < out.length; ) {
      if (!this.#need(start + done, Math.min(out.length - done, this.#windowBytes))) return null;
      const at = start + done - this.#windowStart;
      const count = Math.min(out.length - done, this.#windowEnd - start - done);
      out.set(scratch.bytes.subarray(at, at + count), done);
      done += count;
    }
    return out;
  }

  /** After SCAN_TORN: whether a message of format 0 or 1 stands here, whole, by its own CRC. */
  isOlderFormat(): boolean {
    const length = this.sizeBytes - batch.LOG_OVERHEAD_BYTES;
    if ((this.magic !== 0 && this.magic !== 1) || length < OLDER_BYTES_MIN) return false;
    if (this.sizeBytes > this.#end - this.position) return false;
    if (!this.#need(this.position, Math.min(this.sizeBytes, this.#windowBytes))) return false;
    const at = this.position - this.#windowStart;
    if (this.position + this.sizeBytes > this.#windowEnd) return false;
    const { bytes, view } = this.#environment.scratch;
    return crc32(bytes, at + OLDER_CRC_AT + 4, at + this.sizeBytes) === view.getUint32(at + OLDER_CRC_AT);
  }

  /** Brings `length` bytes at `position` into the window. False when the file has fewer. */
  #need(position: number, length: number): boolean {
    if (position >= this.#windowStart && position + length <= this.#windowEnd) return true;
    const { disk, files, scratch } = this.#environment;
    const goesOn = this.#windowEnd > 0 && position <= this.#windowEnd;
    if (goesOn) this.#windowBytes = Math.min(2 * this.#windowBytes, this.#windowBytesMax);
    const wanted = Math.min(this.#end - position, Math.max(length, this.#windowBytes));
    const got = disk.read(files.descriptor(this.#file), position, scratch, 0, wanted);
    this.#windowStart = position;
    this.#windowEnd = position + got;
    return got >= length;
  }
}
