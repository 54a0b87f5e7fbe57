/**
 * The loops over payload bytes in TypeScript: what runs where there is no addon, and what the addon is held against.
 * No byte is read behind the range given, whatever the lengths within it say.
 */
import { type Kernels, WALK_BAD_LAYOUT, WALK_BAD_OFFSET_DELTA, WALK_NO_KEY, WALK_OK } from './kernels.ts';
import type { Memory } from './memory.ts';

const POLYNOMIAL = 0x82f63b78;

/** TABLES[k * 256 + b]: what byte b does to the sum when k more bytes follow it. */
const TABLES = new Int32Array(8 * 256);
for (let b = 0; b < 256; b++) {
  let value = b;
  for (let i = 0; i < 8; i++) value = (value >>> 1) ^ ((value & 1) === 1 ? POLYNOMIAL : 0);
  TABLES[b] = value;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256] as number;
  TABLES[at] = (before >>> 8) ^ (TABLES[before & 0xff] as number);
}

function table(k: number, byte: number): number {
  return TABLES[(k << 8) | (byte & 0xff)] as number;
}

/** What a variable-length integer reads as when it does not end in time. */
const BROKEN = Number.POSITIVE_INFINITY;

export class PortableKernels implements Kernels {
  readonly walk = { maxTimestampDelta: 0, maxTimestampIndex: -1 };
  /** Where the walk stands and where it must stop. */
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  crc32c(memory: Memory, offset: number, length: number, seed = 0): number {
    expectRange(memory, offset, length);
    const { bytes, view } = memory;
    const end = offset + length;
    let sum = ~seed;
    let at = offset;
    for (; at + 8 <= end; at += 8) {
      const first = sum ^ view.getInt32(at, true);
      const second = view.getInt32(at + 4, true);
      sum =
        table(7, first) ^
        table(6, first >>> 8) ^
        table(5, first >>> 16) ^
        table(4, first >>> 24) ^
        table(3, second) ^
        table(2, second >>> 8) ^
        table(1, second >>> 16) ^
        table(0, second >>> 24);
    }
    for (; at < end; at++) sum = (sum >>> 8) ^ table(0, sum ^ (bytes[at] as number));
    return ~sum >>> 0;
  }

  move(target: Memory, targetOffset: number, source: Memory, sourceOffset: number, length: number): void {
    if (isShared(target) || isShared(source)) {
      moveByWords(target, targetOffset, source, sourceOffset, length);
    } else {
      expectRange(target, targetOffset, length);
      expectRange(source, sourceOffset, length);
      target.bytes.set(source.bytes.subarray(sourceOffset, sourceOffset + length), targetOffset);
    }
  }

  walkRecords(memory: Memory, offset: number, length: number, count: number, needKeys: boolean): number {
    expectRange(memory, offset, length);
    if (count < 0) return WALK_BAD_LAYOUT;
    const end = offset + length;
    this.#bytes = memory.bytes;
    this.#at = offset;
    let most = 0;
    let where = -1;
    for (let i = 0; i < count; i++) {
      this.#end = end;
      const size = this.#varint();
      if (size < 0 || size > end - this.#at) return WALK_BAD_LAYOUT;
      this.#end = this.#at + size;
      if (this.#end - this.#at < 1) return WALK_BAD_LAYOUT;
      this.#at += 1;
      const delta = this.#varlong();
      if (delta === BROKEN) return WALK_BAD_LAYOUT;
      const found = this.#walkRest(i, needKeys);
      if (found !== WALK_OK) return found;
      if (where < 0 || delta > most) {
        most = delta;
        where = i;
      }
    }
    if (this.#at !== end) return WALK_BAD_LAYOUT;
    this.walk.maxTimestampDelta = most;
    this.walk.maxTimestampIndex = where;
    return WALK_OK;
  }

  /** Of a record, what follows its timestamp delta: offset delta, key, value, headers. */
  #walkRest(index: number, needKeys: boolean): number {
    const offsetDelta = this.#varint();
    if (offsetDelta === BROKEN) return WALK_BAD_LAYOUT;
    if (offsetDelta !== index) return WALK_BAD_OFFSET_DELTA;
    const keyLength = this.#varint();
    if (!this.#skip(keyLength, -1)) return WALK_BAD_LAYOUT;
    if (needKeys && keyLength < 0) return WALK_NO_KEY;
    if (!this.#skip(this.#varint(), -1)) return WALK_BAD_LAYOUT;
    const headers = this.#varint();
    if (headers < 0 || headers === BROKEN) return WALK_BAD_LAYOUT;
    for (let i = 0; i < headers; i++) {
      if (!this.#skip(this.#varint(), 0) || !this.#skip(this.#varint(), -1)) return WALK_BAD_LAYOUT;
    }
    return this.#at === this.#end ? WALK_OK : WALK_BAD_LAYOUT;
  }

  /** A length below zero, where `lowest` allows it, stands for null. */
  #skip(length: number, lowest: number): boolean {
    if (length < lowest || length > this.#end - this.#at) return false;
    if (length > 0) this.#at += length;
    return true;
  }

  /** At most five bytes and 32 bits, zigzag folded. */
  #varint(): number {
    let folded = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at === this.#end) return BROKEN;
      const byte = this.#bytes[this.#at++] as number;
      if (shift === 28 && byte > 0x0f) return BROKEN;
      folded |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (folded >>> 1) ^ -(folded & 1);
    }
    return BROKEN;
  }

  /** At most ten bytes and 64 bits, gathered in two halves and rounded once, as a conversion of int64 to double does. */
  #varlong(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at === this.#end) return BROKEN;
      const byte = this.#bytes[this.#at++] as number;
      if (shift === 63 && byte > 1) return BROKEN;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        const sign = -(low & 1);
        return ((high >>> 1) ^ sign) * 0x1_0000_0000 + ((((low >>> 1) | (high << 31)) ^ sign) >>> 0);
      }
    }
    return BROKEN;
  }
}

