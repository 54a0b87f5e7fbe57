/** A coordinator's log in memory: what is handed over waits until it is committed or lost, in order, or is refused at once. */
import type { Committed, Journal } from '../../src/coordinator/journal.ts';

interface Write<Record> {
  readonly records: readonly Record[];
  readonly done: Committed;
}

export class MemoryJournal<Record> implements Journal<Record> {
  /** What is committed. */
  readonly log: Record[] = [];
  readonly #open: Write<Record>[] = [];
  /** The code that the next writes are refused with; NONE takes them. */
  refusal = 0;

  get openCount(): number {
    return this.#open.length;
  }

  write(records: readonly Record[], done: Committed): number {
    if (this.refusal !== 0) return this.refusal;
    this.#open.push({ records: structuredClone(records), done });
    return 0;
  }

  /** The oldest writes, all unless told how many. */
  commit(count = this.#open.length, seen: (record: Record) => void = () => {}): void {
    for (const { records, done } of this.#open.splice(0, count)) {
      this.log.push(...records);
      records.forEach(seen);
      done(0);
    }
  }

  lose(error: number, count = this.#open.length): void {
    for (const { done } of this.#open.splice(0, count)) done(error);
  }

  /** As when the broker ends: of what was not told, the first writes may be in the log all the same. */
  cut(kept: number): void {
    for (const { records } of this.#open.splice(0).slice(0, kept)) this.log.push(...records);
  }
}
