/**
 * One LZ4 block: sequences of
 *
 *   token (literals << 4 | match - 4) | more of the literals' length | literals | distance uint16 LE | more of the match's length
 *
 * where a half of the token of 15 goes on in bytes, 255 meaning another follows, and the last sequence ends with its literals.
 */
import { CompressionError } from './compression-error.ts';
import { copyLiterals, copyMatch, findMatches, MATCH_BYTES_MIN, sequences } from './lz77.ts';

/** How much the block [start, end) gives; every length in it fits its bytes. Throws when that is more than `sizeMax`. */
export function sizeOfBlock(input: Uint8Array, start: number, end: number, sizeMax: number): number {
  let size = 0;
  let at = start;
  while (at < end) {
    const token = input[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= end) throw cutShort();
        more = input[at++] as number;
        literals += more;
      } while (more === 255);
    }
    if (literals > end - at) throw cutShort();
    at += literals;
    size += literals;
    if (size > sizeMax) throw tooLong(sizeMax);
    if (at === end) return size;
    if (end - at < 2) throw cutShort();
    at += 2;
    let length = (token & 15) + MATCH_BYTES_MIN;
    if (length === 15 + MATCH_BYTES_MIN) {
      let more: number;
      do {
        if (at >= end) throw cutShort();
        more = input[at++] as number;
        length += more;
      } while (more === 255);
    }
    size += length;
    if (size > sizeMax) throw tooLong(sizeMax);
  }
  throw cutShort();
}

function cutShort(): CompressionError {
  return new CompressionError('lz4: a block is cut short');
}

function tooLong(sizeMax: number): CompressionError {
  return new CompressionError(`lz4: a block of more than ${sizeMax} bytes`);
}

/**
 * Decodes a block that `sizeOfBlock` has passed to `output` from `written` on; returns where it ends. Matches begin at
 * `floor` or later.
 */
export function decodeBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  written: number,
  floor: number,
): number {
  let to = written;
  let at = start;
  for (;;) {
    const token = input[at++] as number;
    let more = 255;
    let literals = token >>> 4;
    if (literals === 15) {
      for (; more === 255; literals += more) more = input[at++] as number;
    }
    copyLiterals(output, to, input, at, literals);
    at += literals;
    to += literals;
    if (at === end) return to;
    const distance = (input[at] as number) | ((input[at + 1] as number) << 8);
    at += 2;
    let length = (token & 15) + MATCH_BYTES_MIN;
    if (length === 15 + MATCH_BYTES_MIN) {
      for (more = 255; more === 255; length += more) more = input[at++] as number;
    }
    if (distance === 0 || distance > to - floor) throw new CompressionError(`lz4: a match from ${distance} bytes back`);
    copyMatch(output, to, distance, length);
    to += length;
  }
}

/** What a block of incompressible bytes may take. */
export function encodedBytesMax(bytes: number): number {
  return bytes + Math.ceil(bytes / 255) + 16;
}

/** Encodes input from `start` to `end`, 64 KiB at most, to `output` from `written` on; returns where it ends. */
export function encodeBlock(
  input: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  output: Uint8Array,
  written: number,
): number {
  const count = findMatches(view, start, end);
  let to = written;
  let at = start;
  for (let i = 0; i < count * 3; i += 3) {
    const literals = sequences[i] as number;
    const length = sequences[i + 1] as number;
    const distance = sequences[i + 2] as number;
    const lengthCode = length - MATCH_BYTES_MIN;
    to = encodeLiterals(input, at, literals, Math.min(lengthCode, 15), output, to);
    output[to++] = distance;
    output[to++] = distance >>> 8;
    if (lengthCode >= 15) to = encodeMore(lengthCode - 15, output, to);
    at += literals + length;
  }
  return encodeLiterals(input, at, end - at, 0, output, to);
}

function encodeLiterals(
  input: Uint8Array,
  at: number,
  literals: number,
  lengthNibble: number,
  output: Uint8Array,
  written: number,
): number {
  let to = written;
  output[to++] = (Math.min(literals, 15) << 4) | lengthNibble;
  if (literals >= 15) to = encodeMore(literals - 15, output, to);
  copyLiterals(output, to, input, at, literals);
  return to + literals;
}

function encodeMore(length: number, output: Uint8Array, written: number): number {
  let to = written;
  let rest = length;
  for (; rest >= 255; rest -= 255) output[to++] = 255;
  output[to++] = rest;
  return to;
}
