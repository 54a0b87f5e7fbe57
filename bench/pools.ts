/**
 * Whether more IO threads take more: pools apart, one network thread, and one IO thread, two, and where there are cores for it
 * more. Small records that are checked and
 * batches that are stamped anew make the work of the IO threads weigh as much as that of the network thread. What each pool was busy
 * shows which of them was short.
 */
import { availableParallelism } from 'node:os';
import { threadCpuSeconds } from './kit/process.ts';
import { byTurns, type Round } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';
import { loadTopic } from './limit/load.ts';
import { broker, type Running, withServers } from './limit/servers.ts';
import { loadTogether } from './limit/together.ts';

const TOPIC = 'pools';
const LOAD = { topic: TOPIC, mode: 'produce', connections: 4, depth: 5, 'batch-bytes': 64 << 10, 'record-bytes': 10 };
const BYTES = 128 << 20;
const QUICK_BYTES = 4 << 20;
const ROUNDS = 7;

/** Two, even on a machine where they have to share the cores with the network thread and the load. */
function counts(): number[] {
  return [1, 2, 4, 8].filter((threads) => threads <= Math.max(2, availableParallelism() / 2));
}

/** The share of its time that a thread of the pool worked, in percent. */
function busy(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, pool: string, seconds: number) {
  const names = [...after.keys()].filter((name) => name.startsWith(pool));
  if (names.length === 0) throw new Error(`no thread is called ${pool}…, only ${[...after.keys()].join(', ')}`);
  const worked = names.reduce((sum, name) => sum + (after.get(name) as number) - (before.get(name) ?? 0), 0);
  return (100 * worked) / seconds / names.length;
}

async function measure(server: Running, partitions: number, bytes: number): Promise<Round> {
  const before = threadCpuSeconds(server.pid);
  const { seconds, ...round } = await loadTogether(server, { ...LOAD, bytes }, partitions);
  const after = threadCpuSeconds(server.pid);
  return {
    ...round,
    network: busy(before, after, 'net-', seconds as number),
    io: busy(before, after, 'io-', seconds as number),
  };
}

async function run(options: SuiteOptions) {
  const partitions = Math.max(...counts());
  const variants = counts().map((threads) =>
    broker(
      { 'num.network.threads': 1, 'num.io.threads': threads, 'log.message.timestamp.type': 'LogAppendTime' },
      `IO threads ${threads}`,
    ),
  );
  return withServers(variants, options.directory, async (servers) => {
    for (const { port } of servers) await loadTopic(port, TOPIC, partitions);
    const bytes = options.quick ? QUICK_BYTES : BYTES;
    const ways = servers.map((server) => ({ name: server.name, round: () => measure(server, partitions, bytes) }));
    const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
    return [
      tableOf(
        `produce, batches of 64 KiB of 10-byte records that are stamped anew, ${partitions} partitions at once`,
        [
          { name: 'throughput', unit: 'MB/s' },
          { name: '÷ one IO thread', unit: '' },
          { name: 'CPU', unit: 's/GB' },
          { name: 'the network thread busy', unit: '%' },
          { name: 'an IO thread busy', unit: '%' },
          { name: 'p99', unit: 'µs' },
        ],
        ways.map(({ name }) => ({
          name,
          values: [
            rounds.spread(name, 'rate'),
            rounds.ratio(name, 'IO threads 1', 'rate'),
            ...['cpu', 'network', 'io', 'p99Us'].map((figure) => rounds.spread(name, figure)),
          ],
        })),
      ),
    ];
  });
}

export const suite: Suite = {
  question: 'more IO threads, more throughput? one network thread, and one, two … IO threads that have much to do',
  run,
};
