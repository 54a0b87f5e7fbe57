/**
 * The background pool: long work that must not stop a loop. Submitted by the main thread, the only one that can wait for
 * a promise; its threads start with the first job and go when they have been idle for a while.
 */
import { Piscina } from 'piscina';
import type { OpenedBatch } from '../log/admission.ts';
import type { MovePartition, MoveResult } from '../log/move.ts';
import type { OpenBatch } from './open-batch.ts';

const THREADS_MAX = 2;
const IDLE_MS = 10_000;

function entry(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new URL(`./${name}${extension}`, import.meta.url).href;
}

export class Jobs {
  #pool: Piscina | null = null;

  openBatch(job: OpenBatch): Promise<OpenedBatch> {
    return this.#run('open-batch', job);
  }

  movePartition(job: MovePartition): Promise<MoveResult> {
    return this.#run('move-partition', job);
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }

  #run<T>(name: string, job: unknown): Promise<T> {
    this.#pool ??= new Piscina({ maxThreads: THREADS_MAX, minThreads: 0, idleTimeout: IDLE_MS });
    return this.#pool.run(job, { filename: entry(name) });
  }
}
