/**
 * A shard's journal over the partition that it lives with: what is written in one turn becomes one batch, appended at the
 * turn's end; whoever wrote hears of it when the partition answers. Batches are answered in the order they were appended.
 */
import { assert } from '../../base/assert.ts';
import { PortableKernels } from '../../base/portable-kernels.ts';
import { encodeGroupRecord } from '../../coordinator/group/record-format.ts';
import type { GroupRecord } from '../../coordinator/group/records.ts';
import type { Committed, Journal } from '../../coordinator/journal.ts';
import { HEADER_BYTES } from '../../wire/batch.ts';
import { ERROR } from '../../wire/errors.ts';
import { encodeBatch, type NewRecord } from '../../wire/records.ts';

export interface GroupJournalParts {
  /** What a batch may have at most. */
  batchBytesMax(): number;
  now(): number;
  /** Appends a batch; `done` is told what came of it. */
  append(batch: Uint8Array, done: Committed): void;
  /** There is something to append now. */
  wrote(): void;
}

/** Length, attributes, deltas, the lengths of key and value and the number of headers, all at their largest. */
const RECORD_OVERHEAD_BYTES = 32;
const kernels = new PortableKernels();

export class GroupJournal implements Journal<GroupRecord> {
  readonly #parts: GroupJournalParts;
  #records: NewRecord[] = [];
  #waiting: Committed[] = [];
  #bytes = HEADER_BYTES;

  constructor(parts: GroupJournalParts) {
    this.#parts = parts;
  }

  write(records: readonly GroupRecord[], done: Committed): number {
    assert(records.length > 0, 'what is written has records');
    const timestamp = this.#parts.now();
    const encoded = records.map((record): NewRecord => ({ timestamp, ...encodeGroupRecord(record) }));
    const bytes = encoded.reduce((sum, { key, value }) => {
      return sum + RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    }, 0);
    const bytesMax = this.#parts.batchBytesMax();
    if (HEADER_BYTES + bytes > bytesMax) return ERROR.RECORD_LIST_TOO_LARGE;
    if (this.#bytes + bytes > bytesMax) this.flush();
    this.#bytes += bytes;
    this.#records.push(...encoded);
    this.#waiting.push(done);
    this.#parts.wrote();
    return ERROR.NONE;
  }

  /** Appends what was written since. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    const records = this.#records;
    this.#waiting = [];
    this.#records = [];
    this.#bytes = HEADER_BYTES;
    const done: Committed = (error) => {
      for (const each of waiting) each(error);
    };
    this.#parts.append(encodeBatch({ records }, kernels), done);
  }

  /** What was not appended so far is lost. */
  drop(error: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#records = [];
    this.#bytes = HEADER_BYTES;
    for (const each of waiting) each(error);
  }
}
