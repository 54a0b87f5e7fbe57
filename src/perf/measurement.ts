/** What a load has measured so far: counts, bytes, latencies and how late requests were sent; nothing of the warm-up is in it. */
import { Histogram } from './histogram.ts';

/** Histograms count tenths of a microsecond. */
const UNITS_PER_MS = 10_000;

export interface Latencies {
  readonly count: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

export interface Window {
  readonly seconds: number;
  readonly records: number;
  readonly bytes: number;
  readonly latencies: Latencies;
}

function latenciesOf(histogram: Histogram): Latencies {
  const us = (units: number): number => Math.round(units) / (UNITS_PER_MS / 1000);
  return {
    count: histogram.count,
    meanUs: us(histogram.mean),
    p50Us: us(histogram.quantile(0.5)),
    p90Us: us(histogram.quantile(0.9)),
    p99Us: us(histogram.quantile(0.99)),
    p999Us: us(histogram.quantile(0.999)),
    maxUs: us(histogram.largest),
  };
}

export class Measurement {
  readonly #latency = new Histogram();
  readonly #recent = new Histogram();
  readonly #late = new Histogram();
  readonly #acknowledged = new Histogram();
  #measureMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  #windowMs = 0;
  #requests = 0;
  #records = 0;
  #bytes = 0;
  #windowRecords = 0;
  #windowBytes = 0;

  /** What was due before this moment does not count. */
  begin(measureMs: number): void {
    this.#measureMs = measureMs;
    this.#windowMs = measureMs;
    this.#lastMs = measureMs;
  }

  /** A request is answered: latency counts from when it was due. */
  answered(dueMs: number, nowMs: number, records: number, bytes: number): void {
    if (dueMs < this.#measureMs) return;
    const units = (nowMs - dueMs) * UNITS_PER_MS;
    this.#latency.record(units);
    this.#recent.record(units);
    this.#requests += 1;
    this.#records += records;
    this.#bytes += bytes;
    this.#windowRecords += records;
    this.#windowBytes += bytes;
    this.#lastMs = nowMs;
  }

  sent(dueMs: number, nowMs: number): void {
    if (dueMs >= this.#measureMs) this.#late.record((nowMs - dueMs) * UNITS_PER_MS);
  }

  /** End to end: the producer has its answer, the consumer may not have the record yet. */
  acknowledged(dueMs: number, nowMs: number): void {
    if (dueMs >= this.#measureMs) this.#acknowledged.record((nowMs - dueMs) * UNITS_PER_MS);
  }

  get records(): number {
    return this.#records;
  }

  /** From the beginning to the last answer. */
  get seconds(): number {
    return (this.#lastMs - this.#measureMs) / 1000;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get latencies(): Latencies {
    return latenciesOf(this.#latency);
  }

  get late(): Latencies {
    return latenciesOf(this.#late);
  }

  get acknowledgements(): Latencies {
    return latenciesOf(this.#acknowledged);
  }

  /** What came since the last window; null while there is no measuring. */
  window(nowMs: number): Window | null {
    if (nowMs <= this.#windowMs) return null;
    const window = {
      seconds: (nowMs - this.#windowMs) / 1000,
      records: this.#windowRecords,
      bytes: this.#windowBytes,
      latencies: latenciesOf(this.#recent),
    };
    this.#recent.clear();
    this.#windowMs = nowMs;
    this.#windowRecords = 0;
    this.#windowBytes = 0;
    return window;
  }
}
