/** Rules of the house that a compiler does not see: who may import whom, what the pure rooms must not touch, what is left over. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PURE = ['base', 'config', 'wire', 'log', 'cluster', 'replica', 'coordinator', 'security'];
/** Which rooms each room may import, besides itself. The entries may import all. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  config: ['base'],
  wire: ['config', 'base'],
  log: ['wire', 'config', 'base'],
  cluster: ['wire', 'config', 'base'],
  replica: ['log', 'wire', 'config', 'base'],
  coordinator: ['wire', 'config', 'base'],
  security: ['wire', 'config', 'base'],
  api: ['coordinator', 'replica', 'cluster', 'log', 'security', 'wire', 'config', 'base'],
  runtime: ['api', 'coordinator', 'replica', 'cluster', 'log', 'security', 'wire', 'config', 'base'],
  host: ['runtime', 'api', 'stores', 'coordinator', 'replica', 'cluster', 'log', 'security', 'wire', 'config', 'base'],
  stores: ['cluster', 'replica', 'log', 'wire', 'config', 'base'],
  jobs: ['cluster', 'replica', 'log', 'wire', 'config', 'base'],
  console: ['cluster', 'wire', 'config', 'base'],
  cli: ['wire', 'config', 'base'],
  perf: ['cli', 'wire', 'config', 'base'],
};
const ENTRIES = ['src/main.ts', 'src/broker.ts'];

/** Paths from the root, with slashes. */
function files(folder: string, ending = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !file.includes('node_modules/'))
    .sort();
}

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const sources = files('src', '.ts');
const text = new Map(sources.map((file) => [file, read(file)]));
const code = new Map(sources.map((file) => [file, withoutComments(text.get(file) as string)]));

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}])\/\/.*$/gm, '$1');
}

function roomOf(file: string): string | null {
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? null;
}

/** What a file names in static and dynamic imports, in exports and in URLs of its own threads and jobs. */
function importsOf(file: string): string[] {
  const named = code.get(file) as string;
  const found = named.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)['"`]([^'"`]+)['"`]/g);
  return Array.from(found, (match) => match[1] as string);
}

function target(file: string, specifier: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
}

describe('imports', () => {
  test('run one way', () => {
    const backwards = sources.flatMap((file) => {
      const room = roomOf(file);
      if (room === null) return [];
      return importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(file, specifier))
        .filter((to) => to.startsWith('src/') && roomOf(to) !== room && !MAY_IMPORT[room]?.includes(roomOf(to) ?? ''))
        .map((to) => `${file} imports ${to}`);
    });
    expect(backwards).toEqual([]);
  });

  test('every room is known', () => {
    const rooms = new Set(sources.map(roomOf).filter((room) => room !== null));
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  test('every file is imported by somebody', () => {
    const imported = new Set<string>(ENTRIES);
    for (const file of sources) {
      for (const specifier of importsOf(file)) imported.add(target(file, specifier).replace(/\.js$/, '.ts'));
    }
    // Threads and jobs are loaded by name.
    const everything = [...code.values()].join('\n');
    const isNamed = (file: string) => everything.includes(`'${path.posix.basename(file, '.ts')}'`);
    expect(sources.filter((file) => !imported.has(file) && !isNamed(file))).toEqual([]);
  });
});

describe('the pure rooms', () => {
  const pure = sources.filter((file) => PURE.includes(roomOf(file) ?? ''));

  test('import nothing of Node, and of packages what computes only', () => {
    const ALLOWED = [
      ['wire', 'node:zlib'],
      ['coordinator', 're2js'],
    ];
    const allowed = (file: string, specifier: string) =>
      ALLOWED.some(([room, name]) => roomOf(file) === room && specifier === name);
    const found = pure.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !specifier.startsWith('.') && !allowed(file, specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(found).toEqual([]);
  });

  test('ask neither clock nor dice nor process', () => {
    const banned =
      /\b(?:Date\.now|new Date\b|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|Worker\b|fetch\()/;
    const found = pure
      .filter((file) => banned.test(code.get(file) as string))
      .map((file) => `${file}: ${banned.exec(code.get(file) as string)?.[0]}`);
    expect(found).toEqual([]);
  });
});

describe('files', () => {
  const ours = ['src', 'test', 'bench', 'scripts', 'native', 'docs', '.ci'].flatMap((folder) => files(folder));
  const checked = [...ours, 'README.md', 'CHANGELOG.md', 'package.json', 'package-lock.json', 'binding.gyp'].filter(
    (file) => file !== 'test/tidy.test.ts',
  );

  test('of src open with a comment that says what they are', () => {
    expect(
      sources.filter(
        (file) =>
          !/^(?:#!.*\n)?\/(?:\*\*?|\/) ?\S/.test(
            (text.get(file) as string).replace(/^(#!.*\n)?\/\*\*\n \* /, '$1/** '),
          ),
      ),
    ).toEqual([]);
  });

  test('have nothing left over', () => {
    const leftOver = /\b(?:describe|test|it)\.only\b|\bTO[D]O\b|\bFIX[M]E\b|\bdebugger;|\bconsole\.log\(/;
    expect(checked.filter((file) => /\.(?:ts|mjs|cc|h|c|md)$/.test(file) && leftOver.test(read(file)))).toEqual([]);
  });

  test('name no package registry', () => {
    const registry = /registry\.npmjs|registry\.yarnpkg|npm\.pkg\.github|"resolved":\s*"http/;
    expect(checked.filter((file) => registry.test(read(file)))).toEqual([]);
  });

  test('are where the README says', () => {
    const map = /## Folders\n+```\n([\s\S]*?)```/.exec(read('README.md'))?.[1] as string;
    const named = Array.from(map.matchAll(/^( *)(\S+)\/ /gm), (match) =>
      match[1] === '' ? match[2] : `src/${match[2]}`,
    );
    const folders = (folder: string) =>
      readdirSync(path.join(ROOT, folder), { withFileTypes: true }).filter(
        (entry) => entry.isDirectory() && hasFiles(path.join(folder, entry.name)),
      );
    const top = folders('.')
      .map(({ name }) => name)
      .filter((name) => !['node_modules', 'dist', 'build', 'odradek-data'].includes(name));
    const visible = top.filter((name) => !name.startsWith('.'));
    expect(named.toSorted()).toEqual([...visible, ...folders('src').map(({ name }) => `src/${name}`)].sort());
  });
});

function hasFiles(folder: string): boolean {
  return (
    folder === '.git' ||
    readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true }).some((entry) => entry.isFile())
  );
}
