/** What the owners of partitions answer to one request: a part for each that was asked. Complete when the last has answered. */
import { assert } from '../base/assert.ts';
import type { Floor, Operation } from './floor.ts';

export class Gathering<Answer> {
  /** The operation's number on the floor. */
  readonly id: number;
  readonly #floor: Floor;
  readonly #complete: () => void;
  readonly #parts: Answer[] = [];
  /** Whoever asks counts as one: nothing is complete before all are asked. */
  #open = 1;

  constructor(floor: Floor, operation: Operation, complete: () => void) {
    this.#floor = floor;
    this.#complete = complete;
    this.id = floor.open(operation);
  }

  /** An owner is going to be asked: the number of its part. */
  ask(answer: Answer): number {
    this.#open += 1;
    return this.#parts.push(answer) - 1;
  }

  part(number: number): Answer {
    const answer = this.#parts[number];
    assert(answer !== undefined, 'an owner answers a part that was asked', { part: number });
    return answer;
  }

  /** An owner has answered, or all have been asked. */
  done(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#floor.close(this.id);
    this.#complete();
  }
}
