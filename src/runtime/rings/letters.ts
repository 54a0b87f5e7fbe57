/**
 * Bytes of any length from one role to another, beside their ring: a message names a piece that lies in shared memory, the
 * reader copies it and gives the place back. Large letters go in several pieces; what finds no room waits at the writer, in
 * order. One writer, one reader.
 *
 *   message: a, b the sender's own   c error code   d offset of the piece   e its length   f the reader's new mark   g 1: more follows
 *   memory: int32 word 0 is the mark up to which the reader is done (bytes ever written, modulo 2^32); the pieces begin at byte 64
 */
import { assert } from '../../base/assert.ts';
import type { Outbox } from './ring.ts';

const FIRST_BYTE = 64;
/** A letter never fills the memory: others get in between its pieces. */
const PIECES_PER_MEMORY = 4;
const ALIGNED_TO = 8;

export const LETTERS_BYTES = 262_144;

export function newLetters(bytes = LETTERS_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(FIRST_BYTE + bytes);
}

interface Unsent {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly bytes: Uint8Array;
  from: number;
}

export class LetterWriter {
  readonly #outbox: Outbox;
  readonly #type: number;
  readonly #mark: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  readonly #pieceMax: number;
  readonly #unsent: Unsent[] = [];
  /** Bytes ever written, with those left out at the memory's end. */
  #written = 0;

  constructor(memory: SharedArrayBuffer, outbox: Outbox, type: number) {
    this.#outbox = outbox;
    this.#type = type;
    this.#mark = new Int32Array(memory, 0, 1);
    this.#bytes = new Uint8Array(memory, FIRST_BYTE);
    this.#capacity = this.#bytes.length;
    this.#pieceMax = Math.floor(this.#capacity / PIECES_PER_MEMORY);
  }

  /** Letters wait for their reader. */
  get congested(): boolean {
    return this.#unsent.length > 0;
  }

  /** The bytes are the writer's from here on. */
  send(a: number, b: number, c: number, bytes: Uint8Array): void {
    this.#unsent.push({ a, b, c, bytes, from: 0 });
    if (this.#unsent.length === 1) this.flush();
  }

  /** Sends what has room by now. */
  flush(): void {
    let sent = 0;
    for (const letter of this.#unsent) {
      if (!this.#put(letter)) break;
      sent += 1;
    }
    if (sent > 0) this.#unsent.splice(0, sent);
  }

  /** True when all of it is on its way. */
  #put(letter: Unsent): boolean {
    do {
      const length = Math.min(this.#pieceMax, letter.bytes.length - letter.from);
      const at = this.#place(length);
      if (at < 0) return false;
      const piece = letter.bytes.subarray(letter.from, letter.from + length);
      this.#bytes.set(piece, at);
      letter.from += length;
      const more = letter.from < letter.bytes.length ? 1 : 0;
      this.#outbox.send(this.#type, letter.a, letter.b, letter.c, at, length, this.#written | 0, more);
    } while (letter.from < letter.bytes.length);
    return true;
  }

  /** Where so many bytes fit in one piece, or -1. Pieces are aligned: copies to and fro are slow otherwise. */
  #place(bytes: number): number {
    const length = (bytes + ALIGNED_TO - 1) & -ALIGNED_TO;
    const used = ((this.#written | 0) - Atomics.load(this.#mark, 0)) >>> 0;
    const at = this.#written % this.#capacity;
    const left = this.#capacity - at;
    const skipped = length <= left ? 0 : left;
    if (used + skipped + length > this.#capacity) return -1;
    this.#written += skipped + length;
    return skipped > 0 ? 0 : at;
  }
}

export class LetterReader {
  readonly #mark: Int32Array;
  readonly #bytes: Uint8Array;
  #pieces: Uint8Array[] = [];

  constructor(memory: SharedArrayBuffer) {
    this.#mark = new Int32Array(memory, 0, 1);
    this.#bytes = new Uint8Array(memory, FIRST_BYTE);
  }

  /** The letter, once its last piece is here; null before. */
  take(words: Int32Array, at: number): Uint8Array | null {
    const offset = words[at + 4] as number;
    const length = words[at + 5] as number;
    assert(offset >= 0 && length >= 0 && offset + length <= this.#bytes.length, 'a letter lies in its memory', {
      offset,
      length,
    });
    const piece = this.#bytes.slice(offset, offset + length);
    Atomics.store(this.#mark, 0, words[at + 6] as number);
    if (words[at + 7] === 1) {
      this.#pieces.push(piece);
      return null;
    }
    if (this.#pieces.length === 0) return piece;
    this.#pieces.push(piece);
    return joined(this.#pieces.splice(0));
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
