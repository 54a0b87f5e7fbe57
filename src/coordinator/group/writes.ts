/**
 * What the shard has handed to its journal and does not know the end of. Each write ends exactly once, refused or lost or
 * committed alike through `done`; when the shard closes, those that are open end with its error and later news is not heard.
 */
import type { Committed, Journal } from '../journal.ts';
import type { GroupRecord } from './records.ts';

export class Writes {
  readonly #journal: Journal<GroupRecord>;
  readonly #open = new Set<Committed>();
  #closed: number | null = null;

  constructor(journal: Journal<GroupRecord>) {
    this.#journal = journal;
  }

  get count(): number {
    return this.#open.size;
  }

  write(records: readonly GroupRecord[], done: Committed): void {
    if (this.#closed !== null) {
      done(this.#closed);
      return;
    }
    const end: Committed = (error) => {
      if (this.#open.delete(end)) done(error);
    };
    this.#open.add(end);
    const refused = this.#journal.write(records, end);
    if (refused !== 0) end(refused);
  }

  close(error: number): void {
    this.#closed = error;
    // A copy: what ends may write, which ends at once.
    for (const end of [...this.#open]) end(error);
  }
}
