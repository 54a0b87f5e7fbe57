/**
 * What a connection still has to send: bytes in memory and ranges of leased files, in order. Sends as much as the socket
 * takes; a lease is released as soon as its last byte is out, or when the connection ends.
 */
import { assert } from '../../base/assert.ts';
import type { Kernels } from '../../base/kernels.ts';
import { empty } from '../../base/lists.ts';
import { type Memory, NO_MEMORY, Pieces } from '../../base/memory.ts';
import type { Block, Intake } from './intake.ts';
import { type Transport, WOULD_BLOCK } from './transport.ts';

/** A range of a leased file. The wire room sees a hole of `length` bytes. */
export interface FileRange {
  readonly slot: number;
  readonly position: number;
  readonly length: number;
  /** Written a short while ago by this broker: its pages are there, nobody has to look. */
  readonly warm: boolean;
}

/** What sending ranges needs of the thread: shared by all its connections. */
export interface RangeDesk {
  /** From this many bytes on a range goes by sendfile, smaller ones are copied. */
  readonly zeroCopyMinBytes: number;
  /** Warm memory for copies. */
  readonly scratch: Memory;
  descriptor(slot: number): number;
  /** Reads into the scratch memory what the page cache has of the range; WOULD_BLOCK when it has nothing. */
  readWarm(descriptor: number, position: number, offset: number, length: number): number;
  /** True when the range's pages are there. */
  resident(descriptor: number, position: number, length: number): boolean;
  /** Brings the range in, then calls back. */
  readAhead(slot: number, position: number, length: number, done: () => void): void;
  release(slot: number): void;
  readonly intake: Intake;
  readonly counted: { zeroCopyBytes: number; copiedBytes: number; sentBytes: number };
}

export const SENT_ALL = 0;
/** The socket is full: wait until it is writable. */
export const BLOCKED = 1;
/** The connection's share of this turn is used up: go on in the next one. */
export const YIELDED = 2;
/** A cold range is being read: `resume` is called when it is there. */
export const COLD = 3;
export const BROKEN = 4;

/** A connection's share of a turn: 1 MiB of a log and what stands around it, so that such an answer leaves in one go. */
export const TURN_BYTES_MAX = 1_048_576 + 65_536;
/** A range is not begun with less than this left of the turn: two small pieces cost more than a whole one in the next turn. */
const PIECE_BYTES_MIN = 262_144;
const PIECES_AT_ONCE = 64;
/** A range that is cold again after so many reads, without a byte sent between them, cannot be read. */
const READ_AHEADS_MAX = 8;

interface Entry {
  memory: Memory;
  offset: number;
  length: number;
  range: FileRange | null;
  /** Where kept bytes lie. */
  block: Block | null;
  /** How much of the range is out. */
  done: number;
}

const pieces = new Pieces();

export class Outgoing {
  readonly #transport: Transport;
  readonly #desk: RangeDesk;
  readonly #resume: () => void;
  #entries: Entry[] = [];
  #first = 0;
  /** A cold range is on its way. */
  #coming = false;
  #readAheads = 0;
  #closed = false;

  constructor(transport: Transport, desk: RangeDesk, resume: () => void) {
    this.#transport = transport;
    this.#desk = desk;
    this.#resume = resume;
  }

  /** Enough to send before more answers are written. */
  get heavy(): boolean {
    return this.#entries.length - this.#first >= PIECES_AT_ONCE;
  }

  get empty(): boolean {
    return this.#first === this.#entries.length;
  }

  addBytes(memory: Memory, offset: number, length: number): void {
    if (length > 0) this.#entries.push({ memory, offset, length, range: null, block: null, done: 0 });
  }

  /** Takes over the lease. */
  addRange(range: FileRange): void {
    if (range.length > 0) this.#entries.push({ memory: NO_MEMORY, offset: 0, length: 0, range, block: null, done: 0 });
    else this.#desk.release(range.slot);
  }

