/** What the limit bench has found: as lines for whoever watches, and as tables for files of results. */
import { goalTables, goalText, keeps, type Measured } from '../kit/goals.ts';
import { digits, spreadText } from '../kit/statistics.ts';
import { type Figure, type Table, tableOf } from '../kit/table.ts';
import type { LifeResult } from './life.ts';
import type { CaseResult, VariantResult } from './rounds.ts';

const BROKER = 'broker';
const YARDSTICK = 'the C server';

export function caseText({ name, question, unit, goal, yardstick, variants }: CaseResult): string {
  const lines = variants.map((variant) => {
    const asked = variant.name === BROKER && goal !== null ? goal : null;
    const verdict =
      asked === null ? '' : `  goal ${goalText(asked)}${keeps(asked, variant.cpuRatio) ? '' : '  NOT KEPT'}`;
    const ratio = variant.name === yardstick ? 'yardstick' : `× ${spreadText(variant.cpuRatio)}`;
    const pace =
      unit === 's/GB'
        ? `${digits(variant.megabytesPerSecond.median)} MB/s`
        : `${digits(variant.requestsPerSecond.median)} requests/s`;
    return `  ${variant.name.padEnd(12)} ${spreadText(variant.cpu).padEnd(24)} ${ratio.padEnd(24)} ${pace}, p99 ${digits(variant.p99Us.median)} µs${verdict}`;
  });
  return [`${name}: ${question}; CPU in ${unit}, median (min–max)`, ...lines].join('\n');
}

export function lifeText({ name, listeningMs, firstAckMs, idleCpuPercent, memory }: LifeResult): string {
  return (
    `${name}: listening after ${spreadText(listeningMs)} ms, first record acknowledged after ${spreadText(firstAckMs)} ms; ` +
    `idle ${digits(idleCpuPercent)} % of a core, ${digits(ownMegabytes(memory))} MB anonymous and shared, ` +
    `${digits(memory.fileBytes / 1e6)} MB file, ${memory.threads} threads`
  );
}

function ownMegabytes({ anonymousBytes, sharedBytes }: LifeResult['memory']): number {
  return (anonymousBytes + sharedBytes) / 1e6;
}

function nameIn({ yardstick }: CaseResult, { name }: VariantResult): string {
  return name === yardstick ? `${name} (yardstick)` : name;
}

/** A line for each case and server: cases counted in bytes stand in one table, cases counted in requests in another. */
function caseTable(title: string, cases: readonly CaseResult[], isBytes: boolean): Table[] {
  const mine = cases.filter(({ unit }) => (unit === 's/GB') === isBytes);
  if (mine.length === 0) return [];
  const columns = [
    { name: 'CPU', unit: isBytes ? 's/GB' : 'µs' },
    { name: '÷ yardstick', unit: '' },
    isBytes ? { name: 'throughput', unit: 'MB/s' } : { name: 'requests', unit: '1/s' },
    { name: 'p50 of an answer', unit: 'µs' },
    { name: 'p99 of an answer', unit: 'µs' },
  ];
  const lines = mine.flatMap((result) =>
    result.variants.map((variant) => {
      const pace = isBytes ? variant.megabytesPerSecond : variant.requestsPerSecond;
      const values: Figure[] = [variant.cpu, variant.cpuRatio, pace, variant.p50Us, variant.p99Us];
      return { name: `${result.name}, ${nameIn(result, variant)}`, values };
    }),
  );
  return [tableOf(title, columns, lines)];
}

export function tablesOf(cases: readonly CaseResult[], life: readonly LifeResult[]): Table[] {
  const asked = cases.flatMap(({ question, goal, variants }): Measured[] => {
    const ours = variants.find(({ name }) => name === BROKER);
    if (goal === null || ours === undefined) return [];
    return [{ name: `${question}: CPU`, ratio: ours.cpuRatio, goal }];
  });
  const columns = [
    { name: 'listening', unit: 'ms' },
    { name: 'first record acknowledged', unit: 'ms' },
    { name: 'idle', unit: '% of a core' },
    { name: 'own memory', unit: 'MB' },
    { name: 'mapped files', unit: 'MB' },
  ];
  const lives = life.map(({ name, listeningMs, firstAckMs, idleCpuPercent, memory }) => ({
    name,
    values: [listeningMs, firstAckMs, idleCpuPercent, ownMegabytes(memory), memory.fileBytes / 1e6],
  }));
  return [
    ...goalTables(YARDSTICK, asked),
    ...caseTable('the same bytes', cases, true),
    ...caseTable('the same requests', cases, false),
    ...(lives.length === 0 ? [] : [tableOf('start and rest', columns, lives)]),
  ];
}
