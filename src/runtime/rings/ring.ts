/**
 * A single-producer single-consumer queue of 64-byte messages over shared memory. One thread writes, one reads; the
 * two may be the same thread. A full ring is normal: the outbox keeps what did not fit, in order, and says it is congested.
 *
 *   int32 word 0: head (messages ever written)   word 16: tail (messages ever read)   from word 32: the slots
 *   slot: word 0 type, 1 ... 15 as the message's layout in messages.ts says; 64-bit values are float64 on even words
 */
import { assert } from '../../base/assert.ts';
import type { Bell } from './bell.ts';

export const MESSAGE_WORDS = 16;
const HEAD = 0;
const TAIL = 16;
const FIRST_SLOT = 32;

export function ringBytes(slots: number): number {
  assert(slots > 0 && (slots & (slots - 1)) === 0, 'a ring has a power of two slots', { slots });
  return (FIRST_SLOT + slots * MESSAGE_WORDS) * 4;
}

export function newRing(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(ringBytes(slots));
}

/** What both ends see: the words, and the same memory as float64. */
export class Ring {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly #mask: number;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
    this.#mask = (this.words.length - FIRST_SLOT) / MESSAGE_WORDS - 1;
  }

  get slots(): number {
    return this.#mask + 1;
  }

  get queued(): number {
    return (Atomics.load(this.words, HEAD) - Atomics.load(this.words, TAIL)) >>> 0;
  }

  slotAt(sequence: number): number {
    return FIRST_SLOT + (sequence & this.#mask) * MESSAGE_WORDS;
  }
}

/**
 * The writing end. `open(type)` gives the word index of a message to fill, `send()` publishes it. What is published is
 * seen at once; the consumer's bell is rung by `ringBell()`, once a turn.
 */
export class Outbox {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly #ring: Ring;
  readonly #bell: Bell;
  readonly #overflow: Int32Array[] = [];
  /** How many of its first ones are in the ring by now. */
  #moved = 0;
  readonly #spare = new Int32Array(MESSAGE_WORDS);
  readonly #spareFloats: Float64Array;
  #head: number;
  #dirty = false;

  constructor(memory: SharedArrayBuffer, bell: Bell) {
    this.#ring = new Ring(memory);
    this.#bell = bell;
    this.#head = Atomics.load(this.#ring.words, HEAD);
    this.words = this.#ring.words;
    this.floats = this.#ring.floats;
    this.#spareFloats = new Float64Array(this.#spare.buffer);
  }

  /** True while messages wait outside the ring: the owner should stop taking in work that ends here. */
  get congested(): boolean {
    return this.#overflow.length > this.#moved;
  }

  /** Sends a message of up to seven int32 and four float64: every message of ours has this shape. */
  send(
    type: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
    w = 0,
    x = 0,
    y = 0,
    z = 0,
  ): void {
    let words = this.words;
    let floats = this.floats;
    let at = 0;
    const inRing = !this.congested && this.#hasRoom();
    if (inRing) at = this.#ring.slotAt(this.#head);
    else {
      words = this.#spare;
      floats = this.#spareFloats;
    }
    words[at] = type;
    words[at + 1] = a;
    words[at + 2] = b;
    words[at + 3] = c;
    words[at + 4] = d;
    words[at + 5] = e;
    words[at + 6] = f;
    words[at + 7] = g;
    const half = at >> 1;
    floats[half + 4] = w;
    floats[half + 5] = x;
    floats[half + 6] = y;
    floats[half + 7] = z;
    if (inRing) this.#publish();
    else this.#overflow.push(this.#spare.slice());
  }

  /** Moves what waits outside into the ring as far as it has room, then wakes a sleeping consumer if anything is new. */
  ringBell(): void {
    while (this.congested && this.#hasRoom()) {
      this.words.set(this.#overflow[this.#moved++] as Int32Array, this.#ring.slotAt(this.#head));
      this.#publish();
    }
    this.#forgetMoved();
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#bell.ring();
  }

  /** A shift costs as much as the line is long; so the line is cut rarely, by its half at least. */
  #forgetMoved(): void {
    if (this.#moved === 0 || this.#moved * 2 < this.#overflow.length) return;
    this.#overflow.splice(0, this.#moved);
    this.#moved = 0;
  }

  #hasRoom(): boolean {
    return (this.#head - Atomics.load(this.words, TAIL)) >>> 0 < this.#ring.slots;
  }

  #publish(): void {
    this.#head = (this.#head + 1) | 0;
    Atomics.store(this.words, HEAD, this.#head);
    this.#dirty = true;
  }
}

/** The reading end: `peek()` gives the word index of the oldest message or -1; `next()` gives its slot back. */
export class Inbox {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly #ring: Ring;
  #tail: number;

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory);
    this.words = this.#ring.words;
    this.floats = this.#ring.floats;
    this.#tail = Atomics.load(this.words, TAIL);
  }

  get queued(): number {
    return this.#ring.queued;
  }

  peek(): number {
    return Atomics.load(this.words, HEAD) === this.#tail ? -1 : this.#ring.slotAt(this.#tail);
  }

  next(): void {
    this.#tail = (this.#tail + 1) | 0;
    Atomics.store(this.words, TAIL, this.#tail);
  }
}
