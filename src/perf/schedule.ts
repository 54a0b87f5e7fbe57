/**
 * When requests start, and until when. At a rate each request has its own due time, fixed before the first one starts: what
 * waits behind a slow answer starts late and counts from when it was due, so a stall is seen by all whom it would have met.
 * Without a rate a request is due when there is room for it.
 */
export interface Span {
  readonly startMs: number;
  /** What is due in the first so many milliseconds is sent and not measured. */
  readonly warmupMs: number;
  /** How much is measured: a time, a number of requests, or whichever ends first. */
  readonly durationMs: number;
  readonly requests: number;
}

/** Nothing is due. */
export const NOT_NOW = Number.NaN;

export interface Schedule {
  /** When measuring begins. */
  readonly measureMs: number;
  /** When the lane's next request was due, if that is now or past: the caller starts it. */
  next(lane: number, nowMs: number): number;
  /** Nothing will be due any more. */
  finished(nowMs: number): boolean;
  /** The next moment at which something becomes due by the clock; infinity if nothing does. */
  wakeMs(nowMs: number): number;
}

export class FixedRate implements Schedule {
  readonly measureMs: number;
  readonly #startMs: number;
  readonly #everyMs: number;
  readonly #total: number;
  readonly #started: number[];

  /** Requests of a second go round the lanes. */
  constructor({ startMs, warmupMs, durationMs, requests }: Span, perSecond: number, lanes: number) {
    this.measureMs = startMs + warmupMs;
    this.#startMs = startMs;
    this.#everyMs = 1000 / perSecond;
    const before = Math.ceil(warmupMs / this.#everyMs);
    this.#total = Math.min(Math.ceil((warmupMs + durationMs) / this.#everyMs), before + requests);
    this.#started = new Array<number>(lanes).fill(0);
  }

  next(lane: number, nowMs: number): number {
    const started = this.#started[lane] as number;
    const number = started * this.#started.length + lane;
    if (number >= this.#total) return NOT_NOW;
    const dueMs = this.#dueMs(number);
    if (dueMs > nowMs) return NOT_NOW;
    this.#started[lane] = started + 1;
    return dueMs;
  }

  finished(): boolean {
    return this.#started.every((started, lane) => started * this.#started.length + lane >= this.#total);
  }

  wakeMs(nowMs: number): number {
    let number = Math.max(0, Math.floor((nowMs - this.#startMs) / this.#everyMs));
    while (this.#dueMs(number) <= nowMs) number += 1;
    return number < this.#total ? this.#dueMs(number) : Number.POSITIVE_INFINITY;
  }

  /** How many are due in all. */
  get total(): number {
    return this.#total;
  }

  #dueMs(number: number): number {
    return this.#startMs + number * this.#everyMs;
  }
}

export class FlatOut implements Schedule {
  readonly measureMs: number;
  readonly #endMs: number;
  #left: number;

  constructor({ startMs, warmupMs, durationMs, requests }: Span) {
    this.measureMs = startMs + warmupMs;
    this.#endMs = this.measureMs + durationMs;
    this.#left = requests;
  }

  next(_lane: number, nowMs: number): number {
    if (this.finished(nowMs)) return NOT_NOW;
    if (nowMs >= this.measureMs) this.#left -= 1;
    return nowMs;
  }

  finished(nowMs: number): boolean {
    return nowMs >= this.#endMs || this.#left <= 0;
  }

  wakeMs(): number {
    return Number.POSITIVE_INFINITY;
  }
}

interface Demand {
  /** Records a second; null for as fast as answers come. */
  readonly rate: number | null;
  readonly warmupMs: number;
  readonly durationMs: number;
  readonly records: number;
}

/** For requests of so many records each: what is asked for in records is rounded up to whole requests. */
export function scheduleOf(demand: Demand, recordsEach: number, lanes: number, startMs: number): Schedule {
  const { rate, warmupMs, durationMs, records } = demand;
  const span = { startMs, warmupMs, durationMs, requests: Math.ceil(records / recordsEach) };
  return rate === null ? new FlatOut(span) : new FixedRate(span, rate / recordsEach, lanes);
}
