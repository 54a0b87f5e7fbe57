/**
 * Blocks of memory that threads, the disk and the addon share by offset, and lists of pieces of them.
 * A block never moves and never changes its size; who may write where is said by its owner.
 */
import { assert } from './assert.ts';

export interface Memory {
  /** The addon's number for this block on this thread; -1 where no addon knows it. */
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function memoryOver(bytes: Uint8Array, id = -1): Memory {
  return { id, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

export const NO_MEMORY: Memory = memoryOver(new Uint8Array(0));

/** What one gathered write or send may carry: the kernel's limit of an iovec list. */
export const PIECES_MAX = 1024;

/**
 * A reusable gather list. Entry i is three int32 in `table`: memory id, offset, length. The addon reads the table
 * itself; everyone else asks `memoryOf`, `offsetOf`, `lengthOf`.
 */
export class Pieces {
  readonly table = new Int32Array(PIECES_MAX * 3);
  readonly #memories: Memory[] = [];
  count = 0;
  totalBytes = 0;

  get full(): boolean {
    return this.count === PIECES_MAX;
  }

  add(memory: Memory, offset: number, length: number): void {
    assert(this.count < PIECES_MAX, 'gather list is full');
    const at = this.count * 3;
    this.table[at] = memory.id;
    this.table[at + 1] = offset;
    this.table[at + 2] = length;
    this.#memories[this.count] = memory;
    this.count += 1;
    this.totalBytes += length;
  }

  memoryOf(index: number): Memory {
    return this.#memories[index] as Memory;
  }

  offsetOf(index: number): number {
    return this.table[index * 3 + 1] as number;
  }

  lengthOf(index: number): number {
    return this.table[index * 3 + 2] as number;
  }

  clear(): void {
    this.count = 0;
    this.totalBytes = 0;
  }
}
