/** A coordinator's log in memory: what is handed over waits until it is committed or lost, in order, or is refused at once. */
import type { Committed, Journal } from '../../src/coordinator/journal.ts';
import { ERROR } from '../../src/wire/errors.ts';

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

  /** Another owner takes over: the first writes have come to it, and the one before hears of all of them too late. */
  cut(kept: number): void {
    this.#open.splice(0).forEach(({ records, done }, at) => {
      if (at < kept) this.log.push(...records);
      done(at < kept ? 0 : ERROR.NOT_LEADER_OR_FOLLOWER);
    });
  }
}
