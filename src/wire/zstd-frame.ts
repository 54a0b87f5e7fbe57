/**
 * The outside of Zstandard frames (RFC 8878): where each ends and what it says it holds, without decoding it. Runtimes decode
 * only the first frame of several, and some take a frame that is cut short for a whole one; walking the blocks first tells.
 *
 *   magic uint32 LE | descriptor | window, unless single segment | dictionary id 0, 1, 2, 4 | content size 0, 1, 2, 4, 8
 *   blocks: uint24 LE (last 1 bit | kind 2 bits | size 21 bits), bytes | checksum uint32, if flagged
 *
 *   descriptor: content size code (2) | single segment | unused | reserved | checksum | dictionary id code (2)
 */
import { CompressionError } from './compression-error.ts';

const MAGIC = 0xfd2fb528;
/** Frames of this magic, the low four bits aside, are a size (uint32 LE) and bytes that mean nothing to us. */
const SKIPPABLE_MAGIC = 0x184d2a50;

const SINGLE_SEGMENT_BIT = 0x20;
const RESERVED_BIT = 0x08;
const CHECKSUM_BIT = 0x04;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

const KIND_REPEATED = 1;
const KIND_RESERVED = 3;

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** -1 when the frame does not say. */
  readonly contentBytes: number;
}

/** All frames that hold content, which end exactly with the bytes; throws for more than `framesMax`. */
export function zstdFrames(bytes: Uint8Array, framesMax: number): ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: ZstdFrame[] = [];
  let at = 0;
  do {
    need(view, at, 4);
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) === SKIPPABLE_MAGIC) {
      need(view, at, 8);
      const length = view.getUint32(at + 4, true);
      need(view, at + 8, length);
      at += 8 + length;
      continue;
    }
    if (magic !== MAGIC) throw new CompressionError('zstd: not a Zstandard frame');
    if (frames.length === framesMax) throw new CompressionError(`zstd: more than ${framesMax} frames`);
    const frame = readFrame(view, at);
    frames.push(frame);
    at = frame.end;
  } while (at < bytes.length);
  return frames;
}

function need(view: DataView, at: number, length: number): void {
  if (length > view.byteLength - at) throw new CompressionError('zstd: a frame is cut short');
}

function readFrame(view: DataView, start: number): ZstdFrame {
  need(view, start, 5);
  const descriptor = view.getUint8(start + 4);
  if ((descriptor & RESERVED_BIT) !== 0) throw new CompressionError('zstd: a frame header that is not defined');
  const single = (descriptor & SINGLE_SEGMENT_BIT) !== 0;
  const sizeCode = descriptor >>> 6;
  const sizeBytes = single && sizeCode === 0 ? 1 : (CONTENT_SIZE_BYTES[sizeCode] as number);
  let at = start + 5 + (single ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] as number);
  need(view, at, sizeBytes);
  const contentBytes = readContentSize(view, at, sizeBytes);
  at += sizeBytes;
  for (let last = false; !last; ) {
    need(view, at, 3);
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const kind = (header >>> 1) & 3;
    if (kind === KIND_RESERVED) throw new CompressionError('zstd: a block of a kind that is not defined');
    const length = kind === KIND_REPEATED ? 1 : header >>> 3;
    need(view, at + 3, length);
    at += 3 + length;
    last = (header & 1) !== 0;
  }
  if ((descriptor & CHECKSUM_BIT) !== 0) {
    need(view, at, 4);
    at += 4;
  }
  return { start, end: at, contentBytes };
}

function readContentSize(view: DataView, at: number, sizeBytes: number): number {
  if (sizeBytes === 0) return -1;
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x100000000;
}
