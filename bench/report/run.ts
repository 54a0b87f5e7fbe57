/**
 * The report of benches: `npm run bench:report -- [NAME…] [--quick] [--from FILE-OR-DIR…] [--out DIR] [--plots DIR] [--dir DIR]`.
 * It runs the suites named (without names those of the first page), or takes what `--json` has written, and writes
 * `index.html` and a picture for each plot into `--out` (build/report). With `--plots docs/plots` it also renews the pictures
 * that README shows, README's list of them, and the table of goals in `docs/measured.md`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { verdictsIn } from '../kit/goals.ts';
import type { SuiteResult } from '../kit/result.ts';
import { SUITES } from '../suites.ts';
import { mainPlots } from './main-plots.ts';
import { machineLine, pageOf, picturesOf, type Section } from './page.ts';
import { withPictures } from './readme.ts';
import { reasonsIn, renewed, unexplained } from './reasons.ts';
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
/** Those that are programs of their own: what they ask, and how they are run. */
const PROGRAMS: Readonly<Record<string, { readonly question: string; readonly command: string }>> = {
  peers: {
    question: 'Odradek beside Apache Kafka, the same load by turns on the same machine',
    command: 'npm run bench:peers --',
  },
  limit: {
    question: 'the broker beside a C server that takes the same bytes and only receives, checks, writes and answers',
    command: 'npm run bench -- limit',
  },
};
const MEASURED = fileURLToPath(new URL('../../docs/measured.md', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    from: { type: 'string', multiple: true, default: [] },
    out: { type: 'string', default: fileURLToPath(new URL('../../build/report', import.meta.url)) },
    plots: { type: 'string' },
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
  const program = PROGRAMS[suite];
  if (program !== undefined)
    return { result, question: program.question, command: `${program.command}${more}`.replace(/ --$/, '') };
  const load = SUITES[suite];
  if (load === undefined) throw new Error(`There is no bench ${suite}.`);
  return { result, question: (await load()).suite.question, command: `npm run bench -- ${suite}${more}` };
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new Error(`There is no JSON file in ${path}.`);
  return files.toSorted().map((name) => join(path, name));
}

/** Goals first, then as the list of suites goes. */
function inOrder(results: readonly SuiteResult[]): SuiteResult[] {
  const order = [...Object.keys(PROGRAMS), ...Object.keys(SUITES)];
  return results.toSorted((a, b) => order.indexOf(a.suite) - order.indexOf(b.suite));
}

function writePlots(directory: string, sections: readonly Section[]): void {
  mkdirSync(directory, { recursive: true });
  const { pictures, missing } = mainPlots(sections);
  for (const { name, svg } of pictures) writeFileSync(join(directory, name), `${svg}\n`);
  if (missing.length > 0) process.stdout.write(`not in these results, left as they were: ${missing.join(', ')}\n`);
  const readme = join(directory, '..', '..', 'README.md');
  writeFileSync(readme, withPictures(readFileSync(readme, 'utf8'), readdirSync(directory)));
  const judged = sections.filter(({ result }) => verdictsIn(result).length > 0);
  if (judged.length === 0) return;
  const origins = judged.map(({ result, command }) => `\`${command}\` (${machineLine(result)})`);
  const verdicts = judged.flatMap(({ result }) => verdictsIn(result));
  const file = join(directory, '..', 'measured.md');
  const page = renewed(readFileSync(file, 'utf8'), verdicts, `From ${origins.join('; ')}.`);
  writeFileSync(file, page);
  for (const name of unexplained(page, verdicts))
    process.stdout.write(`not kept, without a reason in ${file}: ${name}\n`);
}

async function report(): Promise<void> {
  mkdirSync(values.out, { recursive: true });
  const names = positionals.length > 0 ? positionals : FIRST_PAGE;
  const unknown = names.find((name) => !(name in SUITES));
  if (unknown !== undefined)
    throw new Error(`There is no bench ${unknown}; there are ${Object.keys(SUITES).join(', ')}.`);
  const results =
    values.from.length > 0
      ? values.from.flatMap(filesIn).flatMap((file) => readResults(readFileSync(file, 'utf8'), file))
      : names.flatMap(measured);
  const sections = await Promise.all(inOrder(results).map(sectionOf));
  writeFileSync(join(values.out, 'index.html'), pageOf(sections, reasonsIn(readFileSync(MEASURED, 'utf8'))));
  for (const { name, svg } of sections.flatMap(picturesOf)) writeFileSync(join(values.out, name), `${svg}\n`);
  if (values.plots !== undefined) writePlots(values.plots, sections);
  process.stdout.write(`${join(values.out, 'index.html')}\n`);
}

report().catch((problem: Error) => {
  process.stderr.write(`${problem.message}\n`);
  process.exitCode = 1;
});
