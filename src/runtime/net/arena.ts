/**
 * Hands out ranges of one block of memory, in powers of two of a page (a buddy allocator). The block is address space:
 * only pages that were touched cost memory, the range freed last is used first, and `trim` gives back what lies idle.
 * Belongs to one thread; other threads may read and write ranges they were given.
 */
import { assert } from '../../base/assert.ts';

export const PAGE_BYTES = 65_536;
const NONE = -1;

export class Arena {
  /** Where the region starts in its memory, and how long it is: a power of two of pages. */
  readonly start: number;
  readonly bytes: number;
  readonly #orders: number;
  /** By page: the order of the block that starts here, -1 inside a block; free blocks are linked by `next` and `previous`. */
  readonly #order: Int8Array;
  readonly #free: Uint8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #heads: Int32Array;
  inUseBytes = 0;
  /** The most that was in use since the last trim; before the first one all may have been, by whoever had the memory then. */
  peakBytes: number;

  constructor(start: number, bytes: number) {
    const pages = bytes / PAGE_BYTES;
    assert(Number.isInteger(Math.log2(pages)), 'an arena has a power of two pages', { bytes });
    this.start = start;
    this.bytes = bytes;
    this.peakBytes = bytes;
    this.#orders = Math.log2(pages) + 1;
    this.#order = new Int8Array(pages).fill(NONE);
    this.#free = new Uint8Array(pages);
    this.#next = new Int32Array(pages);
    this.#previous = new Int32Array(pages);
    this.#heads = new Int32Array(this.#orders).fill(NONE);
    this.#push(0, this.#orders - 1);
  }

  /** The offset of a range of at least `bytes`, page aligned, or -1 when there is none. */
  allocate(bytes: number): number {
    const wanted = orderOf(bytes);
    let order = wanted;
    while (order < this.#orders && this.#heads[order] === NONE) order += 1;
    if (order >= this.#orders) return -1;
    const page = this.#heads[order] as number;
    this.#unlink(page, order);
    while (order > wanted) {
      order -= 1;
      this.#push(page + (1 << order), order);
    }
    this.#order[page] = wanted;
    this.inUseBytes += PAGE_BYTES * 2 ** wanted;
    if (this.inUseBytes > this.peakBytes) this.peakBytes = this.inUseBytes;
    return this.start + page * PAGE_BYTES;
  }

  free(offset: number): void {
    let page = (offset - this.start) / PAGE_BYTES;
    let order = this.#order[page] as number;
    assert(order >= 0 && this.#free[page] === 0, 'only what was allocated is freed', { offset, order });
    this.inUseBytes -= PAGE_BYTES * 2 ** order;
    while (order < this.#orders - 1) {
      const buddy = page ^ (1 << order);
      if (this.#free[buddy] !== 1 || this.#order[buddy] !== order) break;
      this.#unlink(buddy, order);
      this.#order[Math.max(page, buddy)] = NONE;
      page = Math.min(page, buddy);
      order += 1;
    }
    this.#push(page, order);
  }

  /** Offers every free range to `release` so that its pages can go back to the system. */
  trim(release: (offset: number, bytes: number) => void): void {
    for (let order = 0; order < this.#orders; order++) {
      for (let page = this.#heads[order] as number; page !== NONE; page = this.#next[page] as number) {
        release(this.start + page * PAGE_BYTES, PAGE_BYTES * 2 ** order);
      }
    }
    this.peakBytes = this.inUseBytes;
  }

  #push(page: number, order: number): void {
    const head = this.#heads[order] as number;
    this.#order[page] = order;
    this.#free[page] = 1;
    this.#next[page] = head;
    this.#previous[page] = NONE;
    if (head !== NONE) this.#previous[head] = page;
    this.#heads[order] = page;
  }

  #unlink(page: number, order: number): void {
    const next = this.#next[page] as number;
    const previous = this.#previous[page] as number;
    if (previous === NONE) this.#heads[order] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#free[page] = 0;
  }
}

function orderOf(bytes: number): number {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

/** The smallest power of two of pages that holds `bytes`. */
export function arenaBytes(bytes: number): number {
  return PAGE_BYTES * 2 ** orderOf(bytes);
}
