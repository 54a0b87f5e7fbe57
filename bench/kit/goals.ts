/**
 * What is asked of the broker, and whether what was measured keeps it. Goals stand in tables of their own, so that a file
 * of results tells which were kept without knowing the bench: one table for goals that are upper bounds, one for lower ones.
 */
import { type NamedRow, placeOf, type SuiteResult } from './result.ts';
import type { Spread } from './statistics.ts';
import { type Table, tableOf } from './table.ts';

export interface Goal {
  /** Of what was measured to what it is held against. */
  readonly ratio: number;
  /** Better still. */
  readonly stretch?: number;
  /** More is better: throughput. */
  readonly atLeast?: boolean;
}

export interface Measured {
  readonly name: string;
  readonly ratio: Spread;
  readonly goal: Goal;
}

/** A goal as a file of results has it. */
export interface Verdict {
  readonly name: string;
  /** Apache Kafka, the C server, growth. */
  readonly against: string;
  readonly goal: Goal;
  readonly measured: NamedRow;
  readonly isKept: boolean;
  readonly isStretchKept: boolean;
}

const BEGINNING = 'goals, ';
const AT_MOST = ': at most';
const AT_LEAST = ': at least';
const COLUMNS = ['measured', 'goal', 'stretch'] as const;

function reaches(median: number, bound: number, atLeast: boolean): boolean {
  return atLeast ? median >= bound : median <= bound;
}

export function keeps({ ratio, atLeast = false }: Goal, measured: Pick<Spread, 'median'>): boolean {
  return reaches(measured.median, ratio, atLeast);
}

export function goalText({ ratio, stretch, atLeast = false }: Goal): string {
  const sign = atLeast ? '≥' : '≤';
  return `${sign} ${ratio}${stretch === undefined ? '' : ` (${sign} ${stretch})`}`;
}

export function goalTables(against: string, measured: readonly Measured[]): Table[] {
  return [false, true].flatMap((atLeast) => {
    const mine = measured.filter(({ goal }) => (goal.atLeast ?? false) === atLeast);
    if (mine.length === 0) return [];
    const lines = mine.map(({ name, ratio, goal }) => ({
      name,
      values: [ratio, goal.ratio, goal.stretch ?? goal.ratio],
    }));
    return [
      tableOf(
        `${BEGINNING}${against}${atLeast ? AT_LEAST : AT_MOST}`,
        COLUMNS.map((name) => ({ name, unit: '×' })),
        lines,
      ),
    ];
  });
}

export function isGoalRow({ table }: Pick<NamedRow, 'table'>): boolean {
  return table.startsWith(BEGINNING);
}

export function verdictsIn({ rows }: Pick<SuiteResult, 'rows'>): Verdict[] {
  const all = rows.map(placeOf).filter(isGoalRow);
  return all
    .filter(({ column }) => column === 'measured')
    .map((measured) => {
      const figure = (wanted: (typeof COLUMNS)[number]): number => {
        const row = all.find(
          ({ table, line, column }) => table === measured.table && line === measured.line && column === wanted,
        );
        if (row === undefined) throw new Error(`${measured.table}: ${measured.line} has no ${wanted}`);
        return row.median;
      };
      const atLeast = measured.table.endsWith(AT_LEAST);
      const [ratio, stretch] = [figure('goal'), figure('stretch')];
      const goal: Goal = { ratio, atLeast, ...(stretch === ratio ? {} : { stretch }) };
      return {
        name: measured.line,
        against: measured.table.slice(BEGINNING.length, -(atLeast ? AT_LEAST : AT_MOST).length),
        goal,
        measured,
        isKept: keeps(goal, measured),
        isStretchKept: reaches(measured.median, stretch, atLeast),
      };
    });
}
