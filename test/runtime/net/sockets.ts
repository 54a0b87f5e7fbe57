/** A socket and log files made of nothing: the test says what comes, how much goes out, and what the page cache has. */
import type { Memory, Pieces } from '../../../src/base/memory.ts';
import type { FileRange } from '../../../src/runtime/net/outgoing.ts';
import { END, type Transport, WOULD_BLOCK } from '../../../src/runtime/net/transport.ts';

/** Asked at every step, so cheaper than an `expect`. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`broken: ${what}`);
}

/** ECONNRESET, as the native transport gives it. */
export const RESET = -104;

/** Where ranges of files are read. */
export interface ReadFiles {
  read(descriptor: number, position: number, length: number): Uint8Array;
}

export class FakeTransport implements Transport {
  readonly peer = 'client:1';
  readonly files: ReadFiles;
  #incoming: Uint8Array[] = [];
  #ended = false;
  #broken = false;
  readonly #sent: Uint8Array[] = [];
  /** Bytes that the other end takes before it must read. */
  room = Number.POSITIVE_INFINITY;
  /** Bytes that go out in one call at most. */
  sendMax = Number.POSITIVE_INFINITY;
  reading = false;
  writing = false;
  closed = 0;
  sendFileCalls = 0;
  moved = 0;
  /** It said that it is full. */
  #full = false;

  constructor(files: ReadFiles) {
    this.files = files;
  }

  /** What comes in one segment: a receive gives no more than one. */
  arrive(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#incoming.push(bytes);
  }

  finish(): void {
    this.#ended = true;
  }

  reset(): void {
    this.#broken = true;
  }

  get waitingBytes(): number {
    return this.#incoming.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  get sent(): Uint8Array {
    return Buffer.concat(this.#sent);
  }

  /** What came out since this was asked last. */
  taken(): Uint8Array {
    return Buffer.concat(this.#sent.splice(0));
  }

  get isReadable(): boolean {
    return this.reading && (this.#incoming.length > 0 || this.#ended || this.#broken);
  }

  get isWritable(): boolean {
    return this.writing && (this.room > 0 || this.#broken);
  }

  receive(memory: Memory, offset1: number, length1: number, offset2: number, length2: number): number {
    must(this.closed === 0, 'nothing is received behind the end');
    must(length1 + length2 > 0, 'a receive has room');
    if (this.#broken) return RESET;
    const first = this.#incoming[0];
    if (first === undefined) return this.#ended ? END : WOULD_BLOCK;
    let done = 0;
    for (const [offset, length] of [
      [offset1, length1],
      [offset2, length2],
    ] as const) {
      must(length >= 0 && offset >= 0 && offset + length <= memory.bytes.length, 'a place lies in its memory');
      const part = Math.min(length, first.length - done);
      memory.bytes.set(first.subarray(done, done + part), offset);
      done += part;
    }
    if (done === first.length) this.#incoming.shift();
    else this.#incoming[0] = first.subarray(done);
    this.moved += done;
    return done;
  }

  send(pieces: Pieces): number {
    must(pieces.count > 0, 'a send has something');
    let left = this.#take();
    if (left <= 0) return left;
    let sent = 0;
    for (let i = 0; i < pieces.count && left > 0; i++) {
      must(pieces.lengthOf(i) > 0, 'a piece has bytes');
      const offset = pieces.offsetOf(i);
      const part = Math.min(pieces.lengthOf(i), left);
      this.#sent.push(pieces.memoryOf(i).bytes.slice(offset, offset + part));
      left -= part;
      sent += part;
    }
    return this.#gone(sent);
  }

  sendFile(descriptor: number, position: number, length: number): number {
    must(length > 0, 'a range has bytes');
    this.sendFileCalls += 1;
    const left = this.#take();
    if (left <= 0) return left;
    const bytes = this.files.read(descriptor, position, Math.min(length, left));
    this.#sent.push(bytes);
    return this.#gone(bytes.length);
  }

  interest(read: boolean, write: boolean): void {
    must(this.closed === 0, 'no interest behind the end');
    this.reading = read;
    this.writing = write;
  }

  close(): void {
    this.closed += 1;
    must(this.closed === 1, 'a socket is closed once');
  }

  #take(): number {
    must(this.closed === 0, 'nothing is sent behind the end');
    if (this.#broken) return RESET;
    if (this.room > 0) {
      this.#full = false;
      return Math.min(this.room, this.sendMax);
    }
    must(!this.#full, 'a full socket is left alone until it can be written');
    this.#full = true;
    return WOULD_BLOCK;
  }

  #gone(bytes: number): number {
    this.room -= bytes;
    this.moved += bytes;
    return bytes;
  }
}

export interface FakeFile {
  readonly bytes: Uint8Array;
  leases: number;
  warm: boolean;
}

const DESCRIPTOR = 1_000;

/** Log files with counted leases, which are in the page cache or not. */
export class FakeFiles {
  readonly files: FakeFile[] = [];

  add(bytes: Uint8Array, warm = true): number {
    return this.files.push({ bytes, leases: 0, warm }) - 1;
  }

  file(slot: number): FakeFile {
    const file = this.files[slot];
    must(file !== undefined, 'a slot was given out');
    return file;
  }

  lease(slot: number, position: number, length: number, warm = false): FileRange {
    this.file(slot).leases += 1;
    return { slot, position, length, warm };
  }

  release(slot: number): void {
    const file = this.file(slot);
    file.leases -= 1;
    must(file.leases >= 0, 'a lease is released once');
  }

  descriptor(slot: number): number {
    must(this.file(slot).leases > 0, 'a file is used under lease');
    return DESCRIPTOR + slot;
  }

  read(descriptor: number, position: number, length: number): Uint8Array {
    return this.file(descriptor - DESCRIPTOR).bytes.slice(position, position + length);
  }

  isWarm(descriptor: number): boolean {
    return this.file(descriptor - DESCRIPTOR).warm;
  }

  get leases(): number {
    return this.files.reduce((sum, { leases }) => sum + leases, 0);
  }
}
