/**
 * The line before a partition's log: batches that are being opened elsewhere, and those that came after them. Nobody passes
 * anybody. Empty on the fast path. Keeps the memory of batches that were made anew until they are written.
 */
import type { Memory } from '../base/memory.ts';
import { RECORD_FAULT } from '../log/record-faults.ts';
import { ERROR } from '../wire/errors.ts';

/** A batch on its way into the log. */
export interface Applicant {
  readonly memory: Memory;
  readonly offset: number;
  readonly length: number;
  readonly asker: number;
  readonly operation: number;
  readonly part: number;
  /** OPENING, or the error code that came of it. */
  verdict: number;
  /** What is wrong with which record, where a single one is to blame. */
  fault: number;
  record: number;
  /** The batch to store in place of the one that came. */
  made: Memory | null;
}

const OPENING = -2;

export class AdmissionLine {
  readonly #applicants: Applicant[] = [];
  readonly #made: Memory[] = [];

  get empty(): boolean {
    return this.#applicants.length === 0;
  }

  join(
    memory: Memory,
    offset: number,
    length: number,
    asker: number,
    operation: number,
    part: number,
    opening: boolean,
  ): Applicant {
    const verdict = opening ? OPENING : ERROR.NONE;
    const fault = RECORD_FAULT.NONE;
    const applicant = { memory, offset, length, asker, operation, part, verdict, fault, record: -1, made: null };
    this.#applicants.push(applicant);
    return applicant;
  }

  /** Takes the first one out, unless it is still being opened. */
  next(): Applicant | null {
    const first = this.#applicants[0];
    if (first === undefined || first.verdict === OPENING) return null;
    this.#applicants.shift();
    return first;
  }

  /** The memory is needed until the next write. */
  keep(made: Memory): void {
    this.#made.push(made);
  }

  /** All that was kept; from here on it is the caller's. */
  takeKept(): Memory[] {
    return this.#made.length === 0 ? NOTHING : this.#made.splice(0);
  }
}

const NOTHING: Memory[] = [];
