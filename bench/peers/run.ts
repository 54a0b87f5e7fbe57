/**
 * Odradek beside Apache Kafka: `npm run bench:peers -- [MEASURE…] [--rounds N] [--quick] [--json FILE] [--dir DIR]`. Both run at
 * the same time and are measured by turns; a ratio is taken within a round. Kafka comes from KAFKA_HOME, or its jars by
 * Maven. Prints each figure of both with the ratio and the goal; says which goals are not kept, and fails for none.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { expectRoom, inDirectory } from '../kit/directory.ts';
import { resultOf } from '../kit/result.ts';
import { byTurns, type Way } from '../kit/rounds.ts';
import { broker, type Variant, withServers } from '../limit/servers.ts';
import { Account, OURS, PEER } from './account.ts';
import { kafka } from './kafka.ts';
import { LIFE_ABOUT, LIFE_FIGURES, lifeRound } from './life.ts';
import { type Amount, MEASURES, type Measure } from './measures.ts';
import { SWEEPS, type Sweep } from './sweeps.ts';

const LIFE = 'life';
const QUICK_SHARE = 0.04;
const ROUNDS = 3;
const ROOM_BYTES = 12e9;
const NAMES = [...MEASURES.map(({ name }) => name), LIFE, ...SWEEPS.map(({ name }) => name)];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
  },
});

const account = new Account((line) => void process.stdout.write(`${line}\n`));
const startMs = performance.now();

function progress(text: string): void {
  process.stderr.write(`  … ${((performance.now() - startMs) / 1000).toFixed(0)} s: ${text}\n`);
}

const options = { quick: values.quick, full: false, directory: values.dir, progress };

/** Both with the same settings where one of them has another default that clients notice. */
function variants(): Variant[] {
  return [broker({ 'group.initial.rebalance.delay.ms': 0 }, OURS), kafka(PEER)];
}

async function measureOne(measure: Measure, amount: Amount, rounds: number): Promise<void> {
  await withServers(variants(), values.dir, async (servers) => {
    for (const server of servers) await measure.prepare?.(server, amount);
    const ways = servers.map((server) => ({ name: server.name, round: () => measure.round(server, amount) }));
    const measured = await byTurns(ways, rounds, options);
    account.add(measure.about, measure.figures, measured, measure.isTable ?? false);
  });
}

async function live(amount: Amount, rounds: number): Promise<void> {
  const ways = variants().map((variant) => ({
    name: variant.name,
    round: () => lifeRound(variant, values.dir, amount.share),
  }));
  // A life begins with an empty directory: no round has to be thrown away.
  const measured = await byTurns(ways, rounds, { ...options, quick: true });
  account.add(LIFE_ABOUT, LIFE_FIGURES, measured, true, true);
}

async function sweep(test: Sweep, amount: Amount, rounds: number): Promise<void> {
  const counts = values.quick ? test.counts.slice(0, 3) : test.counts;
  await withServers(variants(), values.dir, async (servers) => {
    const ways: Way[] = [];
    for (const server of servers)
      for (const count of counts) {
        await test.prepare(server, count, progress);
        const round = async () => ({ cost: await test.measure(server, count, amount) });
        ways.push({ name: `${server.name} ${count}`, round });
      }
    account.addSweep(test, counts, await byTurns(ways, rounds, options));
  });
}

async function compare(wanted: readonly string[], rounds: number): Promise<void> {
  expectRoom(values.dir, ROOM_BYTES * (values.quick ? QUICK_SHARE : 1));
  await inDirectory(values.dir, async (directory) => {
    const amount = { share: values.quick ? QUICK_SHARE : 1, directory };
    for (const measure of MEASURES.filter(({ name }) => wanted.includes(name)))
      await measureOne(measure, amount, rounds);
    if (wanted.includes(LIFE)) await live(amount, rounds);
    for (const test of SWEEPS.filter(({ name }) => wanted.includes(name))) await sweep(test, amount, rounds);
  });
}

function finish(): void {
  account.sayGoals();
  if (values.quick) process.stdout.write('a quick run is too short to trust\n');
  if (values.json === undefined) return;
  const result = resultOf('peers', values.quick ? 'quick' : 'normal', account.tables);
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(64);
}

const unknown = positionals.find((name) => !NAMES.includes(name));
if (unknown !== undefined) refuse(`There is no measure ${unknown}; there are ${NAMES.join(', ')}.`);
const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS));
if (!Number.isInteger(rounds) || rounds < 1) refuse('--rounds wants a whole number above 0.');
const missing = ['java', 'kcat', 'cc'].find((tool) => spawnSync(tool, ['--version']).error !== undefined);
if (missing !== undefined) refuse(`This bench needs ${missing} on the path.`);

compare(positionals.length > 0 ? positionals : NAMES, rounds).then(finish, (problem: Error) => {
  process.stderr.write(`${problem.message}\n`);
  process.exitCode = 1;
});
