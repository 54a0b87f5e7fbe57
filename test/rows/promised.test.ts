/**
 * What the broker promises, row by row: each has a test that is named by it, and docs/behaviours.md says where. After a change
 * write the page anew: npx vitest run --project native test/rows/promised.test.ts -u
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const HERE = fileURLToPath(new URL('.', import.meta.url));

function rows(letter: string, from: number, to: number): string[] {
  const digits = letter === 'S' ? 3 : 2;
  return Array.from({ length: to - from + 1 }, (_, at) => `${letter}${String(from + at).padStart(digits, '0')}`);
}

const PROMISED = [
  ...rows('S', 1, 23),
  ...rows('S', 25, 48),
  ...rows('S', 50, 51),
  ...rows('S', 79, 80),
  ...rows('S', 82, 84),
  ...rows('S', 87, 132),
  ...rows('S', 138, 141),
  ...rows('S', 144, 146),
  ...rows('S', 151, 151),
  ...rows('X', 3, 5),
  ...rows('X', 8, 13),
];

interface Told {
  readonly row: string;
  readonly title: string;
  readonly file: string;
}

/** Titles that begin with one row or several: `S036: ...`, `S102, S103: ...`. */
function told(): Told[] {
  const files = readdirSync(HERE).filter((name) => name.endsWith('.test.ts') && name !== 'promised.test.ts');
  return files.flatMap((file) => {
    const text = readFileSync(`${HERE}${file}`, 'utf8');
    const titles = text.matchAll(/(['"`])((?:[SX]\d{2,3}(?:, )?)+)(?:: ((?:\\.|(?!\1).)*))?\1/g);
    return Array.from(titles).flatMap(([, , names, title = '']) =>
      (names as string).split(', ').map((row) => ({ row, title: plain(title), file })),
    );
  });
}

/** Without what a test fills in. */
function plain(title: string): string {
  return title
    .replaceAll(/\s*\(?(?:\$\{[^}]*\}|\$\w+|%\w)\)?/g, '')
    .replaceAll(/\\(['"`])/g, '$1')
    .trim();
}

test('every row has a test', () => {
  const named = new Set(told().map(({ row }) => row));
  expect(PROMISED.filter((row) => !named.has(row))).toEqual([]);
});

test('docs/behaviours.md says which', async () => {
  const lines = told()
    .filter(({ title }) => title !== '')
    .toSorted((a, b) => order(a.row) - order(b.row) || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0))
    .map(({ row, title, file }) => `| ${row} | ${title.replaceAll('|', '\\|')} | \`${file}\` |`);
  const page = `# Behaviours

What must be observably true of the broker, and the test in \`test/rows\` that shows it. Made from the titles of the tests.

| row | what | test |
| --- | --- | --- |
${lines.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../docs/behaviours.md');
});

function order(row: string): number {
  return (row.startsWith('X') ? 1000 : 0) + Number(row.slice(1));
}
