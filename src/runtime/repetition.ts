/**
 * How often the same thing may be said: at once the first time, then at most once a period, with how often it happened since.
 * A flood of faults makes a few lines, and their numbers add up to all of them.
 */
export class Repetition {
  readonly #everyMs: number;
  #unsaid = 0;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** It happened. Returns how often it has since it was last said, 0 when it is too soon to say it again. */
  happened(now: number): number {
    this.#unsaid += 1;
    return this.due(now);
  }

  /** How often it happened and was not said, once it may be. */
  due(now: number): number {
    if (this.#unsaid === 0 || now - this.#saidAt < this.#everyMs) return 0;
    const count = this.#unsaid;
    this.#unsaid = 0;
    this.#saidAt = now;
    return count;
  }
}