function expectRange(memory: Memory, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= memory.bytes.length)) {
    throw new TypeError(`bytes ${offset} + ${length} lie outside a memory of ${memory.bytes.length} bytes`);
  }
}

function isShared(memory: Memory): boolean {
  return memory.bytes.buffer instanceof SharedArrayBuffer;
}

/**
 * Copies four words a time, overlap allowed. On shared memory this is what the engine compiles to plain loads and
 * stores: 5 to 7 GB/s at every alignment and from 64 bytes on, where `set` of an unaligned range does 1 to 4. Two views
 * of one block are seen to overlap when they come from the same buffer object.
 */
export function moveByWords(target: Memory, to: number, source: Memory, from: number, length: number): void {
  expectRange(target, to, length);
  expectRange(source, from, length);
  const ahead = target.bytes.byteOffset + to - (source.bytes.byteOffset + from);
  const backwards = target.bytes.buffer === source.bytes.buffer && ahead > 0 && ahead < length;
  const out = target.view;
  const into = source.view;
  const whole = length - (length % 16);
  if (backwards) {
    for (let i = length - 1; i >= whole; i--) out.setUint8(to + i, into.getUint8(from + i));
    for (let i = whole - 16; i >= 0; i -= 16) moveFourWords(out, to + i, into, from + i);
  } else {
    for (let i = 0; i < whole; i += 16) moveFourWords(out, to + i, into, from + i);
    for (let i = whole; i < length; i++) out.setUint8(to + i, into.getUint8(from + i));
  }
}

/** All are read before one is written, so that neighbouring steps may overlap. */
function moveFourWords(out: DataView, to: number, source: DataView, from: number): void {
  const a = source.getInt32(from, true);
  const b = source.getInt32(from + 4, true);
  const c = source.getInt32(from + 8, true);
  const d = source.getInt32(from + 12, true);
  out.setInt32(to, a, true);
  out.setInt32(to + 4, b, true);
  out.setInt32(to + 8, c, true);
  out.setInt32(to + 12, d, true);
}

/**
 * Cuts whole length-prefixed frames out of a range: writes pairs of body start and body length to `out`, returns how
 * many. -1 - n when frame n has a length below zero or above `maxFrameBytes`; the n before it are written.
 */
export function cutFrames(
  memory: Memory,
  offset: number,
  length: number,
  maxFrameBytes: number,
  out: Int32Array,
  outMax: number,
): number {
  expectRange(memory, offset, length);
  if (outMax < 0 || out.length < outMax * 2) throw new TypeError(`no room for ${outMax} frames`);
  const end = offset + length;
  let at = offset;
  let count = 0;
  while (count < outMax && end - at >= 4) {
    const size = memory.view.getInt32(at);
    if (size < 0 || size > maxFrameBytes) return -1 - count;
    at += 4;
    if (end - at < size) break;
    out[count * 2] = at;
    out[count * 2 + 1] = size;
    at += size;
    count += 1;
  }
  return count;
}

export const OFFSET_ENTRY_BYTES = 8;
export const TIME_ENTRY_BYTES = 12;

/** In an offset index (4-byte key, 4-byte position) the last of `entries` entries whose key is <= target, or -1. */
export function searchOffsetIndex(index: DataView, entries: number, target: number): number {
  let low = 0;
  let high = entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (index.getInt32(middle * OFFSET_ENTRY_BYTES) <= target) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** As above in a time index (8-byte key, 4-byte offset). */
export function searchTimeIndex(index: DataView, entries: number, target: number): number {
  let low = 0;
  let high = entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = middle * TIME_ENTRY_BYTES;
    if (index.getInt32(at) * 0x1_0000_0000 + index.getUint32(at + 4) <= target) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
