/**
 * What every thread may know of every partition without asking its owner: one slot of shared memory each, written by the
 * owner only, read under a sequence lock (odd while a write is under way). The owner's index and the watchers' bits are
 * single words of their own.
 *
 *   int32  0 sequence  1 owner (handler)  2 leader epoch  3 watchers (a bit per processor)  4 state
 *   float64 at byte 32: log start, high watermark, last stable, log end, durable end, bytes up to the high watermark
 */

export const SLOT_BYTES = 128;
export const PARTITIONS_MAX = 65_536;
/** A watcher is a bit of one word. */
export const WATCHERS_MAX = 31;

const WORDS = SLOT_BYTES / 4;
const FLOATS = SLOT_BYTES / 8;
const SEQUENCE = 0;
const OWNER = 1;
const EPOCH = 2;
const WATCHERS = 3;
const STATE = 4;
const FIRST_FLOAT = 4;

export const OFFLINE = 0;
export const ONLINE = 1;

/** One consistent reading. */
export interface PartitionView {
  leaderEpoch: number;
  logStartOffset: number;
  highWatermark: number;
  lastStableOffset: number;
  logEndOffset: number;
  durableEndOffset: number;
  /** Bytes ever appended below the high watermark, to count what came since. */
  visibleBytes: number;
}

export function newPartitionView(): PartitionView {
  return {
    leaderEpoch: 0,
    logStartOffset: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    logEndOffset: 0,
    durableEndOffset: 0,
    visibleBytes: 0,
  };
}

export class PublishedPartitions {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  /** Nobody reads it: an atomic store is what plain loads do not pass. */
  readonly #fence = new Int32Array(new SharedArrayBuffer(4));

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOT_BYTES * PARTITIONS_MAX);
  }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
  }

  publish(slot: number, view: PartitionView): void {
    const w = slot * WORDS;
    const f = slot * FLOATS + FIRST_FLOAT;
    Atomics.add(this.#words, w + SEQUENCE, 1);
    // On ARM plain stores may pass the addition, but not a load behind it.
    Atomics.load(this.#words, w + SEQUENCE);
    this.#words[w + EPOCH] = view.leaderEpoch;
    this.#floats[f] = view.logStartOffset;
    this.#floats[f + 1] = view.highWatermark;
    this.#floats[f + 2] = view.lastStableOffset;
    this.#floats[f + 3] = view.logEndOffset;
    this.#floats[f + 4] = view.durableEndOffset;
    this.#floats[f + 5] = view.visibleBytes;
    Atomics.add(this.#words, w + SEQUENCE, 1);
  }

  read(slot: number, into: PartitionView): void {
    const w = slot * WORDS;
    const f = slot * FLOATS + FIRST_FLOAT;
    for (;;) {
      const before = Atomics.load(this.#words, w + SEQUENCE);
      if ((before & 1) === 0) {
        into.leaderEpoch = this.#words[w + EPOCH] as number;
        into.logStartOffset = this.#floats[f] as number;
        into.highWatermark = this.#floats[f + 1] as number;
        into.lastStableOffset = this.#floats[f + 2] as number;
        into.logEndOffset = this.#floats[f + 3] as number;
        into.durableEndOffset = this.#floats[f + 4] as number;
        into.visibleBytes = this.#floats[f + 5] as number;
        // On ARM plain loads may pass an atomic load, so a store stands between.
        Atomics.store(this.#fence, 0, 0);
        if (Atomics.load(this.#words, w + SEQUENCE) === before) return;
      }
    }
  }

  owner(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + OWNER);
  }

  setOwner(slot: number, handler: number): void {
    Atomics.store(this.#words, slot * WORDS + OWNER, handler);
  }

  online(slot: number): boolean {
    return Atomics.load(this.#words, slot * WORDS + STATE) === ONLINE;
  }

  setState(slot: number, state: number): void {
    Atomics.store(this.#words, slot * WORDS + STATE, state);
  }

  /** A processor that will sleep until the partition advances; it must read the partition again after this. */
  watch(slot: number, processor: number): void {
    Atomics.or(this.#words, slot * WORDS + WATCHERS, 1 << processor);
  }

  /** The owner, after publishing: who watched; they must watch again. */
  takeWatchers(slot: number): number {
    if (Atomics.load(this.#words, slot * WORDS + WATCHERS) === 0) return 0;
    return Atomics.exchange(this.#words, slot * WORDS + WATCHERS, 0);
  }

  clear(slot: number): void {
    this.#words.fill(0, slot * WORDS, (slot + 1) * WORDS);
  }
}
