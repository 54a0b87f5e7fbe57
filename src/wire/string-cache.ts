/**
 * Remembers short strings by their bytes, so that the names a connection repeats in every request are neither decoded,
 * allocated nor hashed again. Direct-mapped and bounded: a collision costs one decode, never memory.
 */
const SLOTS = 512;
export const CACHED_BYTES_MAX = 64;

export class StringCache {
  readonly #slots: (string | undefined)[] = new Array(SLOTS).fill(undefined);
  #slot = 0;

  /** The remembered string whose characters are exactly these bytes; undefined when it is not here (then `put` it). */
  get(view: DataView, offset: number, length: number): string | undefined {
    let hash = length;
    let at = offset;
    const end = offset + length;
    for (; at + 4 <= end; at += 4) hash = Math.imul(hash ^ view.getInt32(at), 0x9e3779b1);
    for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x85ebca6b);
    this.#slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const candidate = this.#slots[this.#slot];
    if (candidate === undefined || candidate.length !== length) return undefined;
    for (let i = 0; i < length; i++) if (candidate.charCodeAt(i) !== view.getUint8(offset + i)) return undefined;
    return candidate;
  }

  /** Remembers the string for the bytes of the last `get`: one character per byte. */
  put(text: string): void {
    this.#slots[this.#slot] = text;
  }
}
