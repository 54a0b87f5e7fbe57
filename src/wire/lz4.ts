/**
 * LZ4 frames. One frame fills the records of a batch; Kafka's own client writes independent blocks of 64 KiB without checksums,
 * others may link blocks and add the size and checksums, which are then verified.
 *
 *   magic uint32 LE | FLG | BD | content size uint64 LE, if flagged | header checksum: byte 1 of xxHash32 of FLG to here
 *   blocks: size uint32 LE (top bit: stored as is), bytes, xxHash32 of them if flagged
 *   0 uint32 | xxHash32 of the content, if flagged
 *
 *   FLG: version 01 | independent blocks | block checksums | content size | content checksum | reserved | dictionary id
 *   BD:  reserved | block size: 4 64 KiB, 5 256 KiB, 6 1 MiB, 7 4 MiB | reserved (4)
 */
import { CompressionError } from './compression-error.ts';
import { decodeBlock, encodeBlock, encodedBytesMax, sizeOfBlock } from './lz4-block.ts';
import { BLOCK_BYTES_MAX, copyLiterals } from './lz77.ts';
import { xxHash32 } from './xxhash32.ts';

const MAGIC = 0x184d2204;
const FLAGS_AT = 4;
const BLOCK_SIZE_AT = 5;
const CONTENT_SIZE_AT = 6;
/** Magic, FLG, BD, header checksum. */
const HEADER_BYTES_MIN = 7;
const WORD_BYTES = 4;

const VERSION_MASK = 0xc0;
const VERSION_1 = 0x40;
const INDEPENDENT_BIT = 0x20;
const BLOCK_CHECKSUM_BIT = 0x10;
const CONTENT_SIZE_BIT = 0x08;
const CONTENT_CHECKSUM_BIT = 0x04;
const RESERVED_BIT = 0x02;
const DICTIONARY_BIT = 0x01;

const BLOCK_SIZE_RESERVED_BITS = 0x8f;
const BLOCK_SIZE_CODE_MIN = 4;
const BLOCK_SIZE_CODE_64_KIB = 4;
const STORED_BIT = 0x80000000;

interface Frame {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly flags: number;
  readonly blockBytesMax: number;
  /** -1 when the frame does not say. */
  readonly contentBytes: number;
  readonly blocksAt: number;
}

/** Measures and checks all blocks first, so that what is allocated is what they give. */
export function decompressLz4(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  const frame = readHeader(bytes);
  if (frame.contentBytes > outputBytesMax) throw tooLarge(outputBytesMax);
  const output = new Uint8Array(sizeOfBlocks(frame, outputBytesMax));
  const endsAt = decodeBlocks(frame, output);
  if ((frame.flags & CONTENT_CHECKSUM_BIT) !== 0) {
    const expected = frame.view.getUint32(endsAt, true);
    if (xxHash32(output, 0, output.length) !== expected) throw new CompressionError('lz4: wrong content checksum');
  }
  return output;
}

function readHeader(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES_MIN) throw new CompressionError('lz4: cut short within the frame header');
  if (view.getUint32(0, true) !== MAGIC) throw new CompressionError('lz4: not an LZ4 frame');
  const flags = view.getUint8(FLAGS_AT);
  const blockSize = view.getUint8(BLOCK_SIZE_AT);
  const blockSizeCode = blockSize >>> 4;
  if ((flags & VERSION_MASK) !== VERSION_1) throw new CompressionError(`lz4: version ${flags >>> 6} of the frame`);
  const reserved = (flags & RESERVED_BIT) | (blockSize & BLOCK_SIZE_RESERVED_BITS);
  if (reserved !== 0 || blockSizeCode < BLOCK_SIZE_CODE_MIN) {
    throw new CompressionError('lz4: a frame header that is not defined');
  }
  if ((flags & DICTIONARY_BIT) !== 0) throw new CompressionError('lz4: a dictionary is needed');
  let at = CONTENT_SIZE_AT;
  let contentBytes = -1;
  if ((flags & CONTENT_SIZE_BIT) !== 0) {
    if (bytes.length < HEADER_BYTES_MIN + 8) throw new CompressionError('lz4: cut short within the frame header');
    contentBytes = view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x100000000;
    at += 8;
  }
  const checksum = (xxHash32(bytes, FLAGS_AT, at) >>> 8) & 0xff;
  if (view.getUint8(at) !== checksum) throw new CompressionError('lz4: wrong header checksum');
  const blockBytesMax = 1 << (8 + 2 * blockSizeCode);
  return { bytes, view, flags, blockBytesMax, contentBytes, blocksAt: at + 1 };
}

