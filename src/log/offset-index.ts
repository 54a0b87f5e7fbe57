/**
 * The sparse offset index of one segment: the last offset of a batch (relative to the segment) and where in the log that
 * batch begins. Entries rise in both; the file holds int32 and int32.
 */
import type { LogEnvironment } from './environment.ts';
import type { CachedFile } from './files.ts';
import { IndexFile, NO_ENTRY } from './index-file.ts';

export class OffsetIndex {
  readonly index: IndexFile;
  readonly #baseOffset: number;
  #lastOffset = -1;
  #lastPosition = 0;

  constructor(environment: LogEnvironment, file: CachedFile, baseOffset: number) {
    this.index = new IndexFile(environment, file, 'offset');
    this.#baseOffset = baseOffset;
  }

  /** Takes the file as it is. False when it cannot belong to a log of `logBytes`. */
  load(logBytes: number): boolean {
    const whole = this.index.load();
    this.#takeLast();
    const { entries } = this.index;
    return whole && (entries === 0 || (this.#lastOffset > this.#baseOffset && this.#lastPosition < logBytes));
  }

  /** Takes those entries in the file of a killed process that speak of batches below `mark`. */
  takeBelow(mark: number): void {
    this.index.loadWritten((key) => this.#baseOffset + key < mark);
    this.#takeLast();
  }

  /** Takes `entries` as they are known to be in the file. */
  thaw(entries: number): void {
    this.index.reset(entries);
    this.#takeLast();
  }

  get lastOffset(): number {
    return this.#lastOffset;
  }

  /** Where the last indexed batch begins, 0 when none is indexed. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  isFull(bytesMax: number): boolean {
    return this.index.entries >= this.index.capacity(bytesMax);
  }

  append(lastOffset: number, position: number): void {
    this.index.append(lastOffset - this.#baseOffset, position);
    this.#lastOffset = lastOffset;
    this.#lastPosition = position;
  }

  /** Where to begin looking for a batch that holds `offset`. */
  lookup(offset: number): number {
    if (offset >= this.#lastOffset && this.index.entries > 0) return this.#lastPosition;
    const slot = this.index.search(offset - this.#baseOffset);
    return slot < 0 ? 0 : this.index.value(slot);
  }

  clear(): void {
    this.index.clear();
    this.#takeLast();
  }

  #takeLast(): void {
    const last = this.index.entries - 1;
    const { key, value } = last < 0 ? NO_ENTRY : this.index.at(last);
    this.#lastOffset = last < 0 ? -1 : this.#baseOffset + key;
    this.#lastPosition = value;
  }
}
