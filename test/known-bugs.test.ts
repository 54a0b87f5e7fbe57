/** The page on known bugs names tests that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const at = (path: string) => new URL(`../${path}`, import.meta.url);
const page = readFileSync(at('docs/known-bugs.md'), 'utf8');
const behaviours = readFileSync(at('docs/behaviours.md'), 'utf8');

/** `folder/file` "the beginning of a title, or a part of it" */
const NAMED = /`([a-z]+\/[a-z-]+)`(?: "([^"]+)")?/g;
/** A row, and perhaps a part of what it says. */
const ROW = /\brows? ([SX]\d+)(?: "([^"]+)")?/g;

const fileOf = (name: string) => at(`test/${name}.test.ts`);

test('files and titles', () => {
  const named = Array.from(page.matchAll(NAMED), ([, name, title]) => ({ name: name as string, title: title ?? '' }));
  // What the page says of the source is no test.
  const tests = named.filter(({ name }) => !existsSync(at(`src/${name}.ts`)) || existsSync(fileOf(name)));
  expect(tests.length).toBeGreaterThan(30);
  expect(tests.filter(({ name }) => !existsSync(fileOf(name)))).toEqual([]);
  expect(tests.filter(({ name, title }) => !readFileSync(fileOf(name), 'utf8').includes(title))).toEqual([]);
});

test('rows', () => {
  const rows = Array.from(page.matchAll(ROW), ([, row, title]) => ({ row: row as string, title: title ?? '' }));
  expect(rows.length).toBeGreaterThan(5);
  const lines = behaviours.split('\n');
  const isThere = ({ row, title }: (typeof rows)[number]) =>
    lines.some((line) => line.startsWith(`| ${row} |`) && line.includes(title));
  expect(rows.filter((one) => !isThere(one))).toEqual([]);
});
