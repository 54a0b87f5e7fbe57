/** How late the event loop of the main thread is. It is asked once a second, so that a broker at rest stays at rest. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const EVERY_MS = 1_000;

export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: EVERY_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  read(): { readonly delayP99Ms: number; readonly delayMaxMs: number } {
    const { count, max } = this.#histogram;
    if (count === 0) return { delayP99Ms: 0, delayMaxMs: 0 };
    return { delayP99Ms: late(this.#histogram.percentile(99)), delayMaxMs: late(max) };
  }
}

/** From the nanoseconds between two looks. */
function late(betweenNs: number): number {
  return Math.max(0, betweenNs / 1e6 - EVERY_MS);
}
