/**
 * What both brokers are asked, one measure after the other, each with fresh brokers. Broker CPU is of the whole process, from
 * outside. Figures without a goal are for information.
 */

import type { Goal } from '../kit/goals.ts';
import { cpuSeconds } from '../kit/process.ts';
import type { Round } from '../kit/rounds.ts';
import { makeTopic } from '../kit/topics.ts';
import { CASES } from '../limit/cases.ts';
import { type LoadOptions, type LoadResult, load } from '../limit/load.ts';
import type { Running } from '../limit/servers.ts';
import { kcatConsume, kcatProduce, perf, recordsFile } from './clients.ts';
import type { FigureKind } from './figure-kind.ts';
import { javaConsumer, javaProducer } from './java-clients.ts';

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
  /** Its figures are compared with each other: they stand in a table of their own. */
  readonly isTable?: true;
  prepare?(server: Running, amount: Amount): Promise<unknown>;
  round(server: Running, amount: Amount): Promise<Round>;
}

const TOPIC = 'peers';
const RECORDS = 500_000;
const JAVA_RECORDS = 300_000;
const LATENCY_SECONDS = 10;
const KCAT_TOPIC = 'kcat';
/** Like `prime` of the limit bench: twice what is written. */
const PRIME_MOST = 4e9;

function perGb(result: LoadResult): number {
  return result.serverCpuSeconds / (result.bytes / 1e9);
}

/** In µs of CPU for each, which are as many CPU-seconds for a million. */
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
  name: unit === 's/GB' ? 'CPU per GB' : 'CPU per request',
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
      await makeTopic(port, TOPIC);
      await load({ port, topic: TOPIC, ...part });
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
    prepare: ({ port }) => makeTopic(port, TOPIC),
    async round({ port, pid }, { share }) {
      const part: LoadOptions = { ...options };
      for (const key of ['requests', 'warmup'] as const) part[key] = Math.ceil(Number(options[key]) * share);
      const result = await load({ port, topic: TOPIC, watch: pid, ...part });
      const { requestsPerSecond, p50Us, p99Us, p999Us } = result;
      return { cpu: perRequest(result), requests: requestsPerSecond, p50: p50Us, p99: p99Us, p999: p999Us };
    },
  };
}

/** Throughput of bytes that a client from outside has moved, in MB/s, and what the broker needed for it. */
async function watched(server: Running, bytes: number, move: () => Promise<number>): Promise<Round> {
  const before = cpuSeconds(server.pid);
  const rate = await move();
  return { cpu: (cpuSeconds(server.pid) - before) / (bytes / 1e9), rate };
}

/** Each request is due at its time, and what it takes counts from then. */
function latency(name: string, rate: number, goals: Readonly<Record<string, Goal>> = {}): Measure {
  const figures = [
    { key: 'p50', name: 'p50', unit: 'µs' },
    { key: 'p99', name: 'p99', unit: 'µs' },
    { key: 'p999', name: 'p99.9', unit: 'µs' },
  ].map((kind) => {
    const goal = goals[kind.key];
    return goal === undefined ? kind : { ...kind, goal };
  });
  const about = `${rate.toLocaleString('en')} single-record requests a second on 10 connections`;
  const amount = { requests: rate * LATENCY_SECONDS, warmup: rate };
  const measure = requests(name, about, figures, { mode: 'produce', connections: 10, depth: 8, rate, ...amount });
  return { ...measure, isTable: true };
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
  latency('latency', 2_000, { p50: { ratio: 0.7 }, p99: { ratio: 0.7 }, p999: { ratio: 0.4 } }),
  latency('latency-20k', 20_000),
  {
    name: 'librdkafka-produce',
    about: 'kcat (librdkafka) producer, 1 KiB, acks=all',
    figures: [cpuGoal({ ratio: 0.5 }), noLess],
    prepare: ({ port }) => makeTopic(port, KCAT_TOPIC),
    round(server, { share, directory }) {
      const records = Math.ceil(RECORDS * share);
      const file = recordsFile(directory, records);
      return watched(server, records * 1024, () => kcatProduce(server.port, KCAT_TOPIC, records, file));
    },
  },
  {
    name: 'librdkafka-consume',
    about: 'kcat (librdkafka) consumer, 1 KiB',
    figures: [cpuGoal({ ratio: 1.1, stretch: 0.9 }), noLess],
    async prepare(server, { share, directory }) {
      await makeTopic(server.port, KCAT_TOPIC);
      const records = Math.ceil(RECORDS * share);
      await kcatProduce(server.port, KCAT_TOPIC, records, recordsFile(directory, records));
    },
    round(server, { share }) {
      const records = Math.ceil(RECORDS * share);
      return watched(server, records * 1024, () => kcatConsume(server.port, KCAT_TOPIC, records));
    },
  },
  {
    name: 'java-produce',
    about: "Kafka's own producer by its perf tool, 1 KiB, acks=all",
    figures: [{ key: 'cpu', name: 'CPU per GB', unit: 's/GB' }, RATE],
    prepare: ({ port }) => makeTopic(port, TOPIC),
    async round(server, { share }) {
      const records = Math.ceil(JAVA_RECORDS * share);
      return watched(server, records * 1024, () => javaProducer(server.port, TOPIC, records));
    },
  },
  {
    name: 'java-consume',
    about: "Kafka's own consumer by its perf tool, 1 KiB",
    figures: [{ key: 'cpu', name: 'CPU per GB', unit: 's/GB' }, RATE],
    async prepare(server, { share }) {
      await makeTopic(server.port, TOPIC);
      await javaProducer(server.port, TOPIC, Math.ceil(JAVA_RECORDS * share));
    },
    round(server, { share }) {
      const records = Math.ceil(JAVA_RECORDS * share);
      return watched(server, records * 1024, () => javaConsumer(server.port, TOPIC, records));
    },
  },
  {
    name: 'end-to-end',
    about: 'odradek perf end-to-end, 500 single records a second, from due to read',
    isTable: true,
    figures: [
      { key: 'p50', name: 'p50', unit: 'µs' },
      { key: 'p99', name: 'p99', unit: 'µs' },
      { key: 'p999', name: 'p99.9', unit: 'µs' },
    ],
    prepare: ({ port }) => makeTopic(port, TOPIC),
    async round({ port }, { share }) {
      const records = String(Math.ceil(5000 * share));
      const { latency } = await perf(port, 'end-to-end', '--topic', TOPIC, '--rate', '500', '--records', records);
      return { p50: latency.p50Us, p99: latency.p99Us, p999: latency.p999Us };
    },
  },
];
