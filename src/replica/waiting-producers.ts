/** Producers whose batches are staged and who wait for them to be written or durable. Answered in the order of the log, each once. */
import { empty } from '../base/lists.ts';
import { ERROR } from '../wire/errors.ts';
import type { PartitionDesk } from './partition-desk.ts';

interface Waiting {
  readonly asker: number;
  readonly operation: number;
  readonly part: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly appendTime: number;
}

export class WaitingProducers {
  readonly #desk: PartitionDesk;
  readonly #waiting: Waiting[] = [];

  constructor(desk: PartitionDesk) {
    this.#desk = desk;
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  join(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Those whose batches end at or before `due` have what they waited for. */
  answer(due: number, logStart: number): void {
    let answered = 0;
    for (const { asker, operation, part, baseOffset, endOffset, appendTime } of this.#waiting) {
      if (endOffset > due) break;
      answered += 1;
      this.#desk.appended(asker, operation, part, ERROR.NONE, baseOffset, appendTime, logStart);
    }
    if (answered === this.#waiting.length) empty(this.#waiting);
    else if (answered > 0) this.#waiting.splice(0, answered);
  }

  /** Nobody gets what he waited for. */
  refuse(error: number, logStart: number): void {
    for (const { asker, operation, part } of this.#waiting)
      this.#desk.appended(asker, operation, part, error, -1, -1, logStart);
    empty(this.#waiting);
  }
}
