/** How often and how long V8 stopped this thread to collect garbage, since it began. Looked at when counters are, so that a turn pays nothing. */
import * as v8 from 'node:v8';

const US_PER_MS = 1000;

export class GcPauses {
  readonly #profiler: v8.GCProfiler | null;
  #count = 0;
  #totalMs = 0;
  #longestMs = 0;

  constructor() {
    this.#profiler = profilerOf();
    this.#profiler?.start();
  }

  get count(): number {
    return this.#count;
  }

  get totalMs(): number {
    return this.#totalMs;
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  /** Adds what has been since the last look. */
  look(): void {
    if (this.#profiler === null) return;
    for (const { cost } of this.#profiler.stop().statistics) {
      const ms = cost / US_PER_MS;
      this.#count += 1;
      this.#totalMs += ms;
      this.#longestMs = Math.max(this.#longestMs, ms);
    }
    this.#profiler.start();
  }
}

/** Not every runtime that offers `node:v8` has one. */
function profilerOf(): v8.GCProfiler | null {
  try {
    return new v8.GCProfiler();
  } catch {
    return null;
  }
}
