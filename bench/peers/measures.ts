/**
 * What both brokers are asked, one measure after the other, each with fresh brokers. Broker CPU is of the whole process, from
 * outside. Figures without a goal are for information.
 */

import { cpuSeconds } from '../kit/process.ts';
import type { Round } from '../kit/rounds.ts';
import { CASES } from '../limit/cases.ts';
import { type LoadOptions, type LoadResult, load } from '../limit/load.ts';
import type { Running } from '../limit/servers.ts';
import { kcatConsume, kcatProduce, perf, recordsFile } from './clients.ts';
import type { FigureKind, Goal } from './goals.ts';
import { javaProducer } from './kafka.ts';

export interface Amount {
  /** 1 in a normal run, a small part of it in a quick one. */
  readonly share: number;
  /** Where files of the bench may lie. */
  readonly directory: string;
}

export interface Measure {
  readonly name: string;
  readonly about: string;
  readonly figures: readonly FigureKind[];
  prepare?(server: Running, amount: Amount): Promise<unknown>;
  round(server: Running, amount: Amount): Promise<Round>;
}

const TOPIC = 'peers';
const RECORDS = 500_000;
const JAVA_RECORDS = 300_000;
const KCAT_TOPIC = 'kcat';
/** Like `prime` of the limit bench: twice what is written. */
const PRIME_MOST = 4e9;

function perGb(result: LoadResult): number {
  return result.serverCpuSeconds / (result.bytes / 1e9);
}

function perRequest(result: LoadResult): number {
  return (result.serverCpuSeconds * 1e6) / result.requests;
}

