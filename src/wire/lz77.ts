/**
 * What Snappy and LZ4 have in common: copying literals and earlier output, and finding repetitions within one block.
 * Nothing here checks bounds; callers have done so. Never for shared memory.
 */
import { assert } from '../base/assert.ts';

/** Below this a loop beats the call of a built-in. */
const LOOP_BYTES_MAX = 24;

export function copyLiterals(output: Uint8Array, at: number, input: Uint8Array, from: number, length: number): void {
  if (length > LOOP_BYTES_MAX) {
    output.set(input.subarray(from, from + length), at);
    return;
  }
  for (let i = 0; i < length; i++) output[at + i] = input[from + i] as number;
}

/** Repeats what lies `distance` bytes back; a match longer than its distance repeats itself. */
export function copyMatch(output: Uint8Array, at: number, distance: number, length: number): void {
  if (length > LOOP_BYTES_MAX) {
    if (distance === 1) {
      output.fill(output[at - 1] as number, at, at + length);
      return;
    }
    if (distance >= LOOP_BYTES_MAX) {
      for (let copied = 0; copied < length; ) {
        const count = Math.min(length - copied, distance + copied);
        output.copyWithin(at + copied, at - distance, at - distance + count);
        copied += count;
      }
      return;
    }
  }
  for (let i = at; i < at + length; i++) output[i] = output[i - distance] as number;
}

/** Distances fit 16 bits. */
export const BLOCK_BYTES_MAX = 65_536;
export const MATCH_BYTES_MIN = 4;
/** LZ4 wants the last five bytes as literals, and no match to begin within the last twelve. */
const TAIL_LITERALS = 5;
const TAIL_WITHOUT_MATCH = 12;

const HASH_BITS = 13;
/** Where a word was seen last, from the start of the block; a wrong or old entry only costs a comparison. */
const seen = new Uint16Array(1 << HASH_BITS);
/** After so many words without a match the steps grow by one, so that incompressible bytes pass quickly. */
const MISSES_PER_STEP_BITS = 5;

/** What `findMatches` found: (literals before it, length, distance) for each match. */
export const sequences = new Int32Array((BLOCK_BYTES_MAX / MATCH_BYTES_MIN) * 3);

function hashOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/**
 * Greedy matches of the block [start, end), left in `sequences`; returns their number. What follows the last is literals,
 * five bytes at least. Valid until the next call.
 */
export function findMatches(view: DataView, start: number, end: number): number {
  assert(end - start <= BLOCK_BYTES_MAX, 'block too large', { start, end });
  seen.fill(0);
  const matchEnd = end - TAIL_LITERALS;
  const last = end - TAIL_WITHOUT_MATCH;
  let count = 0;
  let literalsAt = start;
  let misses = 0;
  // The first byte has nothing before it; starting behind it lets an empty entry mean the first byte.
  for (let at = start + 1; at <= last; ) {
    const word = view.getInt32(at, true);
    const slot = hashOf(word);
    const candidate = start + (seen[slot] as number);
    seen[slot] = at - start;
    if (view.getInt32(candidate, true) !== word) {
      at += 1 + (misses++ >>> MISSES_PER_STEP_BITS);
      continue;
    }
    let matchedTo = at + MATCH_BYTES_MIN;
    const distance = at - candidate;
    while (matchedTo < matchEnd && view.getUint8(matchedTo) === view.getUint8(matchedTo - distance)) matchedTo += 1;
    sequences[count * 3] = at - literalsAt;
    sequences[count * 3 + 1] = matchedTo - at;
    sequences[count * 3 + 2] = distance;
    count += 1;
    misses = 0;
    at = matchedTo;
    literalsAt = matchedTo;
    if (at <= last) seen[hashOf(view.getInt32(at - 2, true))] = at - 2 - start;
  }
  return count;
}
