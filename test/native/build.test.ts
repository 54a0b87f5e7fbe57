import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { addonProblem, loadAddon } from '../../src/runtime/ground/addon.ts';
import type { Native } from '../../src/runtime/ground/native.ts';
import { temporaryFolder } from './kit.ts';

interface Built {
  readonly built: boolean;
  readonly method?: string;
  readonly reason?: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'scripts/build-addon.mjs');
const folder = temporaryFolder();

/** In a process of its own: with an environment that this one does not have, and so that what was built is loaded once. */
function build(options: Record<string, unknown>, env: NodeJS.ProcessEnv = process.env): Built {
  const code = `import { buildAddon } from ${JSON.stringify(script)};
    process.stdout.write(JSON.stringify(buildAddon(${JSON.stringify({ root, ...options })})));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', env });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout) as Built;
}

function has(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

const compiler = process.platform === 'linux' && has('c++');

describe('the addon', () => {
  it('has a header that says what layout.ts says', async () => {
    const { layoutHeader } = (await import('../../scripts/layout-header.mjs' as string)) as {
      layoutHeader(source: string): string;
    };
    const source = readFileSync(join(root, 'src/runtime/ground/layout.ts'), 'utf8');
    expect(readFileSync(join(root, 'native/layout.h'), 'utf8')).toBe(layoutHeader(source));
  });

  it('is not built without a compiler, and says what to install', () => {
    const result = build({ out: join(folder, 'never.node') }, { PATH: folder });
    expect(result.built).toBe(false);
    expect(result.reason).toContain(process.platform === 'linux' ? 'install' : 'for Linux');
    expect(result.reason).not.toContain('\n');
  });

  it('is loaded unless the environment says portable, or says why not', () => {
    const portable = process.env.ODRADEK_TRANSPORT === 'portable';
    if (portable) expect(addonProblem()).toContain('ODRADEK_TRANSPORT');
    expect(loadAddon() === null).toBe(addonProblem() !== null);
    if (compiler && !portable) expect(addonProblem()).toBe(null);
  });
});

describe.runIf(compiler)('each way of building', () => {
  it.each(['gyp', 'line'])('gives an addon that loads: %s', { timeout: 120_000 }, (method) => {
    const out = join(folder, `${method}.node`);
    // Without a home there is no user's setting that could help.
    const result = build({ method, out }, { PATH: process.env.PATH, HOME: folder });
    expect(result).toEqual({ built: true, method, path: out });
    const native = createRequire(import.meta.url)(out) as Native;
    const memory = native.register(new TextEncoder().encode('123456789'));
    expect(native.crc32c(memory, 0, 9, 0)).toBe(0xe3069283);
    expect(Object.keys(native).sort()).toEqual(Object.keys(loadAddon() ?? native).sort());
  });

  it('does nothing the second time', () => {
    expect(build({})).toMatchObject({ built: true });
    expect(build({})).toMatchObject({ built: true, method: 'stamp' });
  });

  it('sums alike in every variant of the processor', { timeout: 60_000 }, () => {
    const program = join(folder, 'crc-variants');
    const sources = ['test/native/crc-variants.cc', 'native/crc32c.cc'];
    const built = spawnSync('c++', ['-std=c++20', '-O2', '-Inative', ...sources, '-o', program], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(built.stderr).toBe('');
    expect(existsSync(program)).toBe(true);
    const run = spawnSync(program, { encoding: 'utf8' });
    expect(run.stdout).toMatch(/^(compared \d{4,} sums|no instruction)\n$/);
    expect(run.status).toBe(0);
  });
});
