/**
 * Partitions on loops of their own against partitions that share one: as many loads as there are loops at most, each into its
 * own partition of the same topic, against brokers of one loop, two and, where there are the cores for it, more.
 */
import { availableParallelism } from 'node:os';
import { threadNames } from './kit/process.ts';
import { byTurns } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { type LoadOptions, load } from './limit/load.ts';
import { broker, type Running, withServers } from './limit/servers.ts';
import { loadTogether } from './limit/together.ts';

const TOPIC = 'loops';
const SHAPE = { topic: TOPIC, connections: 4, depth: 5 };
const ROUNDS = 7;
const QUICK_ROUNDS = 1;
const FILL_BYTES = 64 << 20;
const QUICK_SHARE = 16;

interface Case {
  readonly title: string;
  readonly load: LoadOptions;
  readonly bytes: number;
}

const CASES: readonly Case[] = [
  {
    title: 'produce, batches of 64 KiB',
    load: { mode: 'produce', 'batch-bytes': 64 << 10 },
    bytes: 128 << 20,
  },
  { title: 'produce, single records of 1 KiB', load: { mode: 'produce' }, bytes: 24 << 20 },
  {
    title: 'fetch, answers of 64 KiB',
    load: { mode: 'fetch', 'fetch-bytes': 64 << 10 },
    bytes: 1 << 30,
  },
];

/** Two, even on a machine where two loops have to share the cores with what loads them. */
function loopCounts(): number[] {
  return [1, 2, 4, 8].filter((loops) => loops <= Math.max(2, availableParallelism() / 2));
}

async function compare(servers: readonly Running[], test: Case, options: SuiteOptions): Promise<Table> {
  const partitions = Math.max(...loopCounts());
  const bytes = options.quick ? test.bytes / QUICK_SHARE : test.bytes;
  const ways = servers.map((server) => ({
    name: server.name,
    round: () => loadTogether(server, { ...SHAPE, ...test.load, bytes }, partitions),
  }));
  const rounds = await byTurns(ways, options.quick ? QUICK_ROUNDS : ROUNDS, options);
  return tableOf(
    `${test.title}, ${partitions} partitions at once`,
    [
      { name: 'loops', unit: '' },
      { name: 'all together', unit: 'MB/s' },
      { name: '÷ one loop', unit: '' },
      { name: 'CPU', unit: 's/GB' },
      { name: 'cores busy', unit: '' },
      { name: 'p99', unit: 'µs' },
    ],
    ways.map(({ name }, at) => ({
      name,
      values: [
        threadNames((servers[at] as Running).pid).filter((thread) => thread.startsWith('loop-')).length,
        rounds.spread(name, 'rate'),
        rounds.ratio(name, (ways[0] as { name: string }).name, 'rate'),
        rounds.spread(name, 'cpu'),
        rounds.spread(name, 'cores'),
        rounds.spread(name, 'p99Us'),
      ],
    })),
  );
}

export const suite: Suite = {
  question: 'throughput of several partitions together: each on a loop of its own, or all on one',
  run(options) {
    const counts = loopCounts();
    const partitions = Math.max(...counts);
    const variants = counts.map((loops) =>
      broker({ 'num.network.threads': loops }, loops === 1 ? 'one loop' : `${loops} loops`),
    );
    return withServers(variants, options.directory, async (servers) => {
      const fill = {
        mode: 'produce',
        'batch-bytes': 64 << 10,
        bytes: options.quick ? FILL_BYTES / QUICK_SHARE : FILL_BYTES,
      };
      for (const { port } of servers) {
        for (let partition = 0; partition < partitions; partition++)
          await load({ port, topic: TOPIC, create: true, partitions, partition, depth: SHAPE.depth, ...fill });
      }
      const tables = [];
      // Fetching comes first, while all answers are batches of one size.
      for (const test of [...CASES].reverse()) tables.push(await compare(servers, test, options));
      return tables.reverse();
    });
  },
};
