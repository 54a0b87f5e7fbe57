/**
 * The same load over one partition and over a thousand: what throughput, latency and memory make of it. Each number of
 * partitions has a broker of its own; batches stay the same, although a producer's would become smaller.
 */
import { expectRoom } from './kit/directory.ts';
import { memoryOf } from './kit/process.ts';
import { byTurns, type Round } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';
import { load, loadTopic } from './limit/load.ts';
import { broker, type Running, withServers } from './limit/servers.ts';

const TOPIC = 'partitions';
const BATCH_BYTES = 16 << 10;
const CONNECTIONS = 32;
const DEPTH = 4;
/** Far below what a broker can take: what is late then is late by itself. */
const RATE_PER_SECOND = 2000;

interface Amounts {
  readonly partitions: readonly number[];
  readonly bytes: number;
  readonly pacedRequests: number;
  readonly rounds: number;
}

const AMOUNTS: Amounts = {
  partitions: [1, 4, 16, 64, 256, 1024],
  bytes: 128 << 20,
  pacedRequests: 4000,
  rounds: 5,
};
const QUICK_AMOUNTS: Amounts = { partitions: [1, 8, 64], bytes: 16 << 20, pacedRequests: 400, rounds: 1 };

async function measure(server: Running, partitions: number, amounts: Amounts): Promise<Round> {
  const target = { port: server.port, topic: TOPIC, spread: partitions, mode: 'produce', connections: CONNECTIONS };
  const flat = await load({
    ...target,
    depth: DEPTH,
    'batch-bytes': BATCH_BYTES,
    bytes: amounts.bytes,
    prime: amounts.bytes,
    watch: server.pid,
  });
  const paced = await load({ ...target, depth: DEPTH, rate: RATE_PER_SECOND, requests: amounts.pacedRequests });
  return {
    rate: flat.megabytesPerSecond,
    requests: flat.requestsPerSecond,
    cpu: flat.serverCpuSeconds / (flat.bytes / 1e9),
    flatP99Us: flat.p99Us,
    p50Us: paced.p50Us,
    p99Us: paced.p99Us,
  };
}

function ownMegabytes({ pid }: Running): number {
  const { anonymousBytes, sharedBytes } = memoryOf(pid);
  return (anonymousBytes + sharedBytes) / 1e6;
}

async function run(options: SuiteOptions) {
  const amounts = options.quick ? QUICK_AMOUNTS : AMOUNTS;
  expectRoom(options.directory, amounts.partitions.length * (amounts.rounds + 1) * amounts.bytes);
  const variants = amounts.partitions.map((count) => broker({}, `partitions ${count}`));
  return withServers(variants, options.directory, async (servers) => {
    for (const [at, { port }] of servers.entries()) await loadTopic(port, TOPIC, amounts.partitions[at] as number);
    const restMegabytes = servers.map(ownMegabytes);
    const ways = servers.map((server, at) => ({
      name: server.name,
      round: () => measure(server, amounts.partitions[at] as number, amounts),
    }));
    const rounds = await byTurns(ways, amounts.rounds, options);
    const lines = servers.map((server, at) => ({
      name: server.name,
      values: [
        rounds.spread(server.name, 'rate'),
        rounds.ratio(server.name, 'partitions 1', 'rate'),
        rounds.spread(server.name, 'cpu'),
        rounds.spread(server.name, 'flatP99Us'),
        rounds.spread(server.name, 'p50Us'),
        rounds.spread(server.name, 'p99Us'),
        restMegabytes[at] as number,
        ownMegabytes(server),
      ],
    }));
    return [
      tableOf(
        `produce, batches of ${BATCH_BYTES >> 10} KiB, ${CONNECTIONS} connections; then single records at ${RATE_PER_SECOND} requests/s`,
        [
          { name: 'throughput', unit: 'MB/s' },
          { name: '÷ one partition', unit: '' },
          { name: 'CPU', unit: 's/GB' },
          { name: 'p99 flat out', unit: 'µs' },
          { name: 'p50 at the rate', unit: 'µs' },
          { name: 'p99 at the rate', unit: 'µs' },
          { name: 'own memory before', unit: 'MB' },
          { name: 'after', unit: 'MB' },
        ],
        lines,
      ),
    ];
  });
}

export const suite: Suite = {
  question: 'more partitions, more throughput? 1 to 1024 under the same load: MB/s, p99, memory',
  run,
};
