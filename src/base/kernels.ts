/**
 * The loops over payload bytes that the addon does faster: declared here, written in TypeScript beside this file
 * (`portable-kernels.ts`), and natively in `native/`. Both give the same answers for every input.
 */
import type { Memory } from './memory.ts';

/** What `walkRecords` found in an uncompressed record section (the bytes behind a 61-byte batch header). */
export const WALK_OK = 0;
/** A length, count or varint does not fit the bytes that are there, or bytes are left over. */
export const WALK_BAD_LAYOUT = -1;
/** Record i's offset delta is not i. */
export const WALK_BAD_OFFSET_DELTA = -2;
/** A record without a key where keys are demanded (compacted topics). */
export const WALK_NO_KEY = -3;

export interface Kernels {
  /** CRC-32C (Castagnoli) as an unsigned 32-bit number. `seed` continues an earlier sum. */
  crc32c(memory: Memory, offset: number, length: number, seed?: number): number;
  /** Copies with overlap allowed; the only way to copy bytes within shared memory. */
  move(target: Memory, targetOffset: number, source: Memory, sourceOffset: number, length: number): void;
  /**
   * Checks every record of an uncompressed batch v2: `count` records, each well formed, offset deltas 0, 1, 2 ...
   * Returns a WALK_ code. The largest timestamp delta and its record's index land in `maxTimestampDelta`, `maxTimestampIndex`.
   */
  walkRecords(memory: Memory, offset: number, length: number, count: number, needKeys: boolean): number;
  readonly walk: { maxTimestampDelta: number; maxTimestampIndex: number };
}
