/**
 * Whether speed depends on what is kept: appending to a log of one mebibyte and to a long one, and reading the last mebibyte of
 * each, by turns on one broker. The long one has 1 GB, with --full 20 GB.
 */
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expectRoom } from './kit/directory.ts';
import { goalTables } from './kit/goals.ts';
import { byTurns, type Round, type Rounds } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Line, tableOf } from './kit/table.ts';
import { type LoadOptions, type LoadResult, load } from './limit/load.ts';
import { broker, type Running, withServers } from './limit/servers.ts';

const KEPT_BYTES = 1e9;
const FULL_KEPT_BYTES = 20e9;
const QUICK_KEPT_BYTES = 64e6;
const BATCH_BYTES = 64 << 10;
const TAIL_BATCHES = 16;
const FILL_BATCH_BYTES = 1 << 20;
const LONG = 'long';
const GROWTH_GOAL = { ratio: 1.1 };

const COSTS = [
  { name: 'CPU', figure: 'cpu', unit: 's/GB' },
  { name: 'time', figure: 'time', unit: 's/GB' },
  { name: 'p99', figure: 'p99', unit: 'µs' },
] as const;

interface Amounts {
  readonly keptBytes: number;
  readonly appendBytes: number;
  readonly fetchBytes: number;
  readonly rounds: number;
}

function amountsOf({ quick, full }: SuiteOptions): Amounts {
  if (quick) return { keptBytes: QUICK_KEPT_BYTES, appendBytes: 16 << 20, fetchBytes: 32 << 20, rounds: 1 };
  const keptBytes = full ? FULL_KEPT_BYTES : KEPT_BYTES;
  return { keptBytes, appendBytes: 128 << 20, fetchBytes: 1 << 30, rounds: 9 };
}

/** What the fill has left to be written back must not fall into the rounds. */
function settle(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.log')) continue;
    const file = openSync(join(directory, name), 'r');
    fsyncSync(file);
    closeSync(file);
  }
}

function costs(about: string, { serverCpuSeconds, seconds, bytes, p99Us }: LoadResult): Round {
  const gigabytes = bytes / 1e9;
  return {
    [`${about} cpu`]: serverCpuSeconds / gigabytes,
    [`${about} time`]: seconds / gigabytes,
    [`${about} p99`]: p99Us,
  };
}

async function measure(server: Running, topic: string, amounts: Amounts): Promise<Round> {
  const target: LoadOptions = { port: server.port, topic };
  const batches: LoadOptions = { ...target, mode: 'produce', depth: 5, 'batch-bytes': BATCH_BYTES };
  const { endOffset, batchRecords } = await load({ ...batches, create: true, requests: TAIL_BATCHES });
  const fetched = await load({
    ...target,
    mode: 'fetch',
    depth: 4,
    'fetch-bytes': BATCH_BYTES,
    from: endOffset - TAIL_BATCHES * batchRecords,
    bytes: amounts.fetchBytes,
    warmup: 4 * TAIL_BATCHES,
    watch: server.pid,
  });
  const appended = await load({
    ...batches,
    bytes: amounts.appendBytes,
    prime: 2 * amounts.appendBytes,
    watch: server.pid,
  });
  return { ...costs('append', appended), ...costs('fetch', fetched) };
}

function linesOf(rounds: Rounds): Line[] {
  return [
    { name: 'append', about: 'append' },
    { name: 'fetch of the last MiB', about: 'fetch' },
  ].map(({ name, about }) => ({
    name,
    values: COSTS.flatMap(({ figure }) => [
      rounds.spread('short', `${about} ${figure}`),
      rounds.spread(LONG, `${about} ${figure}`),
      rounds.ratio(LONG, 'short', `${about} ${figure}`),
    ]),
  }));
}

async function run(options: SuiteOptions) {
  const amounts = amountsOf(options);
  expectRoom(options.directory, amounts.keptBytes + (amounts.rounds + 1) * 2 * amounts.appendBytes + 1e9);
  return withServers([broker()], options.directory, async ([server]) => {
    const { port, directory } = server as Running;
    const fill: LoadOptions = { mode: 'produce', depth: 5, 'batch-bytes': FILL_BATCH_BYTES, bytes: amounts.keptBytes };
    options.progress(`writing ${amounts.keptBytes / 1e9} GB`);
    await load({ port, topic: LONG, create: true, ...fill });
    const ways = [
      { name: 'short', round: (number: number) => measure(server as Running, `short-${number}`, amounts) },
      { name: LONG, round: () => measure(server as Running, LONG, amounts) },
    ];
    settle(directory);
    const rounds = await byTurns(ways, amounts.rounds, options);
    const goals = (['append', 'fetch'] as const).map((about) => ({
      name: `${about === 'append' ? 'appending to' : 'reading the tail of'} a log of ${amounts.keptBytes / 1e9} GB instead of 1 MiB: CPU`,
      ratio: rounds.ratio(LONG, 'short', `${about} cpu`),
      goal: GROWTH_GOAL,
    }));
    return [
      tableOf(
        `a log of 1 MiB against one of ${amounts.keptBytes / 1e9} GB`,
        COSTS.flatMap(({ name, unit }) => [
          { name: `${name}, short`, unit },
          { name: `${name}, long`, unit },
          { name: `${name}, long ÷ short`, unit: '' },
        ]),
        linesOf(rounds),
      ),
      ...goalTables('growth', goals),
    ];
  });
}

export const suite: Suite = {
  question: 'appending and reading the tail of a log that keeps much, against one that keeps nothing',
  run,
};
