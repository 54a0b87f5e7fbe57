/** Bytes that wait for the next write, by reference: pieces of memory in the order of the log, neighbours joined. */
import { assert } from '../base/assert.ts';
import { type Memory, Pieces } from '../base/memory.ts';
import type { Disk } from './disk.ts';

/** Filled and used within one call, by whichever log writes. */
const gather = new Pieces();

export class Staged {
  readonly #memories: Memory[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(memory: Memory, offset: number, length: number): void {
    const last = this.#count - 1;
    if (last >= 0 && this.#memories[last] === memory) {
      const end = (this.#offsets[last] as number) + (this.#lengths[last] as number);
      if (end === offset) {
        this.#lengths[last] = (this.#lengths[last] as number) + length;
        return;
      }
    }
    this.#memories[this.#count] = memory;
    this.#offsets[this.#count] = offset;
    this.#lengths[this.#count] = length;
    this.#count += 1;
  }

  /** One gathered write, or as many as the kernel's limit of a list makes it. */
  writeTo(disk: Disk, file: number, position: number): void {
    let at = position;
    for (let next = 0; next < this.#count; ) {
      gather.clear();
      for (; next < this.#count && !gather.full; next++) {
        gather.add(this.#memories[next] as Memory, this.#offsets[next] as number, this.#lengths[next] as number);
      }
      assert(gather.totalBytes > 0, 'a piece has bytes');
      disk.write(file, at, gather);
      at += gather.totalBytes;
    }
    this.clear();
  }

  clear(): void {
    this.#count = 0;
  }
}
