/**
 * Faults of a broker's threads, on a board of shared memory: the test writes them, threads whose entries are in this folder
 * look. Names stand on the board as text; everything is off until a test turns it on.
 */
import { ENTRIES, type ThreadEntries, type WithEntries } from '../../../src/host/thread-entries.ts';

/** int32 words. */
const STALLED = 0;
const BLOCKER_STALLED = 1;
const LEAP_MS = 2;
const ARMED = 3;
const SKIPPED = 4;
const KIND = 5;
const HIT = 6;
const DYING = 7;
const PASSED_MS = 8;
const WORDS = 16;
const TEXT_BYTES = 256;
/** Texts behind the words. */
const OPERATION = 0;
const PATH = 1;
const VICTIM = 2;
const TEXTS = 3;

/** What a disk may answer in place of doing: a broken invariant, or the kernel's name for a fault. */
export const DISK_FAULTS = ['invariant', 'EIO', 'ENOSPC', 'EMFILE'] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];
/** A test that is over before it let go does not keep its threads for ever. */
const HELD_MS_MAX = 60_000;
const LOOK_EVERY_MS = 50;

export class FaultBoard {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(WORDS * 4 + TEXTS * TEXT_BYTES)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, WORDS);
  }

  // ---- The test's side

  /** For `startBroker`: its threads look at this board. */
  get options(): WithEntries {
    const entries: ThreadEntries = {
      thread: new URL('./thread.ts', import.meta.url),
      blocker: new URL('./blocker.ts', import.meta.url),
      board: this.memory,
    };
    return { [ENTRIES]: entries };
  }

  /** Handlers take nothing from their rings. */
  stallHandlers(stalled: boolean): void {
    Atomics.store(this.#words, STALLED, stalled ? 1 : 0);
  }

  /** Syncs do not come back. */
  stallBlocker(stalled: boolean): void {
    Atomics.store(this.#words, BLOCKER_STALLED, stalled ? 1 : 0);
    Atomics.notify(this.#words, BLOCKER_STALLED);
  }

  /** The wall clock stands elsewhere; the monotonic one goes on. */
  leap(ms: number): void {
    Atomics.store(this.#words, LEAP_MS, ms);
  }

  /** So much more time has passed for the broker, by both clocks. */
  pass(ms: number): void {
    Atomics.add(this.#words, PASSED_MS, ms);
  }

  /** The call of the disk after `skipped` more of its kind fails once, on a path that has `fragment` in it. */
  failDisk(operation: string, fragment: string, fault: DiskFault, skipped = 0): void {
    this.#write(OPERATION, operation);
    this.#write(PATH, fragment);
    Atomics.store(this.#words, SKIPPED, skipped);
    Atomics.store(this.#words, KIND, DISK_FAULTS.indexOf(fault));
    Atomics.store(this.#words, ARMED, 1);
  }

  /** How many calls of the disk have failed so. */
  get hit(): number {
    return Atomics.load(this.#words, HIT);
  }

  /** The thread throws in its next turn, outside of the work for any request or partition. */
  kill(thread: string): void {
    this.#write(VICTIM, thread);
    Atomics.store(this.#words, DYING, 1);
  }

  // ---- The threads' side

  get handlersStalled(): boolean {
    return Atomics.load(this.#words, STALLED) === 1;
  }

  get leapMs(): number {
    return Atomics.load(this.#words, LEAP_MS);
  }

  get passedMs(): number {
    return Atomics.load(this.#words, PASSED_MS);
  }

  /** Stands still while the blocker is to. */
  waitForBlocker(): void {
    for (let heldMs = 0; heldMs < HELD_MS_MAX; heldMs += LOOK_EVERY_MS)
      if (Atomics.wait(this.#words, BLOCKER_STALLED, 1, LOOK_EVERY_MS) === 'not-equal') return;
  }

  diskFault(operation: string, path: string): DiskFault | null {
    if (Atomics.load(this.#words, ARMED) === 0) return null;
    if (this.#read(OPERATION) !== operation || !path.includes(this.#read(PATH))) return null;
    if (Atomics.sub(this.#words, SKIPPED, 1) > 0) return null;
    if (Atomics.compareExchange(this.#words, ARMED, 1, 0) === 0) return null;
    Atomics.add(this.#words, HIT, 1);
    return DISK_FAULTS[Atomics.load(this.#words, KIND)] as DiskFault;
  }

  isDying(thread: string): boolean {
    return Atomics.load(this.#words, DYING) === 1 && this.#read(VICTIM) === thread;
  }

  #write(at: number, text: string): void {
    const bytes = new Uint8Array(this.memory, WORDS * 4 + at * TEXT_BYTES, TEXT_BYTES);
    bytes.fill(0);
    bytes.set(new TextEncoder().encode(text));
  }

  #read(at: number): string {
    const bytes = new Uint8Array(this.memory, WORDS * 4 + at * TEXT_BYTES, TEXT_BYTES).slice();
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }
}
