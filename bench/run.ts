/**
 * The runner: `npm run bench -- NAME… [--quick | --full] [--json FILE] [--dir DIR]`. Without a name it lists the suites,
 * one line each. Data is written below DIR, the system's temporary directory if not given, and removed.
 * `limit` is a program of its own with more options: `node bench/limit/run.ts`.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { digits } from './kit/statistics.ts';
import type { Row, Suite } from './kit/suite.ts';
import { type Table, tableText } from './kit/table.ts';

const SUITES: Record<string, () => Promise<{ suite: Suite }>> = {
  ring: () => import('./ring.ts'),
  waiting: () => import('./waiting.ts'),
  codec: () => import('./codec.ts'),
  crc: () => import('./crc.ts'),
  'zero-copy': () => import('./zero-copy.ts'),
  lookup: () => import('./lookup.ts'),
  'seq-vs-random': () => import('./seq-vs-random.ts'),
  rolls: () => import('./rolls.ts'),
  loops: () => import('./loops.ts'),
  sweep: () => import('./sweep.ts'),
  kept: () => import('./kept.ts'),
  idle: () => import('./idle.ts'),
  rude: () => import('./rude.ts'),
  partitions: () => import('./partitions.ts'),
  recovery: () => import('./recovery.ts'),
  groups: () => import('./groups.ts'),
};
const LIMIT = 'limit';
const LIMIT_QUESTION =
  'the whole broker beside a C server that takes the same bytes: CPU per GB and per request, idle, start';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    json: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
  },
});

async function list(): Promise<void> {
  process.stdout.write(`${LIMIT.padEnd(14)} ${LIMIT_QUESTION}\n`);
  for (const [name, load] of Object.entries(SUITES)) {
    process.stdout.write(`${name.padEnd(14)} ${(await load()).suite.question}\n`);
  }
}

function runLimit(): void {
  const words = [
    ...(values.quick ? ['--quick'] : []),
    ...(values.json ? ['--json', values.json] : []),
    ...['--dir', values.dir],
  ];
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL('limit/run.ts', import.meta.url)), ...words], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = status ?? 1;
}

function print(results: readonly (Row | Table)[]): void {
  const width = Math.max(0, ...results.map((result) => ('columns' in result ? 0 : result.name.length)));
  for (const result of results) {
    if ('columns' in result) process.stdout.write(`${tableText(result)}\n`);
    else {
      const { name, value, unit, note = '' } = result;
      process.stdout.write(`  ${name.padEnd(width)} ${digits(value).padStart(9)} ${unit.padEnd(5)} ${note}\n`);
    }
  }
}

async function runSuite(name: string): Promise<readonly (Row | Table)[]> {
  const { suite } = await (SUITES[name] as () => Promise<{ suite: Suite }>)();
  process.stdout.write(`${name}: ${suite.question}\n`);
  const progress = (line: string): void => void (process.stderr.isTTY && process.stderr.write(`  … ${line}\n`));
  const results = await suite.run({ quick: values.quick, full: values.full, directory: values.dir, progress });
  print(results);
  return results;
}

const unknown = positionals.find((name) => name !== LIMIT && !(name in SUITES));
if (unknown !== undefined) {
  process.stderr.write(`There is no bench ${unknown}; there are ${[LIMIT, ...Object.keys(SUITES)].join(', ')}.\n`);
  process.exitCode = 64;
} else if (positionals.length === 0) await list();
else if (values.json && positionals.includes(LIMIT) && positionals.length > 1) {
  process.stderr.write('limit writes a JSON file of its own: run it alone with --json.\n');
  process.exitCode = 64;
} else {
  const results: Record<string, readonly (Row | Table)[]> = {};
  for (const name of positionals) {
    if (name === LIMIT) runLimit();
    else results[name] = await runSuite(name);
  }
  if (values.json && !positionals.includes(LIMIT)) {
    const facts = {
      node: process.version,
      platform: process.platform,
      architecture: process.arch,
      cpus: availableParallelism(),
      model: cpus()[0]?.model ?? 'unknown',
      quick: values.quick,
    };
    writeFileSync(values.json, `${JSON.stringify({ ...facts, results }, null, 2)}\n`);
  }
}
