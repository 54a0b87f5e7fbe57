/** CRC-32C bit by bit, the definition itself: slow, independent of the kernels. */
import type { Memory } from '../../src/base/memory.ts';

export function crc32c(memory: Memory, offset: number, length: number, seed = 0): number {
  let crc = ~seed;
  for (let i = offset; i < offset + length; i++) {
    crc ^= memory.view.getUint8(i);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
