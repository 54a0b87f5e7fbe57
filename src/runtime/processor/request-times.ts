/**
 * Where the time of requests goes, by API: sums in shared memory, one table for each processor, written by its thread only and
 * read by whoever asks for metrics. There is one only where the broker was started to profile itself.
 *
 *   queue   from the turn that received it to its start
 *   work    reading it and starting it, on its processor
 *   wait    for the owners of its partitions, for the disk, for data that is to come
 *   send    from being answered to its last byte's being with the socket, behind the answers before it
 */
import { PROCESSORS_MAX } from '../shared.ts';

const FIGURES = ['count', 'queueMs', 'workMs', 'waitMs', 'sendMs'] as const;
export type PhaseTimes = Readonly<Record<(typeof FIGURES)[number], number>>;
/** Kafka's keys are below. */
const KEYS = 128;
const TABLE = KEYS * FIGURES.length;

export function requestTimesMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(PROCESSORS_MAX * TABLE * 8);
}

export class RequestTimes {
  readonly #table: Float64Array;

  constructor(memory: SharedArrayBuffer, processor: number) {
    this.#table = new Float64Array(memory, processor * TABLE * 8, TABLE);
  }

  add(apiKey: number, queueMs: number, workMs: number, waitMs: number, sendMs: number): void {
    if (apiKey < 0 || apiKey >= KEYS) return;
    const at = apiKey * FIGURES.length;
    const values = [1, queueMs, workMs, waitMs, sendMs];
    for (let i = 0; i < values.length; i++)
      this.#table[at + i] = (this.#table[at + i] as number) + (values[i] as number);
  }
}

/** Over all processors, by API key; those that nobody has asked are left out. */
export function readRequestTimes(memory: SharedArrayBuffer): Map<number, PhaseTimes> {
  const all = new Float64Array(memory);
  const times = new Map<number, PhaseTimes>();
  for (let key = 0; key < KEYS; key++) {
    const sums = FIGURES.map((_, figure) => {
      let sum = 0;
      for (let at = key * FIGURES.length + figure; at < all.length; at += TABLE) sum += all[at] as number;
      return sum;
    });
    if (sums[0] === 0) continue;
    times.set(key, Object.fromEntries(FIGURES.map((name, figure) => [name, sums[figure]])) as PhaseTimes);
  }
  return times;
}
