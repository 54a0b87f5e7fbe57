/**
 * The report of benches: `npm run bench:report -- [NAME…] [--quick] [--from FILE…] [--out DIR] [--dir DIR]`. It runs the suites
 * named (without names those of the first page), or takes what `--json` has written, and writes `index.html` and a picture
 * for each plot into DIR (build/report).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SuiteResult } from '../kit/result.ts';
import { SUITES } from '../suites.ts';
import { pageOf, picturesOf, type Section } from './page.ts';
import { readResults } from './results.ts';

const RUN = fileURLToPath(new URL('../run.ts', import.meta.url));
const FIRST_PAGE = [
  'zero-copy',
  'seq-vs-random',
  'ring',
  'index-search',
  'index-interval',
  'append',
  'crc',
  'codec',
  'group-commit',
  'timers',
  'partitions',
  'roll-jitter',
];
const PEERS = 'peers';
const PEERS_QUESTION = 'Odradek beside Apache Kafka, the same load by turns on the same machine';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    from: { type: 'string', multiple: true, default: [] },
    out: { type: 'string', default: fileURLToPath(new URL('../../build/report', import.meta.url)) },
    dir: { type: 'string', default: tmpdir() },
  },
});

function measured(name: string): SuiteResult[] {
  const json = join(values.out, `${name}.json`);
  const words = [RUN, name, '--json', json, '--dir', values.dir, ...(values.quick ? ['--quick'] : [])];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the bench ${name} ended with ${status}`);
  return readResults(readFileSync(json, 'utf8'), json);
}

async function sectionOf(result: SuiteResult): Promise<Section> {
  const { suite, machine } = result;
  const more = machine.size === 'normal' ? '' : ` --${machine.size}`;
  if (suite === PEERS)
    return { result, question: PEERS_QUESTION, command: `npm run bench:peers --${more}`.replace(/ --$/, '') };
  const load = SUITES[suite];
  if (load === undefined) throw new Error(`There is no bench ${suite}.`);
  return { result, question: (await load()).suite.question, command: `npm run bench -- ${suite}${more}` };
}

async function report(): Promise<void> {
  mkdirSync(values.out, { recursive: true });
  const names = positionals.length > 0 ? positionals : FIRST_PAGE;
  const unknown = names.find((name) => !(name in SUITES));
  if (unknown !== undefined)
    throw new Error(`There is no bench ${unknown}; there are ${Object.keys(SUITES).join(', ')}.`);
  const results =
    values.from.length > 0
      ? values.from.flatMap((file) => readResults(readFileSync(file, 'utf8'), file))
      : names.flatMap(measured);
  const sections = await Promise.all(results.map(sectionOf));
  writeFileSync(join(values.out, 'index.html'), pageOf(sections));
  for (const { name, svg } of sections.flatMap(picturesOf)) writeFileSync(join(values.out, name), `${svg}\n`);
  process.stdout.write(`${join(values.out, 'index.html')}\n`);
}

report().catch((problem: Error) => {
  process.stderr.write(`${problem.message}\n`);
  process.exitCode = 1;
});
