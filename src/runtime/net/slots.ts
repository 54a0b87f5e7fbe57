/**
 * Small ranges out of an arena: pages cut into slots of one size class. A page whose slots are all free goes back to the
 * arena, so that a quiet broker holds nothing. Never holds more than `bytesMax`.
 */
import { assert } from '../../base/assert.ts';
import { type Arena, PAGE_BYTES } from './arena.ts';

const CLASSES = [512, 2048, 8192, 16_384, 32_768, PAGE_BYTES] as const;
export const SLOT_BYTES_MAX = PAGE_BYTES;

interface Slab {
  readonly offset: number;
  readonly classIndex: number;
  readonly free: number[];
}

export class Slots {
  readonly #arena: Arena;
  readonly #bytesMax: number;
  /** By page of the arena: the slab that lies there. */
  readonly #slabs: (Slab | undefined)[];
  /** By class: slabs with a free slot, the one to use next at the end. */
  readonly #open: Slab[][] = CLASSES.map(() => []);
  heldBytes = 0;

  constructor(arena: Arena, bytesMax: number) {
    this.#arena = arena;
    this.#bytesMax = bytesMax;
    this.#slabs = new Array(arena.bytes / PAGE_BYTES);
  }

  /** The offset of a slot of at least `bytes`, or -1 when the pool is full. */
  allocate(bytes: number): number {
    assert(bytes <= SLOT_BYTES_MAX, 'a slot is at most a page', { bytes });
    const classIndex = CLASSES.findIndex((size) => size >= bytes);
    const open = this.#open[classIndex] as Slab[];
    const slab = open[open.length - 1] ?? this.#newSlab(classIndex);
    if (slab === null) return -1;
    const offset = slab.free.pop() as number;
    if (slab.free.length === 0) open.pop();
    return offset;
  }

  free(offset: number): void {
    const page = Math.floor((offset - this.#arena.start) / PAGE_BYTES);
    const slab = this.#slabs[page];
    assert(slab !== undefined, 'only a slot that was given out is freed', { offset });
    const open = this.#open[slab.classIndex] as Slab[];
    if (slab.free.length === 0) open.push(slab);
    slab.free.push(offset);
    if (slab.free.length < PAGE_BYTES / (CLASSES[slab.classIndex] as number)) return;
    open.splice(open.indexOf(slab), 1);
    this.#slabs[page] = undefined;
    this.heldBytes -= PAGE_BYTES;
    this.#arena.free(slab.offset);
  }

  #newSlab(classIndex: number): Slab | null {
    if (this.heldBytes + PAGE_BYTES > this.#bytesMax) return null;
    const offset = this.#arena.allocate(PAGE_BYTES);
    if (offset < 0) return null;
    const size = CLASSES[classIndex] as number;
    const slab: Slab = { offset, classIndex, free: [] };
    for (let at = PAGE_BYTES - size; at >= 0; at -= size) slab.free.push(offset + at);
    this.#slabs[(offset - this.#arena.start) / PAGE_BYTES] = slab;
    (this.#open[classIndex] as Slab[]).push(slab);
    this.heldBytes += PAGE_BYTES;
    return slab;
  }
}
