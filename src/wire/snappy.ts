/**
 * Snappy as Kafka's clients write it: raw (librdkafka), or in blocks of 32 KiB within the framing of snappy-java:
 *
 *   82 'SNAPPY' 00 | version int32 | compatible version int32 | blocks: length int32, a raw Snappy block
 *
 * A raw block is its size (varint), then elements by the low two bits of their tag: 00 literals, 01, 10, 11 copies of what
 * lies 11, 16 or 32 bits back. Sizes are believed only as far as the bytes that are there can produce them.
 */
import { CompressionError } from './compression-error.ts';
import { copyLiterals, copyMatch, findMatches, sequences } from './lz77.ts';

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0);
const MAGIC_HEAD = 0x82534e41;
const VERSION_AT = 8;
const VERSION = 1;
const HEADER_BYTES = 16;
const BLOCK_BYTES = 32_768;
/** The length in the framing, the size and the tag of trailing literals, with room to spare. */
const BLOCK_OVERHEAD_BYTES = 32;

/** The densest element is a copy of 64 bytes in three. */
const COPY_BYTES_MAX = 64;
const COPY_ELEMENT_BYTES = 3;

const LITERALS = 0;
const COPY_11_BITS = 1;
const COPY_16_BITS = 2;

export function decompressSnappy(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  const framed = isMagic(bytes, 0);
  const size = framed ? sizeOfFramed(bytes) : announcedSize(bytes, 0, bytes.length);
  if (size > outputBytesMax) throw new CompressionError(`snappy: ${size} bytes, more than ${outputBytesMax}`);
  const output = new Uint8Array(size);
  if (!framed) {
    decodeBlock(bytes, 0, bytes.length, output, 0, size);
    return output;
  }
  let written = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (isMagic(bytes, at)) {
      at += HEADER_BYTES;
      continue;
    }
    const start = at + 4;
    at = start + readInt32(bytes, at);
    const blockSize = announcedSize(bytes, start, at);
    decodeBlock(bytes, start, at, output, written, written + blockSize);
    written += blockSize;
  }
  return output;
}

function isMagic(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < MAGIC.length; i++) if (bytes[at + i] !== MAGIC[i]) return false;
  return true;
}

function readInt32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

/** Walks the blocks: every length fits, every size is possible. A second header may follow where streams were joined. */
function sizeOfFramed(bytes: Uint8Array): number {
  let size = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 4) throw new CompressionError('snappy: cut short within a block length');
    const length = readInt32(bytes, at);
    if (length >>> 0 === MAGIC_HEAD && isMagic(bytes, at)) {
      if (bytes.length - at < HEADER_BYTES) throw new CompressionError('snappy: cut short within the header');
      const version = readInt32(bytes, at + VERSION_AT);
      if (version < VERSION) throw new CompressionError(`snappy: version ${version} of the framing`);
      at += HEADER_BYTES;
      continue;
    }
    at += 4;
    if (length < 0 || length > bytes.length - at) {
      throw new CompressionError(`snappy: a block of ${length} bytes where ${bytes.length - at} are left`);
    }
    size += announcedSize(bytes, at, at + length);
    at += length;
  }
  return size;
}

/** The size a block begins with, when its bytes can give that much. */
function announcedSize(bytes: Uint8Array, start: number, end: number): number {
  let size = 0;
  for (let at = start, weight = 1; at < end && at < start + 5; at++, weight *= 128) {
    const byte = bytes[at] as number;
    size += (byte & 0x7f) * weight;
    if (byte >= 0x80) continue;
    if (size * COPY_ELEMENT_BYTES > (end - at - 1) * COPY_BYTES_MAX) {
      throw new CompressionError(`snappy: ${size} bytes announced by a block of ${end - start}`);
    }
    return size;
  }
  throw new CompressionError('snappy: a block without a size');
}