function sizeOfBlocks(frame: Frame, outputBytesMax: number): number {
  const { bytes, view, flags, blockBytesMax } = frame;
  const checksumBytes = (flags & BLOCK_CHECKSUM_BIT) !== 0 ? WORD_BYTES : 0;
  let size = 0;
  let at = frame.blocksAt;
  for (;;) {
    if (bytes.length - at < WORD_BYTES) throw new CompressionError('lz4: cut short between blocks');
    const word = view.getUint32(at, true);
    at += WORD_BYTES;
    if (word === 0) break;
    const length = word % STORED_BIT;
    if (length > blockBytesMax) throw new CompressionError(`lz4: a block of ${length} bytes`);
    const end = at + length;
    if (end + checksumBytes > bytes.length) throw new CompressionError('lz4: a block is cut short');
    if (checksumBytes > 0 && view.getUint32(end, true) !== xxHash32(bytes, at, end)) {
      throw new CompressionError('lz4: wrong block checksum');
    }
    size += word >= STORED_BIT ? length : sizeOfBlock(bytes, at, end, blockBytesMax);
    if (size > outputBytesMax) throw tooLarge(outputBytesMax);
    at = end + checksumBytes;
  }
  const rest = bytes.length - at - ((flags & CONTENT_CHECKSUM_BIT) !== 0 ? WORD_BYTES : 0);
  if (rest < 0) throw new CompressionError('lz4: cut short within the content checksum');
  if (rest > 0) throw new CompressionError(`lz4: ${rest} bytes after the frame`);
  if (frame.contentBytes >= 0 && frame.contentBytes !== size) {
    throw new CompressionError(`lz4: ${size} bytes where ${frame.contentBytes} were announced`);
  }
  return size;
}

/** Returns where the content checksum would be. */
function decodeBlocks(frame: Frame, output: Uint8Array): number {
  const { bytes, view, flags } = frame;
  const independent = (flags & INDEPENDENT_BIT) !== 0;
  const checksumBytes = (flags & BLOCK_CHECKSUM_BIT) !== 0 ? WORD_BYTES : 0;
  let to = 0;
  let at = frame.blocksAt;
  for (;;) {
    const word = view.getUint32(at, true);
    at += WORD_BYTES;
    if (word === 0) return at;
    const length = word % STORED_BIT;
    if (word >= STORED_BIT) {
      copyLiterals(output, to, bytes, at, length);
      to += length;
    } else {
      to = decodeBlock(bytes, at, at + length, output, to, independent ? to : 0);
    }
    at += length + checksumBytes;
  }
}

function tooLarge(outputBytesMax: number): CompressionError {
  return new CompressionError(`lz4: more than ${outputBytesMax} bytes`);
}

/** One frame of independent 64 KiB blocks, no checksums but the header's, as the Java client writes it. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES_MAX);
  const output = new Uint8Array(
    HEADER_BYTES_MIN + blocks * (WORD_BYTES + encodedBytesMax(0)) + encodedBytesMax(bytes.length) + WORD_BYTES,
  );
  const outputView = new DataView(output.buffer);
  const inputView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  outputView.setUint32(0, MAGIC, true);
  output[FLAGS_AT] = VERSION_1 | INDEPENDENT_BIT;
  output[BLOCK_SIZE_AT] = BLOCK_SIZE_CODE_64_KIB << 4;
  output[CONTENT_SIZE_AT] = xxHash32(output, FLAGS_AT, CONTENT_SIZE_AT) >>> 8;
  let at = HEADER_BYTES_MIN;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES_MAX) {
    const end = Math.min(start + BLOCK_BYTES_MAX, bytes.length);
    const size = end - start;
    let length = encodeBlock(bytes, inputView, start, end, output, at + WORD_BYTES) - at - WORD_BYTES;
    if (length < size) {
      outputView.setUint32(at, length, true);
    } else {
      length = size;
      outputView.setUint32(at, length + STORED_BIT, true);
      copyLiterals(output, at + WORD_BYTES, bytes, start, length);
    }
    at += WORD_BYTES + length;
  }
  outputView.setUint32(at, 0, true);
  return output.slice(0, at + WORD_BYTES);
}