  send(): number {
    if (this.#coming) return COLD;
    let budget = TURN_BYTES_MAX;
    while (!this.empty) {
      if (budget <= 0) return YIELDED;
      const head = this.#entries[this.#first] as Entry;
      const zeroCopy = head.range !== null && head.range.length >= this.#desk.zeroCopyMinBytes;
      if (zeroCopy && budget < PIECE_BYTES_MIN && budget < (head.range as FileRange).length - head.done) return YIELDED;
      const sent = zeroCopy ? this.#sendFile(head, budget) : this.#sendGathered(budget);
      if (sent === -COLD) return COLD;
      if (sent === WOULD_BLOCK) return BLOCKED;
      if (sent < 0) return BROKEN;
      budget -= sent;
      this.#readAheads = 0;
      this.#desk.counted.sentBytes += sent;
    }
    empty(this.#entries);
    this.#first = 0;
    return SENT_ALL;
  }

  /** Encoded bytes are valid in this turn only: what is left of them moves to the intake. False when that has no room. */
  keep(intake: Intake, kernels: Kernels): boolean {
    this.#entries.splice(0, this.#first);
    this.#first = 0;
    for (const entry of this.#entries) {
      if (entry.range !== null || entry.block !== null) continue;
      const block = intake.keep(entry.length);
      if (block === null) return false;
      kernels.move(intake.memory, block.offset, entry.memory, entry.offset, entry.length);
      entry.memory = intake.memory;
      entry.offset = block.offset;
      entry.block = block;
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    for (let i = this.#first; i < this.#entries.length; i++) {
      this.#letGo(this.#entries[i] as Entry);
    }
    this.#entries = [];
    this.#first = 0;
  }

  #sendFile(entry: Entry, budget: number): number {
    const range = entry.range as FileRange;
    const desk = this.#desk;
    const position = range.position + entry.done;
    const length = Math.min(range.length - entry.done, budget);
    const descriptor = desk.descriptor(range.slot);
    if (!range.warm && !desk.resident(descriptor, position, length)) return this.#warm(range, position, length);
    const sent = this.#transport.sendFile(descriptor, position, length);
    if (sent <= 0) return sent === 0 ? -1 : sent;
    desk.counted.zeroCopyBytes += sent;
    entry.done += sent;
    if (entry.done === range.length) this.#finish(entry);
    return sent;
  }

  /** Bytes and small ranges that lie behind each other leave in one call. */
  #sendGathered(budget: number): number {
    pieces.clear();
    const desk = this.#desk;
    let scratchUsed = 0;
    let cold: Entry | null = null;
    let more = false;
    for (let i = this.#first; i < this.#entries.length && pieces.count < PIECES_AT_ONCE; i++) {
      const entry = this.#entries[i] as Entry;
      if (entry.range === null) {
        pieces.add(entry.memory, entry.offset, Math.min(entry.length, budget - pieces.totalBytes));
      } else {
        if (entry.range.length >= desk.zeroCopyMinBytes) {
          more = true;
          break;
        }
        const room = Math.min(desk.scratch.bytes.length - scratchUsed, budget - pieces.totalBytes);
        const left = entry.range.length - entry.done;
        const length = Math.min(left, room);
        if (length <= 0) break;
        const descriptor = desk.descriptor(entry.range.slot);
        const read = desk.readWarm(descriptor, entry.range.position + entry.done, scratchUsed, length);
        if (read === WOULD_BLOCK) {
          cold = entry;
          break;
        }
        if (read <= 0) return -1;
        pieces.add(desk.scratch, scratchUsed, read);
        scratchUsed += read;
        if (read < left) break;
      }
      if (pieces.totalBytes >= budget) break;
    }
    if (pieces.count === 0) {
      assert(cold !== null, 'something is sent or cold');
      const range = cold.range as FileRange;
      return this.#warm(range, range.position + cold.done, range.length - cold.done);
    }
    const sent = this.#transport.send(pieces, more);
    if (sent < 0) return sent;
    desk.counted.copiedBytes += Math.min(sent, scratchUsed);
    this.#take(sent);
    return sent;
  }

  /** Marks `sent` bytes from the front as gone. */
  #take(sent: number): void {
    let left = sent;
    while (left > 0) {
      const entry = this.#entries[this.#first] as Entry;
      const open = entry.range === null ? entry.length : entry.range.length - entry.done;
      const part = Math.min(open, left);
      left -= part;
      if (entry.range === null) {
        entry.offset += part;
        entry.length -= part;
      } else entry.done += part;
      if (part === open) this.#finish(entry);
    }
  }

  #finish(entry: Entry): void {
    this.#first += 1;
    this.#letGo(entry);
  }

  #letGo(entry: Entry): void {
    if (entry.range !== null) this.#desk.release(entry.range.slot);
    if (entry.block !== null) this.#desk.intake.letGoKept(entry.block);
  }

  #warm(range: FileRange, position: number, length: number): number {
    this.#readAheads += 1;
    if (this.#readAheads > READ_AHEADS_MAX) return -1;
    this.#coming = true;
    this.#desk.readAhead(range.slot, position, length, () => {
      this.#coming = false;
      if (!this.#closed) this.#resume();
    });
    return -COLD;
  }
}
