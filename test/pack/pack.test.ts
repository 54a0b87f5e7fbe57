/** The package as somebody else gets it: packed, installed into an empty project, and run by each runtime it is made for. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUNTIMES = fileURLToPath(new URL('runtimes/', import.meta.url));
const DENO_FLAGS = ['--allow-ffi', '--allow-read', '--allow-write', '--allow-net', '--allow-env', '--allow-sys'];
const INSTALL_MS = 300_000;
const folder = mkdtempSync(path.join(tmpdir(), 'odradek-pack-'));
const project = path.join(folder, 'project');

/** Starts a broker, asks it for its ApiVersions over a socket, closes it, says what it saw; then it has to end by itself. */
const PROGRAM = `
import { once } from 'node:events';
import { connect } from 'node:net';
import { startBroker } from 'odradek';

const broker = await startBroker();
const socket = connect(broker.port, broker.host);
await once(socket, 'connect');
socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]));
const [answer] = await once(socket, 'data');
socket.destroy();
await broker.close();
const seen = { correlation: answer.readInt32BE(4), error: answer.readInt16BE(8), apis: answer.readInt32BE(10) };
process.stdout.write(JSON.stringify({ transport: broker.transport, ...seen }));
`;

async function npm(words: readonly string[], cwd: string): Promise<string> {
  const cli = process.env.npm_execpath;
  const { stdout } = await (cli ? run(process.execPath, [cli, ...words], { cwd }) : run('npm', words, { cwd }));
  return stdout;
}

/** Kept in its folder until its lock changes. */
async function installRuntimes(): Promise<void> {
  const stamp = path.join(RUNTIMES, 'node_modules/.odradek-stamp');
  const lock = createHash('sha256')
    .update(readFileSync(path.join(RUNTIMES, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  await npm(['ci', '--ignore-scripts', '--loglevel=error'], RUNTIMES);
  writeFileSync(stamp, lock);
}

let packed: readonly string[] = [];

beforeAll(async () => {
  await run(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { cwd: ROOT });
  await installRuntimes();
  const [report] = JSON.parse(await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], ROOT));
  packed = report.files.map((file: { path: string }) => file.path);
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  await npm(['install', '--prefer-offline', '--loglevel=error', path.join(folder, report.filename)], project);
  writeFileSync(path.join(project, 'program.js'), PROGRAM);
}, INSTALL_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  test('has what it needs and nothing else', () => {
    expect(packed).toContain('dist/main.js');
    expect(packed).toContain('dist/broker.d.ts');
    expect(packed).toContain('binding.gyp');
    expect(packed).toContain('LICENSE');
    const wanted =
      /^(?:dist\/.*\.(?:js|d\.ts)|native\/[^/]+\.(?:cc|h)|scripts\/[^/]+\.mjs|binding\.gyp|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
    expect(packed.filter((file) => !wanted.test(file))).toEqual([]);
  });

  test('brings no Node and no tools of ours along', () => {
    const installed = readdirSync(path.join(project, 'node_modules'));
    expect(installed).toContain('odradek');
    expect(
      installed.filter((name) => /^node-(?:linux|win|darwin)|^(?:typescript|vitest|vite|@biomejs)$/.test(name)),
    ).toEqual([]);
  });

  test('has a command', async () => {
    const { stdout } = await run(path.join(project, 'node_modules/.bin/odradek'), ['--version'], {
      env: { ...process.env, PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}` },
    });
    expect(stdout).toMatch(/^odradek \d/);
  });

  test('has types', async () => {
    const source = `import { type Broker, startBroker } from 'odradek';\nconst broker: Broker = await startBroker({ port: 0 });\nexport const port: number = broker.port;\nawait broker.close();\n`;
    writeFileSync(path.join(project, 'typed.ts'), source);
    cpSync(path.join(ROOT, 'node_modules/@types/node'), path.join(project, 'node_modules/@types/node'), {
      recursive: true,
    });
    const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: [] };
    writeFileSync(
      path.join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['typed.ts'] }),
    );
    await run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project]);
  });
});

describe.each([
  ['Node 24', process.execPath, []],
  ['Node 22', path.join(RUNTIMES, `node_modules/node-${process.platform}-${process.arch}/bin/node`), []],
  ['Deno', path.join(RUNTIMES, 'node_modules/.bin/deno'), ['run', '--no-prompt', ...DENO_FLAGS]],
])('%s', (_, runtime, words) => {
  async function seen(transport?: string) {
    const environment = { ...process.env, NODE_OPTIONS: '', ...(transport && { ODRADEK_TRANSPORT: transport }) };
    const { stdout } = await run(runtime, [...words, 'program.js'], {
      cwd: project,
      env: environment,
      timeout: 20_000,
    });
    return JSON.parse(stdout);
  }

  test('serves on the transport this machine allows, and ends by itself', async () => {
    const built = existsSync(path.join(project, 'node_modules/odradek/build/Release/addon.node'));
    const answer = await seen();
    expect(answer).toMatchObject({ transport: built ? 'native' : 'portable', correlation: 7, error: 0 });
    expect(answer.apis).toBeGreaterThan(5);
  });

  test('serves on the portable transport, and ends by itself', async () => {
    expect(await seen('portable')).toMatchObject({ transport: 'portable', correlation: 7, error: 0 });
  });
});
