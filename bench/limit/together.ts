/** The same load into several partitions of one topic at the same time, each from a generator of its own. */
import { cpuSeconds } from '../kit/process.ts';
import type { Round } from '../kit/rounds.ts';
import { type LoadOptions, load } from './load.ts';
import type { Running } from './servers.ts';

/** What all of them moved, what the broker needed for it, and the slowest of their latencies. */
export async function loadTogether(
  { port, pid }: Running,
  options: LoadOptions,
  partitions: number,
): Promise<Round & { readonly seconds: number }> {
  const before = cpuSeconds(pid);
  const results = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => load({ port, partition, ...options })),
  );
  const cpu = cpuSeconds(pid) - before;
  const seconds = Math.max(...results.map((result) => result.seconds));
  const bytes = results.reduce((total, result) => total + result.bytes, 0);
  return {
    rate: bytes / 1e6 / seconds,
    cpu: cpu / (bytes / 1e9),
    cores: cpu / seconds,
    p99Us: Math.max(...results.map((result) => result.p99Us)),
    seconds,
  };
}