/** Fills output from `written` to exactly `limit`; copies reach back no further than the block. */
function decodeBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  written: number,
  limit: number,
): void {
  const floor = written;
  let to = written;
  let at = start;
  while ((input[at++] as number) >= 0x80);
  while (at < end) {
    const tag = input[at++] as number;
    const kind = tag & 3;
    if (kind === LITERALS) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const lengthBytes = length - 60;
        if (lengthBytes > end - at) throw cutShort();
        length = littleEndian(input, at, lengthBytes) + 1;
        at += lengthBytes;
      }
      if (length > end - at) throw cutShort();
      if (length > limit - to) throw tooLong();
      copyLiterals(output, to, input, at, length);
      at += length;
      to += length;
      continue;
    }
    const distanceBytes = kind === COPY_11_BITS ? 1 : kind === COPY_16_BITS ? 2 : 4;
    if (distanceBytes > end - at) throw cutShort();
    let distance = littleEndian(input, at, distanceBytes);
    let length = (tag >>> 2) + 1;
    if (kind === COPY_11_BITS) {
      distance |= (tag >>> 5) << 8;
      length = ((tag >>> 2) & 7) + 4;
    }
    at += distanceBytes;
    if (distance === 0 || distance > to - floor)
      throw new CompressionError(`snappy: a copy from ${distance} bytes back`);
    if (length > limit - to) throw tooLong();
    copyMatch(output, to, distance, length);
    to += length;
  }
  if (to !== limit) throw new CompressionError(`snappy: a block ends ${limit - to} bytes short of its size`);
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = bytes[at] as number;
  if (count > 1) value |= (bytes[at + 1] as number) << 8;
  if (count > 2) value |= (bytes[at + 2] as number) << 16;
  if (count > 3) value |= (bytes[at + 3] as number) << 24;
  return value >>> 0;
}

function cutShort(): CompressionError {
  return new CompressionError('snappy: a block is cut short');
}

function tooLong(): CompressionError {
  return new CompressionError('snappy: a block gives more than its size');
}

/** In the framing, as the Java client writes it; of no bytes the header alone. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES);
  const output = new Uint8Array(
    HEADER_BYTES + blocks * BLOCK_OVERHEAD_BYTES + bytes.length + Math.ceil(bytes.length / 6),
  );
  const outputView = new DataView(output.buffer);
  const inputView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  output.set(MAGIC);
  outputView.setInt32(VERSION_AT, VERSION);
  outputView.setInt32(VERSION_AT + 4, VERSION);
  let at = HEADER_BYTES;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = encodeBlock(bytes, inputView, start, Math.min(start + BLOCK_BYTES, bytes.length), output, at + 4);
    outputView.setInt32(at, end - at - 4);
    at = end;
  }
  return output.slice(0, at);
}

function encodeBlock(
  input: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  output: Uint8Array,
  written: number,
): number {
  let to = written;
  let size = end - start;
  for (; size >= 0x80; size >>>= 7) output[to++] = (size & 0x7f) | 0x80;
  output[to++] = size;
  const count = findMatches(view, start, end);
  let at = start;
  for (let i = 0; i < count * 3; i += 3) {
    const literals = sequences[i] as number;
    const length = sequences[i + 1] as number;
    if (literals > 0) to = encodeLiterals(input, at, literals, output, to);
    to = encodeCopies(sequences[i + 2] as number, length, output, to);
    at += literals + length;
  }
  return at === end ? to : encodeLiterals(input, at, end - at, output, to);
}

function encodeLiterals(input: Uint8Array, at: number, length: number, output: Uint8Array, written: number): number {
  let to = written;
  const last = length - 1;
  if (last < 60) {
    output[to++] = last << 2;
  } else if (last < 0x100) {
    output[to++] = 60 << 2;
    output[to++] = last;
  } else {
    output[to++] = 61 << 2;
    output[to++] = last;
    output[to++] = last >>> 8;
  }
  copyLiterals(output, to, input, at, length);
  return to + length;
}

function encodeCopies(distance: number, matchLength: number, output: Uint8Array, written: number): number {
  let to = written;
  let length = matchLength;
  while (length > 0) {
    if (length >= 4 && length <= 11 && distance < 2048) {
      output[to++] = COPY_11_BITS | ((length - 4) << 2) | ((distance >>> 8) << 5);
      output[to++] = distance;
      return to;
    }
    const count = Math.min(length, COPY_BYTES_MAX);
    output[to++] = COPY_16_BITS | ((count - 1) << 2);
    output[to++] = distance;
    output[to++] = distance >>> 8;
    length -= count;
  }
  return to;
}
