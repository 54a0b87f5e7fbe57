/**
 * The runner: `npm run bench -- NAME… [--quick | --full] [--json FILE] [--dir DIR]`. Without a name it lists the suites,
 * one line each. Data is written below DIR, the system's temporary directory if not given, and removed.
 * The file has one suite's result, or a list of them when there are several names. `limit` has more options as a program of its own: `node bench/limit/run.ts`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inDirectory } from './kit/directory.ts';
import { commitOf, machineOf } from './kit/machine.ts';
import { resultOf, type SuiteResult } from './kit/result.ts';
import { digits } from './kit/statistics.ts';
import type { Row } from './kit/suite.ts';
import { type Table, tableText } from './kit/table.ts';
import { SUITES } from './suites.ts';

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
  process.stdout.write(`${LIMIT.padEnd(15)} ${LIMIT_QUESTION}\n`);
  for (const [name, load] of Object.entries(SUITES)) {
    process.stdout.write(`${name.padEnd(15)} ${(await load()).suite.question}\n`);
  }
}

/** A program of its own: it leaves its result in a file. */
async function runLimit(): Promise<SuiteResult> {
  return inDirectory(values.dir, (directory) => {
    const json = join(directory, 'limit.json');
    const words = [...(values.quick ? ['--quick'] : []), '--json', json, '--dir', values.dir];
    const program = fileURLToPath(new URL('limit/run.ts', import.meta.url));
    const { status } = spawnSync(process.execPath, [program, ...words], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${LIMIT} ended with ${status}`);
    return JSON.parse(readFileSync(json, 'utf8')) as SuiteResult;
  });
}

/** Rows that one clock measured in one unit are compared with the first of them. */
function print(results: readonly (Row | Table)[]): void {
  const width = Math.max(0, ...results.map((result) => ('columns' in result ? 0 : result.name.length)));
  let first: Row | null = null;
  for (const result of results) {
    if ('columns' in result) {
      process.stdout.write(`${tableText(result)}\n`);
      continue;
    }
    const { name, value, unit, note = '', spread } = result;
    if (spread === undefined || first?.unit !== unit) first = spread === undefined ? null : result;
    const ratio = first === null ? '' : `× ${digits(value / first.value).padEnd(7)} `;
    const range = spread === undefined ? '' : `(${digits(spread.p5)}–${digits(spread.p95)}) `;
    const words = `${digits(value).padStart(9)} ${unit.padEnd(5)} ${range.padEnd(18)} ${ratio}${note}`;
    process.stdout.write(`  ${name.padEnd(width)} ${words.trimEnd()}\n`);
  }
}

async function runSuite(name: string): Promise<readonly (Row | Table)[]> {
  const { suite } = await (SUITES[name] as NonNullable<(typeof SUITES)[string]>)();
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
else {
  const size = values.quick ? 'quick' : values.full ? 'full' : 'normal';
  const { model, cpus, node } = machineOf(size);
  process.stdout.write(`${cpus} × ${model}, Node ${node}, commit ${commitOf()}, ${size} run\n`);
  const measured: SuiteResult[] = [];
  for (const name of positionals)
    measured.push(name === LIMIT ? await runLimit() : resultOf(name, size, await runSuite(name)));
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify(measured.length === 1 ? measured[0] : measured, null, 2)}\n`);
}
