/** A table of measured figures: one line for each thing measured, one column for each figure, spreads where there were rounds. */
import { digits, type Spread, spreadText } from './statistics.ts';

export interface Column {
  readonly name: string;
  readonly unit: string;
}

/** What the rounds gave, or one figure that has no rounds. */
export type Figure = Spread | number;

export interface Line {
  readonly name: string;
  /** One for each column. */
  readonly values: readonly Figure[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly lines: readonly Line[];
}

export function tableOf(title: string, columns: readonly Column[], lines: readonly Line[]): Table {
  for (const { name, values } of lines)
    if (values.length !== columns.length)
      throw new Error(`${title}: ${name} has ${values.length} figures for ${columns.length} columns`);
  return { title, columns, lines };
}

function figureText(figure: Figure): string {
  if (typeof figure === 'number') return digits(figure);
  return figure.min === figure.max ? digits(figure.median) : spreadText(figure);
}

export function tableText({ title, columns, lines }: Table): string {
  const head = ['', ...columns.map(({ name, unit }) => (unit === '' ? name : `${name}, ${unit}`))];
  const body = lines.map(({ name, values }) => [name, ...values.map(figureText)]);
  const widths = head.map((_, at) => Math.max(...[head, ...body].map((cells) => (cells[at] as string).length)));
  const text = (cells: string[]): string =>
    `    ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[at] as number))).join('  ')}`;
  return [`  ${title}`, text(head), ...body.map(text)].join('\n');
}
