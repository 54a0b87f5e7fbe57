/** The report of benches: every figure is in it, it needs nothing but itself, and its pictures show what the figures say. */
import { describe, expect, test } from 'vitest';
import { resultOf, type SuiteResult } from '../../bench/kit/result.ts';
import { spread } from '../../bench/kit/statistics.ts';
import { tableOf } from '../../bench/kit/table.ts';
import { numberIn, withoutNumber } from '../../bench/report/numbers.ts';
import { pageOf, picturesOf, type Section } from '../../bench/report/page.ts';
import { plotsIn } from '../../bench/report/plots.ts';
import { readResults } from '../../bench/report/results.ts';
import { isLogarithmic, scaleOf } from '../../bench/report/scale.ts';

const SIZES = ['4 KiB', '64 KiB', '1024 KiB'];
const RESULT: SuiteResult = resultOf('zero-copy', 'quick', [
  tableOf(
    'answers <warm> & "cold"',
    [
      { name: 'CPU', unit: 's/GB' },
      { name: '÷ copy', unit: '' },
      { name: 'rate', unit: 'MB/s' },
    ],
    SIZES.flatMap((size, at) =>
      ['copy', 'sendfile'].map((means, which) => ({
        name: `${size}, ${means}`,
        values: [spread([1 + at, 2 + at, 4 + at]), 1 + which, 1000 * (at + 1)],
      })),
    ),
  ),
  { name: 'a search', value: 12, unit: 'ns', spread: spread([10, 12, 80]) },
  { name: 'a scan', value: 1200, unit: 'ns', spread: spread([1000, 1200, 8000]) },
]);
const SECTION: Section = { result: RESULT, question: 'which is cheaper', command: 'npm run bench -- zero-copy' };
const PAGE = pageOf([SECTION]);

const ENTITIES: Record<string, string> = { '&#38;': '&', '&#60;': '<', '&#62;': '>', '&#34;': '"' };
const unescaped = (text: string): string => text.replace(/&#\d+;/g, (entity) => ENTITIES[entity] ?? entity);

/** Every element that is opened is closed, in order. */
function expectWellFormed(markup: string): void {
  const open: string[] = [];
  for (const [, closing, name, more] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/gi)) {
    if (name === 'meta') continue;
    if (closing === '') open.push(name as string);
    else expect(open.pop()).toBe(name);
    expect(more).not.toContain('<');
  }
  expect(open).toEqual([]);
}

describe('the page', () => {
  test('is whole, and asks nobody for anything', () => {
    expectWellFormed(PAGE);
    expect(PAGE).not.toMatch(/https?:|src=|url\(|@import|<script|<link/);
    for (const { svg } of picturesOf(SECTION)) {
      expectWellFormed(svg);
      expect(svg.match(/https?:[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
    }
  });

  test('has every figure, the question, the machine, the commit, and how to get it again', () => {
    const text = unescaped(PAGE);
    for (const { name } of RESULT.rows) expect(text).toContain(`<td>${name}</td>`);
    expect(RESULT.rows).toHaveLength(SIZES.length * 2 * 3 + 2);
    for (const words of [
      'which is cheaper',
      RESULT.machine.model,
      RESULT.commit,
      SECTION.command,
      'too short to trust',
    ])
      expect(text).toContain(words);
  });

  test('gives a throughput the CPU time that was measured beside it', () => {
    const rates = RESULT.rows.filter(({ unit }) => unit === 'MB/s');
    expect(rates.map(({ cpuSecondsPerGb }) => cpuSecondsPerGb)).toEqual([2, 2, 3, 3, 4, 4]);
  });
});

describe('the pictures', () => {
  test('are curves where only a number differs, bars elsewhere, and leave ratios out', () => {
    const plots = plotsIn(RESULT);
    expect(plots.map(({ kind, chart }) => [kind, chart.unit])).toEqual([
      ['curves', 's/GB'],
      ['curves', 'MB/s'],
      ['bars', 'ns'],
    ]);
    expect(plots[0]?.chart.series.map(({ name }) => name)).toEqual(['copy', 'sendfile']);
    expect(plots[0]?.chart.series[0]?.points[1]).toEqual({ label: '64 KiB, copy', median: 3, p5: 2.1, p95: 4.8 });
  });

  test('know the number in a name', () => {
    expect(['512 B', '64 KiB, sendfile', 'index.interval.bytes 4096', '1 MiB'].map(numberIn)).toEqual([
      512,
      65_536,
      4096,
      1 << 20,
    ]);
    expect(numberIn('fresh')).toBeNaN();
    expect(numberIn('p99.9')).toBeNaN();
    expect(withoutNumber('writes of 64 KiB, cold')).toBe('writes of, cold');
  });
});

describe('a scale', () => {
  test('is linear from zero where figures are near each other', () => {
    const scale = scaleOf([37, 12]);
    expect(isLogarithmic(scale)).toBe(false);
    expect(scale.ticks).toEqual([0, 10, 20, 30, 40]);
    expect([0, 20, 40].map((value) => scale.place(value))).toEqual([0, 0.5, 1]);
  });

  test('is logarithmic where they lie decades apart', () => {
    const scale = scaleOf([0, 0.02, 90]);
    expect(isLogarithmic(scale)).toBe(true);
    expect(scale.ticks).toEqual([0.01, 0.1, 1, 10, 100]);
    expect([0, 0.01, 1, 100].map((value) => scale.place(value))).toEqual([0, 0, 0.5, 1]);
  });

  test('is there for nothing, too', () => {
    expect(scaleOf([]).place(0)).toBe(0);
    expect(scaleOf([0, 0]).ticks.length).toBeGreaterThan(1);
  });
});

test('a file that is no result is named', () => {
  const text = JSON.stringify(RESULT);
  expect(readResults(text, 'a.json')).toEqual([JSON.parse(text)]);
  expect(readResults(`[${text},${text}]`, 'a.json')).toHaveLength(2);
  expect(() => readResults('{}', 'b.json')).toThrow('b.json is no result of a bench.');
  const broken = { ...RESULT, rows: [{ ...RESULT.rows[0], median: null }] };
  expect(() => readResults(JSON.stringify(broken), 'c.json')).toThrow('is not whole');
});
