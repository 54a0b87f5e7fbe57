/** The compressed records of a batch as they were before, taken from wherever the batch lies, within bounds that its size sets. */
import type { Memory } from '../base/memory.ts';
import { decompress } from './compression.ts';

/** What any batch may grow to, however few its bytes: gzip and zstd make a thousandth of zeros. */
export const DECOMPRESSED_BYTES_MIN = 32 * 1024 * 1024;
/** Beyond that, how many times its compressed bytes a batch may grow to. */
export const DECOMPRESSED_RATIO_MAX = 64;
/** No batch grows beyond this. */
export const DECOMPRESSED_BYTES_MAX = 512 * 1024 * 1024;

/** The cap for records of so many compressed bytes. A batch that was once taken is taken again: nothing else decides. */
export function decompressedBytesMax(compressedBytes: number): number {
  return Math.min(DECOMPRESSED_BYTES_MAX, Math.max(DECOMPRESSED_BYTES_MIN, compressedBytes * DECOMPRESSED_RATIO_MAX));
}

/** The record section at `offset`, behind the batch header. Throws CompressionError when it does not decompress. */
export function decompressRecords(codec: number, memory: Memory, offset: number, length: number): Uint8Array {
  const stored = memory.bytes.subarray(offset, offset + length);
  const bytes = stored.buffer instanceof SharedArrayBuffer ? new Uint8Array(stored) : stored;
  return decompress(codec, bytes, decompressedBytesMax(length));
}
