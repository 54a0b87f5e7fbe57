/** That every bench measures what it says: each way and each column there, with figures that can be. How fast anything is, is no test's business. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { type NamedRow, placeOf, type SuiteResult } from '../../bench/kit/result.ts';
import { loadAddon } from '../../src/runtime/ground/addon.ts';
import { temporaryDirectory } from '../kit/broker.ts';
import { hasTool } from '../kit/tools.ts';

const RUN = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
/** Of seconds on a quiet machine. */
const SUITE_MAX_MS = 300_000;
const COMPILER = process.env.CC ?? 'cc';

const run = promisify(execFile);
const directory = temporaryDirectory();
const measured = new Map<string, Promise<readonly Measured[]>>();

afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Measured {
  readonly title: string;
  /** Medians by line and column. */
  readonly figures: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly columns: readonly string[];
}

/** Every figure is a number, none below zero, and lies within its rounds. */
function expectFigure({ median, p5, p95, samples }: NamedRow): void {
  expect([p5, median, p95].every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  expect(p5).toBeLessThanOrEqual(median);
  expect(median).toBeLessThanOrEqual(p95);
  expect(samples).toBeGreaterThanOrEqual(1);
}

/** The tables of a result, in their order. What a fit gives may be below zero. */
function tablesIn(rows: readonly NamedRow[]): Measured[] {
  const titles = new Set(rows.map(({ table }) => table).filter((table) => table !== ''));
  return Array.from(titles, (title) => {
    const figures: Record<string, Record<string, number>> = {};
    const mine = rows.filter(({ table }) => table === title);
    for (const row of mine) {
      if (!title.startsWith('the straight line')) expectFigure(row);
      figures[row.line] = { ...figures[row.line], [row.column]: row.median };
    }
    return { title, figures, columns: [...new Set(mine.map(({ column }) => column))] };
  });
}

async function measure(suite: string): Promise<readonly Measured[]> {
  const json = join(directory, `${suite}.json`);
  const words = [RUN, suite, '--quick', '--json', json, '--dir', directory];
  const { stdout } = await run(process.execPath, words, { timeout: SUITE_MAX_MS });
  const result = JSON.parse(readFileSync(json, 'utf8')) as SuiteResult;
  expect(Object.keys(result)).toEqual(['suite', 'machine', 'commit', 'rows']);
  expect(result).toMatchObject({ suite, machine: { size: 'quick', node: process.version } });
  const tables = tablesIn(result.rows.map(placeOf));
  for (const { title } of tables) expect(stdout).toContain(title);
  return tables;
}

/** What a short run of the suite reports: two rows that ask the same suite share one run. */
function tablesOf(suite: string): Promise<readonly Measured[]> {
  const running = measured.get(suite) ?? measure(suite);
  measured.set(suite, running);
  return running;
}

function figuresOf(table: Measured | undefined): Measured['figures'] {
  if (table === undefined) throw new Error('the bench reports one table less');
  return table.figures;
}

function expectPositive(figures: Readonly<Record<string, number>> | undefined, columns: readonly string[]): void {
  expect(Object.entries(figures ?? {}).filter(([name, value]) => columns.includes(name) && value <= 0)).toEqual([]);
  expect(Object.keys(figures ?? {})).toEqual(expect.arrayContaining([...columns]));
}

describe.skipIf(loadAddon() === null)('the addon and the disk', () => {
  test(
    'S004: the search of an index is measured from a thousand entries to a million, and a scan stays within interval and batch',
    async () => {
      const [searches, fits, cold] = await tablesOf('index-search');
      const [lookups] = await tablesOf('index-interval');
      const bySize = figuresOf(searches);
      const sizes = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
      for (const table of [bySize, figuresOf(cold)]) {
        expect(Object.keys(table)).toEqual(sizes.map((entries) => `${entries} entries`));
        for (const figures of Object.values(table))
          expectPositive(figures, ['native', 'portable', 'portable ÷ native']);
      }
      expect(Object.keys(figuresOf(fits))).toEqual(
        ['native', 'portable'].flatMap((name) => [`${name}, medians`, `${name}, fastest rounds`]),
      );
      for (const line of Object.values(figuresOf(fits))) {
        const determination = line['share explained (R²)'];
        expect(Number.isFinite(line['each doubling'])).toBe(true);
        expect(determination).toBeGreaterThanOrEqual(0);
        expect(determination).toBeLessThanOrEqual(1);
      }
      for (const figures of Object.values(figuresOf(lookups))) {
        expectPositive(figures, ['scanned, mean', 'scanned, most', 'interval + batch']);
        expect(figures['scanned, most']).toBeLessThanOrEqual(figures['interval + batch'] as number);
      }
    },
    SUITE_MAX_MS,
  );

  test(
    'S005: a denser index is larger and leaves less to scan, for intervals from 512 bytes to 64 KiB',
    async () => {
      const [lookups] = await tablesOf('index-interval');
      const byInterval = figuresOf(lookups);
      const intervals = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
      expect(Object.keys(byInterval)).toEqual(intervals.map((bytes) => `index.interval.bytes ${bytes}`));
      const lines = Object.values(byInterval);
      for (const figures of lines)
        expectPositive(figures, ['native', 'portable', 'read, mean', 'index', 'index per GB']);
      for (const [at, sparser] of lines.slice(1).entries()) {
        const denser = lines[at] as Readonly<Record<string, number>>;
        expect(sparser.index).toBeLessThan(denser.index as number);
        expect(sparser['scanned, mean']).toBeGreaterThan(denser['scanned, mean'] as number);
      }
    },
    SUITE_MAX_MS,
  );

  const BLOCKS = ['writes of 512 B', 'writes of 4 KiB', 'writes of 64 KiB', 'writes of 1024 KiB'];

  test(
    'S036: writing in order and at random is measured in the page cache, with one sync and with a sync each',
    async () => {
      const tables = await tablesOf('seq-vs-random');
      const synced = ['page cache', 'one fdatasync at the end', 'fdatasync after every write'];
      expect(tables.slice(0, 3).map(({ title }) => title)).toEqual(synced);
      for (const figures of tables.slice(0, 3).map(figuresOf)) {
        expect(Object.keys(figures)).toEqual(BLOCKS);
        for (const line of Object.values(figures))
          expectPositive(line, ['append', 'in place, in order', 'in place, at random', 'append ÷ at random']);
      }
      // Where the file system can.
      for (const figures of tables.slice(3).map(figuresOf)) {
        expect(Object.keys(figures)).toEqual(BLOCKS.slice(1));
        for (const line of Object.values(figures))
          expectPositive(line, ['append', 'in place, in order', 'in place, at random']);
      }
    },
    SUITE_MAX_MS,
  );

  test(
    'S037: writing to memory, in order and at random, stands beside it',
    async () => {
      const [cached] = await tablesOf('seq-vs-random');
      const figures = figuresOf(cached);
      expect(Object.keys(figures)).toEqual(BLOCKS);
      for (const line of Object.values(figures))
        expectPositive(line, ['memory, in order', 'memory, at random', 'append ÷ memory at random']);
    },
    SUITE_MAX_MS,
  );

  test(
    'S040: the copy is one read and a send for each answer, sendfile has no read, and both report CPU and context switches',
    async () => {
      const tables = (await tablesOf('zero-copy')).map(figuresOf);
      const [costs, cold] = tables;
      const calls = tables.at(-1);
      expect(Object.keys(cold ?? {})).toHaveLength(6);
      for (const byConnections of tables.slice(2, -1)) {
        const counts = ['connections 1', 'connections 8', 'connections 64'];
        expect(Object.keys(byConnections)).toEqual(
          counts.flatMap((count) => [`${count}, pread and send`, `${count}, sendfile`]),
        );
        for (const line of Object.values(byConnections)) expectPositive(line, ['CPU', '÷ pread and send', 'rate']);
      }
      expect(tables).toHaveLength(6);
      for (const kib of [4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384]) {
        expectPositive(costs?.[`${kib} KiB, createReadStream and socket`], ['CPU', '÷ pread and send', 'rate']);
        const names = [`${kib} KiB, pread and send`, `${kib} KiB, sendfile`] as const;
        for (const name of names) {
          expectPositive(costs?.[name], ['CPU', '÷ pread and send', 'rate']);
          expect(Object.keys(costs?.[name] ?? {})).toEqual(
            expect.arrayContaining(['switches, voluntary', 'involuntary']),
          );
        }
        const [copy, sendFile] = names.map((name) => calls?.[name]);
        expect(copy).toMatchObject({ reads: 1, sendfiles: 0 });
        expect(copy?.sends).toBeGreaterThanOrEqual(1);
        expect(sendFile?.reads).toBe(0);
        expect(sendFile?.sendfiles).toBeGreaterThanOrEqual(1);
      }
    },
    SUITE_MAX_MS,
  );
});

describe.skipIf(loadAddon() === null || !hasTool(COMPILER))('a whole broker', () => {
  test(
    'S009: latency is measured while all partitions roll at once, with jitter, and not at all',
    async () => {
      const [rolls] = (await tablesOf('roll-jitter')).map(figuresOf);
      expect(Object.keys(rolls ?? {})).toEqual(['no roll', 'all at once', 'with jitter']);
      for (const line of Object.values(rolls ?? {})) {
        expectPositive(line, ['p50', 'p99', 'p99.9', 'largest', 'p99 ÷ no roll']);
        expect(line.p50).toBeLessThanOrEqual(line.p99 as number);
      }
      expect(rolls?.['no roll']?.['segments ended']).toBe(0);
      // Each partition is written to until long after its segment has come of age.
      for (const name of ['all at once', 'with jitter'])
        expect(rolls?.[name]?.['segments ended']).toBeGreaterThanOrEqual(40);
    },
    SUITE_MAX_MS,
  );

  test(
    'S033: throughput and what each pool was busy are measured with one IO thread and with two',
    async () => {
      const [pools] = (await tablesOf('pools')).map(figuresOf);
      expect(Object.keys(pools ?? {}).slice(0, 2)).toEqual(['IO threads 1', 'IO threads 2']);
      for (const line of Object.values(pools ?? {}))
        expectPositive(line, ['throughput', '÷ one IO thread', 'CPU', 'the network thread busy', 'an IO thread busy']);
      expect(pools?.['IO threads 1']?.['÷ one IO thread']).toBe(1);
    },
    SUITE_MAX_MS,
  );

  test(
    'S044: two partitions on two loops are measured against two on one, writing and reading',
    async () => {
      const tables = await tablesOf('loops');
      expect(tables.map(({ title }) => title.split(',')[0])).toEqual(['produce', 'produce', 'fetch']);
      for (const figures of tables.map(figuresOf)) {
        expect(Object.keys(figures).slice(0, 2)).toEqual(['one loop', '2 loops']);
        for (const line of Object.values(figures))
          expectPositive(line, ['all together', '÷ one loop', 'CPU', 'cores busy', 'p99']);
        expect(figures['one loop']).toMatchObject({ loops: 1, '÷ one loop': 1 });
        expect(figures['2 loops']).toMatchObject({ loops: 2 });
      }
    },
    SUITE_MAX_MS,
  );

  test(
    'S045: throughput, latency and memory are measured over the number of partitions',
    async () => {
      const [sweep] = (await tablesOf('partitions')).map(figuresOf);
      expect(Object.keys(sweep ?? {})).toEqual(['partitions 1', 'partitions 8', 'partitions 64']);
      for (const line of Object.values(sweep ?? {}))
        expectPositive(line, ['throughput', 'CPU', 'p99 flat out', 'p99 at the rate', 'own memory before', 'after']);
    },
    SUITE_MAX_MS,
  );

  test(
    'S139: appending and reading the tail is measured on a log that keeps much against one that keeps nothing',
    async () => {
      const [kept, goals] = await tablesOf('kept');
      expect(Object.keys(figuresOf(kept))).toEqual(['append', 'fetch of the last MiB']);
      expect(kept?.columns).toEqual(
        ['CPU', 'time', 'p99'].flatMap((figure) => [`${figure}, short`, `${figure}, long`, `${figure}, long ÷ short`]),
      );
      for (const line of Object.values(figuresOf(kept))) expectPositive(line, kept?.columns ?? []);
      expect(Object.values(figuresOf(goals)).map(({ goal }) => goal)).toEqual([1.1, 1.1]);
    },
    SUITE_MAX_MS,
  );
});
