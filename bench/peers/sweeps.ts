/** How cost grows: the same load over ever more partitions, and over ever more connections. */
import { type LoadResult, load } from '../limit/load.ts';
import type { Running } from '../limit/servers.ts';
import type { Amount } from './measures.ts';

export interface Sweep {
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  /** The figure of each line, as `about` says. */
  readonly counts: readonly number[];
  /** Ours at most so many times the cost at its first count. */
  readonly growthMost: number;
  prepare(server: Running, count: number): Promise<unknown>;
  measure(server: Running, count: number, amount: Amount): Promise<number>;
}

const RECORD = { mode: 'produce', depth: 4, connections: 16 } as const;
const REQUESTS = 50_000;

function perRequest(result: LoadResult): number {
  return (result.serverCpuSeconds * 1e6) / result.requests;
}

function topicOf(count: number): string {
  return `sweep-${count}`;
}

export const SWEEPS: readonly Sweep[] = [
  {
    name: 'partitions',
    about: 'single records of 1 KiB over many partitions, 16 connections: broker CPU per request',
    unit: 'µs',
    counts: [1, 10, 100, 1000],
    growthMost: 1.5,
    prepare: ({ port }, count) =>
      load({
        port,
        topic: topicOf(count),
        mode: 'produce',
        create: true,
        partitions: count,
        spread: count,
        requests: count,
        'connect-ms': 10_000,
      }),
    async measure({ port, pid }, count, { share }) {
      const requests = Math.ceil(REQUESTS * share);
      return perRequest(
        await load({
          port,
          topic: topicOf(count),
          watch: pid,
          ...RECORD,
          spread: count,
          requests,
          warmup: Math.ceil(requests / 10),
        }),
      );
    },
  },
  {
    name: 'connections',
    about: 'single records of 1 KiB over many connections, one partition: broker CPU per request',
    unit: 'µs',
    counts: [1, 10, 100, 1000],
    growthMost: 1.5,
    prepare: ({ port }, count) =>
      load({ port, topic: topicOf(count), mode: 'produce', create: true, requests: 1, 'connect-ms': 10_000 }),
    async measure({ port, pid }, count, { share }) {
      // A single connection sends one at a time: fewer requests take as long.
      const requests = Math.ceil((count < 10 ? REQUESTS / 5 : REQUESTS) * share);
      return perRequest(
        await load({
          port,
          topic: topicOf(count),
          watch: pid,
          mode: 'produce',
          connections: count,
          requests,
          warmup: Math.max(count, Math.ceil(requests / 10)),
        }),
      );
    },
  },
];
