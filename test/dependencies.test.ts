/** What others wrote and we install: little, each with its reason, pinned to its bytes, and none of it runs anything when it is installed. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
}

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('package.json')) as Record<string, Readonly<Record<string, string>>>;
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> };
/** Ours has no name there. */
const locked = Object.entries(lock.packages).filter(([place]) => place !== '');

const placesOf = (wanted: (one: Locked) => boolean) => locked.filter(([, one]) => wanted(one)).map(([place]) => place);

test('every package is known by the sum of its bytes', () => {
  expect(locked.length).toBeGreaterThan(10);
  expect(placesOf(({ integrity }) => !/^sha512-/.test(integrity ?? ''))).toEqual([]);
});

test('only ours runs a script when it is installed', () => {
  expect(lock.packages['']?.hasInstallScript).toBe(true);
  expect(placesOf(({ hasInstallScript }) => hasInstallScript === true)).toEqual([]);
});

test('versions are exact', () => {
  const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest;
  const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('the page says what each is there for', () => {
  const readme = read('README.md');
  expect(Object.keys(manifest.dependencies ?? {}).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
