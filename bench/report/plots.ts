/**
 * Which figures of a result belong into one picture: those of one table in one unit. Where the lines differ in a number
 * only they become curves over it, elsewhere bars. Ratios are left to the table: they say
 * what the pictures show. Goals have a picture of their own.
 */
import { isGoalRow } from '../kit/goals.ts';
import { type NamedRow, placeOf, type SuiteResult } from '../kit/result.ts';
import type { Chart, Point, Series } from './charts.ts';
import { numberIn, withoutNumber } from './numbers.ts';

export interface Plot {
  readonly kind: 'bars' | 'curves';
  readonly chart: Chart;
}

const CURVE_POINTS_MIN = 3;
/** More than that nobody tells apart. */
const SERIES_MAX = 6;
const BARS_MAX = 40;

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const list = groups.get(key(item));
    if (list === undefined) groups.set(key(item), [item]);
    else list.push(item);
  }
  return groups;
}

function pointOf({ line, median, p5, p95 }: NamedRow): Point {
  return { label: line, median, p5, p95 };
}

function seriesBy(rows: readonly NamedRow[], name: (row: NamedRow) => string): Series[] {
  return Array.from(grouped(rows, name), ([key, list]) => ({ name: key, points: list.map(pointOf) }));
}

/** All series have the same numbers, enough of them, and each number once. */
function areCurves(series: readonly Series[]): boolean {
  const numbers = series.map(({ points }) => points.map(({ label }) => numberIn(label)));
  const first = numbers[0] ?? [];
  return (
    first.length >= CURVE_POINTS_MIN &&
    new Set(first).size === first.length &&
    first.every((value) => value > 0) &&
    numbers.every((list) => list.length === first.length && list.every((value, at) => value === first[at]))
  );
}

/** The name of a curve: what the line says besides its number, the column, or both. */
function curveName(rows: readonly NamedRow[]): (row: NamedRow) => string {
  const manyLines = new Set(rows.map(({ line }) => withoutNumber(line))).size > 1;
  const manyColumns = new Set(rows.map(({ column }) => column)).size > 1;
  return ({ line, column }) => {
    if (manyLines && manyColumns) return `${withoutNumber(line)}, ${column}`;
    return manyLines || column === '' ? withoutNumber(line) : column;
  };
}

function plotsOf(title: string, unit: string, rows: readonly NamedRow[]): Plot[] {
  const curves = seriesBy(rows, curveName(rows));
  if (areCurves(curves) && curves.length <= SERIES_MAX) {
    return [{ kind: 'curves', chart: { title, unit, series: curves } }];
  }
  const columns = new Set(rows.map(({ column }) => column));
  if (columns.size > 1) {
    const apart = Array.from(columns, (column) =>
      plotsOf(
        `${title}: ${column}`,
        unit,
        rows.filter((row) => row.column === column),
      ),
    ).flat();
    if (rows.length > BARS_MAX || apart.every(({ kind }) => kind === 'curves')) return apart;
  }
  return [{ kind: 'bars', chart: { title, unit, series: seriesBy(rows, ({ column }) => column) } }];
}

export function plotsIn({ suite, rows }: SuiteResult): Plot[] {
  const drawn = rows.map(placeOf).filter((row) => row.unit !== '' && !isGoalRow(row));
  return Array.from(
    grouped(drawn, ({ table }) => table),
    ([table, mine]) =>
      Array.from(
        grouped(mine, ({ unit }) => unit),
        ([unit, alike]) => {
          const columns = new Set(alike.map(({ column }) => column));
          const about = table === '' ? suite : table;
          const [only] = columns;
          return plotsOf(columns.size === 1 && only ? `${about}: ${only}` : about, unit, alike);
        },
      ),
  ).flat(2);
}

/** What came out, in a sentence: the ends of what the picture shows. */
export function findingOf({ series, unit }: Chart, digits: (value: number) => string): string {
  const all = series.flatMap(({ name, points }) =>
    points.map(({ label, median }) => {
      const isSaid = series.length === 1 || name === '' || label.includes(name);
      return { median, name: isSaid ? label : `${label} (${name})` };
    }),
  );
  const sorted = all.toSorted((a, b) => a.median - b.median);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return '';
  if (all.length === 1) return `${most.name}: ${digits(most.median)} ${unit}.`;
  const apart = least.median > 0 ? `, ${digits(most.median / least.median)} times as much` : '';
  return `Least: ${least.name} with ${digits(least.median)} ${unit}. Most: ${most.name} with ${digits(most.median)} ${unit}${apart}.`;
}
