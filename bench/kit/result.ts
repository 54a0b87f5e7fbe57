/**
 * What a suite leaves behind for other programs: one flat list of figures. A figure of a table is called by table, line
 * and column, so that the table can be put together again.
 */
import { commitOf, type Machine, machineOf } from './machine.ts';
import type { Row } from './suite.ts';
import type { Figure, Line, Table } from './table.ts';

export interface ResultRow {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly p5: number;
  readonly p95: number;
  readonly samples: number;
  /** Of throughputs whose CPU time was measured beside them. */
  readonly cpuSecondsPerGb?: number;
}

export interface SuiteResult {
  readonly suite: string;
  readonly machine: Machine;
  readonly commit: string;
  readonly rows: readonly ResultRow[];
}

const BETWEEN = ' › ';
const PER_GB = 's/GB';
const THROUGHPUT = 'MB/s';

function figureRow(name: string, unit: string, figure: Figure): ResultRow {
  if (typeof figure === 'number') return { name, unit, median: figure, p5: figure, p95: figure, samples: 1 };
  const { median, p5, p95, samples } = figure;
  return { name, unit, median, p5, p95, samples };
}

function lineRows({ title, columns }: Table, { name, values }: Line): ResultRow[] {
  const rows = columns.map((column, at) =>
    figureRow([title, name, column.name].join(BETWEEN), column.unit, values[at] as Figure),
  );
  const cpu = rows.find(({ unit }) => unit === PER_GB)?.median;
  return rows.map((row) => (cpu === undefined || row.unit !== THROUGHPUT ? row : { ...row, cpuSecondsPerGb: cpu }));
}

export function resultOf(suite: string, size: Machine['size'], results: readonly (Row | Table)[]): SuiteResult {
  const rows = results.flatMap((result) =>
    'columns' in result
      ? result.lines.flatMap((line) => lineRows(result, line))
      : [figureRow(result.name, result.unit, result.spread ?? result.value)],
  );
  return { suite, machine: machineOf(size), commit: commitOf(), rows };
}

export interface NamedRow extends ResultRow {
  /** Empty for a figure that stands in no table. */
  readonly table: string;
  readonly line: string;
  /** Empty for a figure that stands in no table. */
  readonly column: string;
}

export function placeOf(row: ResultRow): NamedRow {
  const words = row.name.split(BETWEEN);
  if (words.length !== 3) return { ...row, table: '', line: row.name, column: '' };
  const [table, line, column] = words as [string, string, string];
  return { ...row, table, line, column };
}
