/**
 * The runner: `npm run bench -- NAME… [--quick] [--json FILE]`. Without a name it lists the suites, one line each.
 * `limit` is a program of its own with more options: `node bench/limit/run.ts`.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { digits } from './kit/statistics.ts';
import type { Row, Suite } from './kit/suite.ts';

const SUITES: Record<string, () => Promise<{ suite: Suite }>> = {
  ring: () => import('./ring.ts'),
  codec: () => import('./codec.ts'),
  crc: () => import('./crc.ts'),
  'zero-copy': () => import('./zero-copy.ts'),
};
const LIMIT = 'limit';
const LIMIT_QUESTION =
  'the whole broker beside a C server that takes the same bytes: CPU per GB and per request, idle, start';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});

async function list(): Promise<void> {
  process.stdout.write(`${LIMIT.padEnd(12)} ${LIMIT_QUESTION}\n`);
  for (const [name, load] of Object.entries(SUITES)) {
    process.stdout.write(`${name.padEnd(12)} ${(await load()).suite.question}\n`);
  }
}

function runLimit(): void {
  const words = [...(values.quick ? ['--quick'] : []), ...(values.json ? ['--json', values.json] : [])];
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL('limit/run.ts', import.meta.url)), ...words], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = status ?? 1;
}

async function runSuite(name: string): Promise<Row[]> {
  const { suite } = await (SUITES[name] as () => Promise<{ suite: Suite }>)();
  process.stdout.write(`${name}: ${suite.question}\n`);
  const progress = (line: string): void => void (process.stderr.isTTY && process.stderr.write(`  … ${line}\n`));
  const rows = await suite.run({ quick: values.quick, progress });
  const width = Math.max(...rows.map((row) => row.name.length));
  for (const row of rows) {
    process.stdout.write(
      `  ${row.name.padEnd(width)} ${digits(row.value).padStart(9)} ${row.unit.padEnd(5)} ${row.note ?? ''}\n`,
    );
  }
  return rows;
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
  const results: Record<string, Row[]> = {};
  for (const name of positionals) {
    if (name === LIMIT) runLimit();
    else results[name] = await runSuite(name);
  }
  if (values.json && !positionals.includes(LIMIT)) {
    const facts = {
      node: process.version,
      platform: process.platform,
      architecture: process.arch,
      quick: values.quick,
    };
    writeFileSync(values.json, `${JSON.stringify({ ...facts, results }, null, 2)}\n`);
  }
}
