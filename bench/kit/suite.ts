/** What every suite of the bench folder gives to the runner, and the one way to time small things: tinybench, medians, nanoseconds. */
import { Bench } from 'tinybench';
import { type Spread, spread } from './statistics.ts';
import type { Table } from './table.ts';

export interface SuiteOptions {
  /** A few seconds: enough to see that all works, too little to trust. */
  quick: boolean;
  /** The largest data a suite knows of. */
  full: boolean;
  /** Where data is written, in directories that go afterwards. */
  directory: string;
  progress(line: string): void;
}

export interface Row {
  name: string;
  value: number;
  unit: string;
  note?: string;
  /** Of all calls, where the value is their median. */
  spread?: Spread;
}

export interface Suite {
  /** One line: what the numbers decide. */
  question: string;
  run(options: SuiteOptions): Promise<readonly (Row | Table)[]>;
}

export interface Timed {
  name: string;
  /** How many operations one call does; short ones are looped so that the clock does not count. */
  operations: number;
  run(): unknown;
  /** Bytes of one operation, for a rate beside the time. */
  bytes?: number;
}

const TIME_MS = 500;
const QUICK_TIME_MS = 60;

/** Nanoseconds per operation, median and 99th percentile of the calls. */
export async function timed(tasks: readonly Timed[], options: SuiteOptions): Promise<Row[]> {
  const time = options.quick ? QUICK_TIME_MS : TIME_MS;
  const bench = new Bench({ time, warmupTime: time / 2, throws: true, retainSamples: true });
  for (const task of tasks) {
    bench.add(task.name, async () => void (await task.run()), { async: true });
  }
  bench.addEventListener('cycle', (event) => options.progress(event.task?.name ?? ''));
  await bench.run();
  return tasks.map((task) => rowOf(task, bench.getTask(task.name)?.result));
}

/** As `timed`, for tasks that never wait: no promise stands between two calls. */
export function timedSync(tasks: readonly Timed[], options: SuiteOptions): Row[] {
  const time = options.quick ? QUICK_TIME_MS : TIME_MS;
  const bench = new Bench({ time, warmupTime: time / 2, throws: true, retainSamples: true });
  for (const task of tasks) {
    bench.add(task.name, () => void task.run(), { async: false });
  }
  bench.addEventListener('cycle', (event) => options.progress(event.task?.name ?? ''));
  bench.runSync();
  return tasks.map((task) => rowOf(task, bench.getTask(task.name)?.result));
}

function rowOf(task: Timed, result: NonNullable<ReturnType<Bench['getTask']>>['result'] | undefined): Row {
  if (result?.state !== 'completed') throw new Error(`${task.name} did not complete: ${result?.state ?? 'never ran'}`);
  const ns = (ms: number): number => (ms * 1e6) / task.operations;
  const value = ns(result.latency.p50);
  const calls = spread((result.latency.samples ?? [result.latency.p50]).map(ns));
  const rate = task.bytes ? `${(task.bytes / value).toFixed(2)} GB/s, ` : '';
  return { name: task.name, value, unit: 'ns', note: `${rate}p99 ${ns(result.latency.p99).toFixed(0)}`, spread: calls };
}
