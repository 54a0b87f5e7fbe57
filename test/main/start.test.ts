/** The broker as a process: what it prints, which code it ends with, and how it takes signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Each write to it fails: the disk has no room. */
const FULL = '/dev/full';
const STARTS_WITHIN_MS = 40_000;
const started: ChildProcess[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const name = mkdtempSync(path.join(tmpdir(), 'odradek-main-'));
  folders.push(name);
  return name;
}

interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<number | null>;
}

function run(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  started.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  return { child, output, exit: once(child, 'close').then(([code]) => code) };
}

async function portOf({ child, output, exit }: Started): Promise<number> {
  for (;;) {
    const match = /^odradek listening on 127\.0\.0\.1:(\d+)$/m.exec(output.stdout);
    if (match) return Number(match[1]);
    const event = await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), exit]);
    if (!Array.isArray(event)) throw new Error(`ended with ${event}: ${output.stderr}`);
  }
}

/** One sentence for whoever has to act; no stack. */
function expectSentence(output: { stderr: string }): void {
  expect(output.stderr.trim().split('\n')).toHaveLength(1);
  expect(output.stderr).toMatch(/^odradek: .*[.]\n$/);
  expect(output.stderr).not.toMatch(/^\s+at /m);
}

describe('a broker as a process', () => {
  test('--help and --version', async () => {
    const help = run(['--help']);
    expect(await help.exit).toBe(0);
    expect(help.output.stdout).toContain('--set NAME=VALUE');
    const version = run(['--version']);
    expect(await version.exit).toBe(0);
    expect(version.output.stdout).toMatch(/^odradek \d+\.\d+\.\d+\n$/);
  });

  test('wrong words end with 64', async () => {
    const wrong = run(['--prot', '1']);
    expect(await wrong.exit).toBe(64);
    expectSentence(wrong.output);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it cleanly, and the port is free again', async (signal) => {
    const data = folder();
    const first = run(['start', '--port', '0', '--data', data]);
    const port = await portOf(first);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    first.child.kill(signal);
    expect(await first.exit).toBe(0);
    socket.destroy();
    const second = run(['start', '--port', String(port), '--data', data]);
    expect(await portOf(second)).toBe(port);
  });

  test('a setting from a file, one from the environment, and a name nobody knows', async () => {
    const config = path.join(folder(), 'server.properties');
    writeFileSync(config, 'listeners=PLAINTEXT://127.0.0.1:0\nnum.partitons=3\n');
    const broker = run(['--config', config, '--data', folder()], { KAFKA_NUM_PARTITIONS: '2' });
    await portOf(broker);
    broker.child.kill('SIGTERM');
    expect(await broker.exit).toBe(0);
    expect(broker.output.stderr).toContain('did you mean num.partitions?');
  });
});

/** A port that was free a moment ago, for a broker that cannot say which one it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function isServed(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('a broker that nobody listens to', () => {
  async function expectLife(child: ChildProcess, port: number): Promise<void> {
    const exit = once(child, 'exit');
    expect(await eventually(() => child.exitCode !== null || isServed(port), Boolean, STARTS_WITHIN_MS)).toBe(true);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  }

  /** It has something to say before it listens: a setting that means nothing. */
  const words = (port: number) => [MAIN, '--port', String(port), '--data', folder(), '--set', 'num.partitons=3'];

  test('starts, serves and stops when whoever reads it has gone', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, words(port), { stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(child);
    child.stdout.destroy();
    child.stderr.destroy();
    await expectLife(child, port);
  });

  if (existsSync(FULL)) {
    test('goes on when there is no room for its log', async () => {
      const port = await freePort();
      const full = openSync(FULL, 'w');
      const child = spawn(process.execPath, words(port), { stdio: ['ignore', full, full] });
      started.push(child);
      closeSync(full);
      await expectLife(child, port);
    });
  }
});

describe('what a person can cure ends with 1 and one sentence', () => {
  test('a bad setting', async () => {
    const broker = run(['--port', '0', '--data', folder(), '--set', 'num.partitions=many']);
    expect(await broker.exit).toBe(1);
    expectSentence(broker.output);
    expect(broker.output.stderr).toContain('num.partitions=many');
  });

  test('a taken port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const broker = run(['--port', String(port), '--data', folder()]);
      expect(await broker.exit).toBe(1);
      expectSentence(broker.output);
      expect(broker.output.stderr).toContain(String(port));
    } finally {
      server.close();
    }
  });

  test('a data directory that another broker holds', async () => {
    const data = folder();
    await portOf(run(['--port', '0', '--data', data]));
    const second = run(['--port', '0', '--data', data]);
    expect(await second.exit).toBe(1);
    expectSentence(second.output);
    expect(second.output.stderr).toContain(data);
  });

  test('a data directory of somebody else', async () => {
    const data = folder();
    writeFileSync(path.join(data, 'meta.properties'), 'version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\nnode.id=77\n');
    const broker = run(['--port', '0', '--data', data]);
    expect(await broker.exit).toBe(1);
    expectSentence(broker.output);
    expect(broker.output.stderr).toContain('77');
  });

  test('a data directory that cannot be one', async () => {
    const file = path.join(folder(), 'file');
    writeFileSync(file, '');
    const broker = run(['--port', '0', '--data', path.join(file, 'data')]);
    expect(await broker.exit).toBe(1);
    expectSentence(broker.output);
    expect(broker.output.stderr).toContain(file);
  });

  test('a data directory that cannot be written', async () => {
    // Root may write wherever there is a disk; under /sys there is none.
    const data = process.getuid?.() === 0 ? '/sys/odradek-data' : path.join(folder(), 'data');
    if (process.getuid?.() !== 0) mkdirSync(data, { mode: 0o500 });
    const broker = run(['--port', '0', '--data', data]);
    expect(await broker.exit).toBe(1);
    expectSentence(broker.output);
    expect(broker.output.stderr).toContain(data);
  });
});
