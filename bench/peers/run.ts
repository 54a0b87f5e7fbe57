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
import { byTurns, type Rounds, type Way } from '../kit/rounds.ts';
import { digits, type Spread, spreadText } from '../kit/statistics.ts';
import { type Line, type Table, tableOf } from '../kit/table.ts';
import { broker, type Variant, withServers } from '../limit/servers.ts';
import { type FigureKind, goalText, keeps } from './goals.ts';
import { kafka } from './kafka.ts';
import { LIFE_ABOUT, LIFE_FIGURES, lifeRound } from './life.ts';
import { type Amount, MEASURES } from './measures.ts';
import { SWEEPS, type Sweep } from './sweeps.ts';

const LIFE = 'life';
const OURS = 'Odradek';
const PEER = 'Apache Kafka';
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

interface Compared {
  readonly name: string;
  readonly ratio: Spread;
  readonly kind: FigureKind;
}

const tables: Table[] = [];
const compared: Compared[] = [];

function show(about: string, figures: readonly FigureKind[], rounds: Rounds): void {
  process.stdout.write(`${about}\n`);
  for (const kind of figures) {
    const [ours, peers] = [rounds.spread(OURS, kind.key), rounds.spread(PEER, kind.key)];
    const ratio = rounds.ratio(OURS, PEER, kind.key);
    const { goal } = kind;
    const verdict = goal === undefined ? '' : `  goal ${goalText(goal)}${keeps(goal, ratio) ? '' : '  NOT KEPT'}`;
    const figuresText = `${OURS} ${spreadText(ours)}  ${PEER} ${spreadText(peers)} ${kind.unit}`;
    process.stdout.write(`  ${kind.name}: ${figuresText}  × ${spreadText(ratio)}${verdict}\n`);
    const name = figures === LIFE_FIGURES ? kind.name : `${about}: ${kind.name}`;
    compared.push({ name, ratio, kind });
    tables.push(
      tableOf(
        name,
        [{ name: '', unit: kind.unit }],
        [
          { name: OURS, values: [ours] },
          { name: PEER, values: [peers] },
        ],
      ),
    );
  }
}

/** One line for each goal: what is asked, what came out. */
function goals(): Table {
  const lines = compared.flatMap(({ name, ratio, kind: { goal } }): Line[] =>
    goal === undefined ? [] : [{ name, values: [ratio, goal.ratio] }],
  );
  return tableOf(
    `goals, ${OURS} ÷ ${PEER}`,
    [
      { name: 'measured', unit: '×' },
      { name: 'goal', unit: '×' },
    ],
    lines,
  );
}

async function sweep(test: Sweep, amount: Amount, rounds: number, variants: readonly Variant[]): Promise<void> {
  const counts = values.quick ? test.counts.slice(0, 3) : test.counts;
  await withServers(variants, values.dir, async (servers) => {
    const ways: Way[] = [];
    for (const server of servers)
      for (const count of counts) {
        await test.prepare(server, count);
        ways.push({
          name: `${server.name} ${count}`,
          round: async () => ({ cost: await test.measure(server, count, amount) }),
        });
      }
    const measured = await byTurns(ways, rounds, { ...options(), quick: values.quick });
    const lines = counts.map((count) => ({
      name: `${count} ${test.name}`,
      values: [
        ...[OURS, PEER].map((name) => measured.spread(`${name} ${count}`, 'cost')),
        measured.ratio(`${OURS} ${count}`, `${PEER} ${count}`, 'cost'),
        measured.ratio(`${OURS} ${count}`, `${OURS} ${counts[0]}`, 'cost'),
      ],
    }));
    const columns = [
      { name: OURS, unit: test.unit },
      { name: PEER, unit: test.unit },
      { name: `${OURS} ÷ ${PEER}`, unit: '' },
      { name: `${OURS} ÷ its first`, unit: '' },
    ];
    tables.push(tableOf(test.about, columns, lines));
    process.stdout.write(`${test.about}\n`);
    for (const {
      name,
      values: [ours, peers, ratio, growth],
    } of lines as { name: string; values: Spread[] }[]) {
      const grown =
        growth !== undefined && growth.median > test.growthMost ? `  goal ≤ ${test.growthMost}  NOT KEPT` : '';
      process.stdout.write(
        `  ${name}: ${OURS} ${spreadText(ours as Spread)}  ${PEER} ${spreadText(peers as Spread)} ${test.unit}  × ${spreadText(ratio as Spread)}  grown × ${digits((growth as Spread).median)}${grown}\n`,
      );
    }
  });
}

function options() {
  const progress = (text: string): void => void process.stderr.write(`  … ${text}\n`);
  return { quick: values.quick, full: false, directory: values.dir, progress };
}

async function compare(wanted: readonly string[], rounds: number): Promise<void> {
  const variants = [broker({}, OURS), kafka()];
  expectRoom(values.dir, ROOM_BYTES * (values.quick ? QUICK_SHARE : 1));
  await inDirectory(values.dir, async (directory) => {
    const amount = { share: values.quick ? QUICK_SHARE : 1, directory };
    for (const measure of MEASURES.filter(({ name }) => wanted.includes(name))) {
      await withServers(variants, values.dir, async (servers) => {
        for (const server of servers) await measure.prepare?.(server, amount);
        const ways = servers.map((server) => ({ name: server.name, round: () => measure.round(server, amount) }));
        show(measure.about, measure.figures, await byTurns(ways, rounds, options()));
      });
    }
    if (wanted.includes(LIFE)) {
      const ways = variants.map((variant) => ({
        name: variant.name,
        round: () => lifeRound(variant, values.dir, amount.share),
      }));
      show(LIFE_ABOUT, LIFE_FIGURES, await byTurns(ways, rounds, { ...options(), quick: true }));
    }
    for (const test of SWEEPS.filter(({ name }) => wanted.includes(name))) await sweep(test, amount, rounds, variants);
  });
}

function finish(): void {
  const table = goals();
  if (table.lines.length > 0) {
    tables.unshift(table);
    const kept = compared.filter(({ kind: { goal }, ratio }) => goal !== undefined && keeps(goal, ratio)).length;
    process.stdout.write(
      `${kept} of ${table.lines.length} goals are kept${values.quick ? ', in a run too short to trust' : ''}\n`,
    );
  }
  if (values.json) {
    const result = resultOf('peers', values.quick ? 'quick' : 'normal', tables);
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
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
