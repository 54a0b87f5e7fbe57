/**
 * Open files that several threads use, in shared memory: a slot holds a descriptor and who keeps it open. Its owner opened
 * it; leases keep it open after the owner let go. Whoever leaves last is told the descriptor and closes it.
 *
 *   slot: int32 holders = leases * 2 + (1 while the owner holds), int32 descriptor
 *
 * A slot with no holder is free; only its owner, in whose stripe it lies, takes it again. A lease may be multiplied by any
 * thread that has one, or by the owner while it holds.
 */
import { assert } from '../base/assert.ts';

export const FILE_SLOT_BYTES = 8;

const WORDS = FILE_SLOT_BYTES / 4;
const DESCRIPTOR = 1;
const OWNED = 1;
const LEASE = 2;

export class FileTable {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #end: number;
  #next: number;

  static memory(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(slots * FILE_SLOT_BYTES);
  }

  /** `first` and `count` are this owner's stripe; a thread that only holds leases has none. */
  constructor(words: Int32Array, first = 0, count = 0) {
    assert((first + count) * WORDS <= words.length, 'a stripe lies within the table', { first, count });
    this.#words = words;
    this.#first = first;
    this.#end = first + count;
    this.#next = first;
  }

  /** Takes a free slot for a file that was just opened; -1 when the stripe is full of files that others still read. */
  add(descriptor: number): number {
    const size = this.#end - this.#first;
    for (let tried = 0; tried < size; tried++) {
      const slot = this.#next;
      this.#next = slot + 1 === this.#end ? this.#first : slot + 1;
      if (Atomics.load(this.#words, slot * WORDS) !== 0) continue;
      Atomics.store(this.#words, slot * WORDS + DESCRIPTOR, descriptor);
      Atomics.store(this.#words, slot * WORDS, OWNED);
      return slot;
    }
    return -1;
  }

  /** Whoever asks holds the slot, as owner or by lease. */
  descriptor(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + DESCRIPTOR);
  }

  retain(slot: number): void {
    const before = Atomics.add(this.#words, slot * WORDS, LEASE);
    assert(before > 0, 'a lease is taken from somebody who holds the file', { slot });
  }

  /** Ends a lease. The descriptor to close when nobody is left, else -1. */
  release(slot: number): number {
    return this.#leave(slot, LEASE);
  }

  /** The owner lets go. The descriptor to close when nobody is left, else -1. */
  drop(slot: number): number {
    return this.#leave(slot, OWNED);
  }

  /** Leases in the whole table. */
  leased(): number {
    let sum = 0;
    for (let at = 0; at < this.#words.length; at += WORDS) sum += Atomics.load(this.#words, at) >> 1;
    return sum;
  }

  /** Takes every file from whoever held it, when they have all died: the descriptors to close. */
  abandon(): number[] {
    const descriptors: number[] = [];
    for (let at = 0; at < this.#words.length; at += WORDS) {
      if (Atomics.exchange(this.#words, at, 0) > 0) descriptors.push(Atomics.load(this.#words, at + DESCRIPTOR));
    }
    return descriptors;
  }

  #leave(slot: number, share: number): number {
    // Read first: once the last share is gone the owner may put another file here.
    const descriptor = Atomics.load(this.#words, slot * WORDS + DESCRIPTOR);
    const before = Atomics.sub(this.#words, slot * WORDS, share);
    assert(before >= share, 'a file is released once by each holder', { slot, before });
    return before === share ? descriptor : -1;
  }
}
