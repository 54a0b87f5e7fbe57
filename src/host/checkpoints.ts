/**
 * How far the running logs are durable, kept on disk at intervals. A checkpoint that cannot be written leaves the one before:
 * an unclean start then scans more, and loses nothing.
 */
import type { Logger } from '../base/logger.ts';
import type { KeptOffsets } from './kept-offsets.ts';

export class Checkpoints {
  readonly #logger: Logger;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The broker has come as far as that: it serves. */
  get running(): boolean {
    return this.#timer !== null;
  }

  start(kept: KeptOffsets, everyMs: number): void {
    this.#timer = setInterval(() => {
      try {
        kept.checkpoint();
      } catch (problem) {
        this.#logger.error('checkpoint.failed', { why: (problem as Error).message });
      }
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}
