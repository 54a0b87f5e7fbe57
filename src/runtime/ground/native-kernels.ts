/**
 * The kernels of the addon. A block that the addon does not know (id -1) goes to the twin in TypeScript, and so does a
 * short move.
 */
import { type Kernels, WALK_OK } from '../../base/kernels.ts';
import type { Memory } from '../../base/memory.ts';
import { moveByWords, PortableKernels } from '../../base/portable-kernels.ts';
import type { Native } from './native.ts';

/** A call into the addon costs about 40 ns; until here the copy in TypeScript is done sooner (64 bytes: 13 ns). */
const NATIVE_MOVE_FROM_BYTES = 192;

export function nativeKernels(native: Native): Kernels {
  return new NativeKernels(native);
}

class NativeKernels implements Kernels {
  readonly #native: Native;
  readonly #portable = new PortableKernels();
  readonly #result = new Float64Array(2);
  readonly walk = this.#portable.walk;

  constructor(native: Native) {
    this.#native = native;
  }

  crc32c(memory: Memory, offset: number, length: number, seed = 0): number {
    if (memory.id < 0) return this.#portable.crc32c(memory, offset, length, seed);
    return this.#native.crc32c(memory.id, offset, length, seed);
  }

  move(target: Memory, targetOffset: number, source: Memory, sourceOffset: number, length: number): void {
    if (length < NATIVE_MOVE_FROM_BYTES) {
      moveByWords(target, targetOffset, source, sourceOffset, length);
    } else if (target.id < 0 || source.id < 0) {
      this.#portable.move(target, targetOffset, source, sourceOffset, length);
    } else {
      this.#native.move(target.id, targetOffset, source.id, sourceOffset, length);
    }
  }

  walkRecords(memory: Memory, offset: number, length: number, count: number, needKeys: boolean): number {
    if (memory.id < 0) return this.#portable.walkRecords(memory, offset, length, count, needKeys);
    const found = this.#native.walkRecords(memory.id, offset, length, count, needKeys, this.#result);
    if (found === WALK_OK) {
      this.walk.maxTimestampDelta = this.#result[0] as number;
      this.walk.maxTimestampIndex = this.#result[1] as number;
    }
    return found;
  }
}
