/**
 * Which leader epoch wrote which offsets: (epoch, first offset) pairs, both strictly rising. Kept in the file
 * `leader-epoch-checkpoint`; with it, logs of different replicas find where they part.
 */
import { formatCheckpoint, parseCheckpoint, wholeNumber } from './checkpoint.ts';

export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

export const NO_EPOCH = -1;

export class LeaderEpochs {
  #entries: EpochEntry[] = [];
  /** Changed since the file was written. */
  changed = false;

  static parse(text: string, path: string): LeaderEpochs {
    const epochs = new LeaderEpochs();
    for (const line of parseCheckpoint(text, path)) {
      const [epoch, startOffset] = line.split(/\s+/);
      epochs.assign(wholeNumber(epoch, path), wholeNumber(startOffset, path));
    }
    epochs.changed = false;
    return epochs;
  }

  static of(entries: readonly EpochEntry[]): LeaderEpochs {
    const epochs = new LeaderEpochs();
    epochs.#entries = entries.slice();
    return epochs;
  }

  format(): string {
    return formatCheckpoint(this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`));
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? NO_EPOCH;
  }

  /** A batch of `epoch` begins at `startOffset`. Entries that contradict it belong to data that is gone. */
  assign(epoch: number, startOffset: number): void {
    const entries = this.#entries;
    const last = entries[entries.length - 1];
    if (epoch < 0 || (last !== undefined && last.epoch === epoch && last.startOffset <= startOffset)) return;
    this.#dropFromEnd((entry) => entry.epoch >= epoch || entry.startOffset >= startOffset);
    entries.push({ epoch, startOffset });
    this.changed = true;
  }

  /** The epoch that wrote an offset, NO_EPOCH when that is not known. */
  epochOf(offset: number): number {
    let found = NO_EPOCH;
    for (const { epoch, startOffset } of this.#entries) {
      if (startOffset > offset) break;
      found = epoch;
    }
    return found;
  }

  /** Where the given epoch, or the last one before it, ends in this log. Null for an epoch after all of ours. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd | null {
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset };
    const index = this.#entries.findIndex((entry) => entry.epoch > epoch);
    if (epoch < 0 || index < 0) return null;
    const next = this.#entries[index] as EpochEntry;
    return { epoch: this.#entries[index - 1]?.epoch ?? epoch, endOffset: next.startOffset };
  }

  truncateFromEnd(endOffset: number): void {
    if (this.#dropFromEnd((entry) => entry.startOffset >= endOffset)) this.changed = true;
  }

  /** Offsets below are gone; the epoch that holds the new start begins there now. */
  truncateFromStart(startOffset: number): void {
    const entries = this.#entries;
    let count = 0;
    while (count < entries.length && (entries[count] as EpochEntry).startOffset <= startOffset) count += 1;
    if (count === 0) return;
    const holder = entries[count - 1] as EpochEntry;
    if (count === 1 && holder.startOffset === startOffset) return;
    entries.splice(0, count, { epoch: holder.epoch, startOffset });
    this.changed = true;
  }

  clear(): void {
    if (this.#entries.length > 0) this.changed = true;
    this.#entries.length = 0;
  }

  #dropFromEnd(goes: (entry: EpochEntry) => boolean): boolean {
    const entries = this.#entries;
    const before = entries.length;
    while (entries.length > 0 && goes(entries[entries.length - 1] as EpochEntry)) entries.pop();
    return entries.length < before;
  }
}
