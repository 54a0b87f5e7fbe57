/**
 * Variable-length integers: seven bits a byte, lowest first, the top bit says that more follow. Signed ones are zigzag
 * folded (0, -1, 1, -2 become 0, 1, 2, 3). Sizes are computed here; Reader and Writer move the bytes.
 */

/** An unsigned 32-bit number takes at most this many bytes, a 64-bit one this many. */
export const VARINT_BYTES_MAX = 5;
export const VARLONG_BYTES_MAX = 10;

export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

export function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

export function sizeOfUnsignedVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint(zigzag(value));
}

/** Of any safe integer: the folded value has one bit more than a double holds, so the magnitude is halved instead. */
export function sizeOfVarlong(value: number): number {
  let rest = Math.floor((value < 0 ? -value - 1 : value) / 64);
  let size = 1;
  for (; rest > 0; size++) rest = Math.floor(rest / 128);
  return size;
}