function ofCase(name: string, share: number): LoadOptions {
  const found = CASES.find((test) => test.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  const { round } = found;
  const part: LoadOptions = { ...round };
  for (const key of ['bytes', 'requests', 'warmup'] as const)
    if (typeof round[key] === 'number') part[key] = Math.ceil(round[key] * share);
  return part;
}

const cpuGoal = (goal: Goal, unit: 's/GB' | 'µs' = 's/GB'): FigureKind => ({
  key: 'cpu',
  name: unit === 's/GB' ? 'broker CPU per GB' : 'broker CPU per request',
  unit,
  goal,
});
const RATE: FigureKind = { key: 'rate', name: 'throughput', unit: 'MB/s' };

function bulk(name: string, about: string, goal: Goal): Measure {
  const writes = name.startsWith('produce');
  return {
    name,
    about,
    figures: [cpuGoal(goal), RATE],
    async prepare({ port }, { share }) {
      const fill = CASES.find((test) => test.name === name)?.fill ?? { mode: 'produce', requests: 1 };
      const part =
        typeof fill.bytes === 'number' ? { ...fill, bytes: Math.ceil(fill.bytes * Math.max(share, 0.25)) } : fill;
      await load({ port, topic: TOPIC, create: true, 'connect-ms': 10_000, ...part });
    },
    async round({ port, pid }, { share }) {
      const options = ofCase(name, share);
      const prime = writes ? Math.min(2 * Number(options.bytes), PRIME_MOST) : 0;
      const result = await load({ port, topic: TOPIC, watch: pid, prime, ...options });
      return { cpu: perGb(result), rate: result.megabytesPerSecond };
    },
  };
}

function requests(name: string, about: string, figures: readonly FigureKind[], options: LoadOptions): Measure {
  return {
    name,
    about,
    figures,
    prepare: ({ port }) =>
      load({ port, topic: TOPIC, create: true, 'connect-ms': 10_000, mode: 'produce', requests: 1 }),
    async round({ port, pid }, { share }) {
      const part: LoadOptions = { ...options };
      for (const key of ['requests', 'warmup'] as const) part[key] = Math.ceil(Number(options[key]) * share);
      const result = await load({ port, topic: TOPIC, watch: pid, ...part });
      const { requestsPerSecond, p50Us, p99Us, p999Us } = result;
      return { cpu: perRequest(result), requests: requestsPerSecond, p50: p50Us, p99: p99Us, p999: p999Us };
    },
  };
}

/** Throughput of bytes that a client from outside has moved, and what the broker needed for it. */
async function watched(server: Running, bytes: number, move: () => Promise<number>): Promise<Round> {
  const before = cpuSeconds(server.pid);
  const seconds = await move();
  return { cpu: (cpuSeconds(server.pid) - before) / (bytes / 1e9), rate: bytes / 1e6 / seconds };
}

const noLess: FigureKind = { ...RATE, goal: { ratio: 1, atLeast: true } };

export const MEASURES: readonly Measure[] = [
  bulk('produce-1m', 'produce, 1 MiB batches of 1 KiB records, 1 connection', { ratio: 0.45, stretch: 0.3 }),
  bulk('produce-64k', 'produce, 64 KiB batches of 1 KiB records, 1 connection', { ratio: 0.4 }),
  bulk('fetch-1m', 'fetch, 1 MiB answers, 1 connection', { ratio: 1.15, stretch: 1 }),
  bulk('fetch-64k', 'fetch, 64 KiB answers, 1 connection', { ratio: 0.4 }),
  requests(
    'small',
    'produce, one 1 KiB record a request, 100 connections',
    [
      cpuGoal({ ratio: 0.45 }, 'µs'),
      { key: 'requests', name: 'requests a second', unit: '1/s', goal: { ratio: 1.3, stretch: 1.8, atLeast: true } },
    ],
    { mode: 'produce', connections: 100, requests: 200_000, warmup: 20_000 },
  ),
  requests('apiversions', 'ApiVersions, 10 connections', [cpuGoal({ ratio: 0.12 }, 'µs')], {
    mode: 'apiversions',
    connections: 10,
    requests: 200_000,
    warmup: 20_000,
  }),
  requests(
    'latency',
    '2,000 single-record requests a second on 10 connections',
    [
      { key: 'p50', name: 'p50', unit: 'µs', goal: { ratio: 0.7 } },
      { key: 'p99', name: 'p99', unit: 'µs', goal: { ratio: 0.7 } },
      { key: 'p999', name: 'p99.9', unit: 'µs', goal: { ratio: 0.4 } },
    ],
    { mode: 'produce', connections: 10, depth: 8, rate: 2000, requests: 20_000, warmup: 2_000 },
  ),
  {
    name: 'librdkafka-produce',
    about: 'kcat (librdkafka) producer, 1 KiB, acks=all',
    figures: [cpuGoal({ ratio: 0.5 }), noLess],
    prepare: ({ port }) =>
      load({ port, topic: KCAT_TOPIC, create: true, 'connect-ms': 10_000, mode: 'produce', requests: 1 }),
    round(server, { share, directory }) {
      const records = Math.ceil(RECORDS * share);
      const file = recordsFile(directory, records);
      return watched(server, records * 1024, () => kcatProduce(server.port, KCAT_TOPIC, file));
    },
  },
  {
    name: 'librdkafka-consume',
    about: 'kcat (librdkafka) consumer, 1 KiB',
    figures: [cpuGoal({ ratio: 1.1, stretch: 0.9 }), noLess],
    async prepare({ port }, { share, directory }) {
      await load({ port, topic: KCAT_TOPIC, create: true, 'connect-ms': 10_000, mode: 'produce', requests: 1 });
      await kcatProduce(port, KCAT_TOPIC, recordsFile(directory, Math.ceil(RECORDS * share)));
    },
    round(server, { share }) {
      const records = Math.ceil(RECORDS * share);
      return watched(server, records * 1024, () => kcatConsume(server.port, KCAT_TOPIC, records));
    },
  },
  {
    name: 'java-produce',
    about: "Kafka's own producer by its perf tool, 1 KiB, acks=all",
    figures: [{ key: 'cpu', name: 'broker CPU per GB', unit: 's/GB' }, RATE],
    prepare: ({ port }) =>
      load({ port, topic: TOPIC, create: true, 'connect-ms': 10_000, mode: 'produce', requests: 1 }),
    async round({ port, pid }, { share }) {
      const records = Math.ceil(JAVA_RECORDS * share);
      const before = cpuSeconds(pid);
      const { megabytesPerSecond } = await javaProducer(port, TOPIC, records);
      return { cpu: (cpuSeconds(pid) - before) / ((records * 1024) / 1e9), rate: megabytesPerSecond };
    },
  },
  {
    name: 'end-to-end',
    about: 'odradek perf end-to-end, 500 single records a second, from due to read',
    figures: [
      { key: 'p50', name: 'p50', unit: 'µs' },
      { key: 'p99', name: 'p99', unit: 'µs' },
    ],
    prepare: ({ port }) =>
      load({ port, topic: TOPIC, create: true, 'connect-ms': 10_000, mode: 'produce', requests: 1 }),
    async round({ port }, { share }) {
      const records = String(Math.ceil(5000 * share));
      const { latency } = await perf(port, 'end-to-end', '--topic', TOPIC, '--rate', '500', '--records', records);
      return { p50: latency.p50Us, p99: latency.p99Us };
    },
  },
];
