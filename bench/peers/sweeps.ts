/** How cost grows: the same load over ever more partitions, and over ever more connections. */
import type { Goal } from '../kit/goals.ts';
import { makeTopic } from '../kit/topics.ts';
import { type LoadOptions, type LoadResult, load } from '../limit/load.ts';
import type { Running } from '../limit/servers.ts';
import type { Amount } from './measures.ts';

type Progress = (line: string) => void;

export interface Sweep {
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  /** The figure of each line, as `about` says. */
  readonly counts: readonly number[];
  /** What is asked of the growth from the first count to this one, of ours. */
  readonly goalCount: number;
  readonly goal: Goal;
  prepare(server: Running, count: number, progress: Progress): Promise<unknown>;
  measure(server: Running, count: number, amount: Amount): Promise<number>;
}

const RECORD: LoadOptions = { mode: 'produce', depth: 4, connections: 16 };
const REQUESTS = 50_000;
const CREATE_AT_ONCE = 1000;

function perRequest(result: LoadResult): number {
  return (result.serverCpuSeconds * 1e6) / result.requests;
}

function topicOf(name: string, count: number): string {
  return `${name}-${count}`;
}

function make({ name, port }: Running, topic: string, partitions: number, progress: Progress): Promise<void> {
  return makeTopic(port, topic, partitions, CREATE_AT_ONCE, (line) => progress(`${name}, ${line}`));
}

export const SWEEPS: readonly Sweep[] = [
  {
    name: 'partitions',
    about: 'single records of 1 KiB over many partitions of a broker that has all of these topics: CPU per request',
    unit: 'µs',
    counts: [1, 10, 100, 1000, 10_000],
    goalCount: 1000,
    goal: { ratio: 1.5 },
    prepare: (server, count, progress) => make(server, topicOf('partitions', count), count, progress),
    async measure({ port, pid }, count, { share }) {
      const requests = Math.ceil(REQUESTS * share);
      // Before the clock starts every partition has been written to.
      const warmup = Math.max(count, Math.ceil(requests / 10));
      const topic = topicOf('partitions', count);
      return perRequest(await load({ port, topic, watch: pid, ...RECORD, spread: count, requests, warmup }));
    },
  },
  {
    name: 'connections',
    about: 'single records of 1 KiB over many connections, one partition: CPU per request',
    unit: 'µs',
    counts: [1, 10, 100, 1000],
    goalCount: 1000,
    goal: { ratio: 1.5 },
    prepare: (server, count, progress) => make(server, topicOf('connections', count), 1, progress),
    async measure({ port, pid }, count, { share }) {
      // A single connection sends one at a time: fewer requests take as long.
      const requests = Math.ceil((count < 10 ? REQUESTS / 5 : REQUESTS) * share);
      const warmup = Math.max(count, Math.ceil(requests / 10));
      const topic = topicOf('connections', count);
      return perRequest(await load({ port, topic, watch: pid, mode: 'produce', connections: count, requests, warmup }));
    },
  },
];
