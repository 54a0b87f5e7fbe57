/**
 * The sparse time index of one segment: the largest timestamp so far and the last offset (relative to the segment) of the
 * first batch that has it. Timestamps rise strictly; the file holds int64 and int32. When the segment is finished its last
 * entry is its largest timestamp.
 */
import type { LogEnvironment } from './environment.ts';
import type { CachedFile } from './files.ts';
import { IndexFile, NO_ENTRY } from './index-file.ts';

const NO_TIMESTAMP = -1;

export class TimeIndex {
  readonly index: IndexFile;
  readonly #baseOffset: number;
  #lastTimestamp = NO_TIMESTAMP;
  #lastOffset: number;

  constructor(environment: LogEnvironment, file: CachedFile, baseOffset: number) {
    this.index = new IndexFile(environment, file, 'time');
    this.#baseOffset = baseOffset;
    this.#lastOffset = baseOffset;
  }

  /** Takes the file as it is. False when it cannot belong to a finished log of `logBytes`. */
  load(logBytes: number): boolean {
    const whole = this.index.load();
    this.#takeLast();
    const { entries } = this.index;
    if (entries === 0) return whole && logBytes === 0;
    const rises = entries === 1 ? this.#lastTimestamp >= 0 : this.#lastTimestamp > this.index.key(0);
    return whole && rises && this.#lastOffset >= this.#baseOffset;
  }

  /** Takes those entries in the file of a killed process that speak of records up to `offset`. False when they do not rise. */
  takeUpTo(offset: number): boolean {
    const { index } = this;
    index.loadWritten((_timestamp, relative) => this.#baseOffset + relative <= offset);
    this.#takeLast();
    if (index.entries < 2) return index.entries === 1;
    const before = index.at(index.entries - 2);
    return before.key < this.#lastTimestamp && before.value < this.#lastOffset - this.#baseOffset;
  }

  thaw(entries: number): void {
    this.index.reset(entries);
    this.#takeLast();
  }

  get lastTimestamp(): number {
    return this.#lastTimestamp;
  }

  get lastOffset(): number {
    return this.#lastOffset;
  }

  /** One place is kept for the entry that the end of the segment brings. */
  isFull(bytesMax: number): boolean {
    return this.index.entries >= this.index.capacity(bytesMax) - 1;
  }

  /** Nothing happens unless the timestamp is above the last one. */
  append(timestamp: number, offset: number): void {
    if (timestamp <= this.#lastTimestamp) return;
    this.index.append(timestamp, offset - this.#baseOffset);
    this.#lastTimestamp = timestamp;
    this.#lastOffset = offset;
  }

  /** An offset up to which every timestamp is at most `timestamp`: where to begin looking for it. */
  lookup(timestamp: number): number {
    const slot = this.index.search(timestamp);
    return slot < 0 ? this.#baseOffset : this.#baseOffset + this.index.value(slot);
  }

  clear(): void {
    this.index.clear();
    this.#takeLast();
  }

  #takeLast(): void {
    const last = this.index.entries - 1;
    const { key, value } = last < 0 ? NO_ENTRY : this.index.at(last);
    this.#lastTimestamp = last < 0 ? NO_TIMESTAMP : key;
    this.#lastOffset = this.#baseOffset + value;
  }
}
