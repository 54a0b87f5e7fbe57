/** The servers under measurement, each a process of its own with a fresh data directory that goes when it stops. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compileC } from '../kit/compile.ts';
import { beforeInterruptedEnd } from '../kit/interrupt.ts';
import { alive, listenerOf } from '../kit/process.ts';

const START_MAX_MS = 180_000;
const STOP_MAX_MS = 30_000;
const POLL_MS = 2;
const PORT_PATTERN =
  /(?:listening on|\bport"?\s*[:=]|(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1?\]):)\s*(\d{2,5})\b(?!\.)/;

/** How to start one: `{port}` and `{dir}` in its words are filled in. Without `{port}` the port is read from what it prints. */
export interface Variant {
  name: string;
  command: string[];
  /** What has to lie in its directory before it starts; not in the time it takes to start. */
  prepare?(directory: string, port: number): Promise<void>;
}

export interface Running {
  name: string;
  pid: number;
  port: number;
  startedMs: number;
  directory: string;
  stop(): Promise<void>;
  /** By SIGKILL; the directory stays, for another start on it. */
  kill(): Promise<void>;
}

export function yardstick(serve: 'sendfile' | 'copy'): Variant {
  const program = compileC(fileURLToPath(new URL('server.c', import.meta.url)));
  return { name: `c-${serve}`, command: [program, '--port', '0', '--dir', '{dir}', '--serve', serve] };
}

export function broker(settings: Readonly<Record<string, string | number>> = {}, name = 'broker'): Variant {
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const words = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return { name, command: [process.execPath, main, 'start', '--port', '0', '--data', '{dir}', ...words] };
}

export function custom(name: string, line: string): Variant {
  return { name, command: line.split(/\s+/).filter((word) => word !== '') };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  });
}

const running = new Set<Running>();

/** Stops what still runs: for an interrupted bench. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
}

/** Starts one, in a new directory or on what a killed one left, and returns when something listens on its port. */
export async function start(variant: Variant, parent = tmpdir(), left?: string): Promise<Running> {
  const directory = left ?? mkdtempSync(join(parent, `odradek-bench-${variant.name.replace(/\W+/g, '-')}-`));
  const knownPort = variant.command.some((word) => word.includes('{port}')) ? await freePort() : 0;
  const [program, ...words] = variant.command.map((word) =>
    word.replaceAll('{port}', String(knownPort)).replaceAll('{dir}', directory),
  );
  await variant.prepare?.(directory, knownPort);
  const startedMs = performance.now();
  const child = spawn(program as string, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => (printed = (printed + bytes.toString()).slice(-8192)));
  child.stderr.on('data', (bytes: Buffer) => (printed = (printed + bytes.toString()).slice(-8192)));
  let problem: Error | undefined;
  child.once('error', (error) => (problem = error));

  const discard = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  const giveUp = (reason: string): never => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    discard();
    throw new Error(`${variant.name} ${reason}: ${variant.command.join(' ')}\n${printed.trim()}`);
  };
  for (;;) {
    const port = knownPort || Number(PORT_PATTERN.exec(printed)?.[1] ?? 0);
    const pid = port > 0 ? listenerOf(port) : undefined;
    if (pid !== undefined) {
      let stopped: Promise<void> | undefined;
      const stopOnce = (): Promise<void> => {
        running.delete(server);
        stopped ??= stop(child, pid, discard);
        return stopped;
      };
      const kill = async (): Promise<void> => {
        running.delete(server);
        process.kill(pid, 'SIGKILL');
        const untilMs = performance.now() + STOP_MAX_MS;
        while (alive(pid)) {
          if (performance.now() > untilMs)
            throw new Error(`process ${pid} is there ${STOP_MAX_MS / 1000} s after it was killed`);
          await sleep(POLL_MS);
        }
      };
      const server: Running = { name: variant.name, pid, port, startedMs, directory, stop: stopOnce, kill };
      running.add(server);
      return server;
    }
    if (problem) giveUp(`cannot be started (${problem.message})`);
    if (child.signalCode !== null || (child.exitCode !== null && child.exitCode !== 0)) giveUp('ended at once');
    if (performance.now() - startedMs > START_MAX_MS) giveUp(`does not listen after ${START_MAX_MS / 1000} s`);
    await sleep(POLL_MS);
  }
}

/** Starts all, in order, and stops them whatever happens. */
export async function withServers<T>(
  variants: readonly Variant[],
  parent: string,
  use: (servers: readonly Running[]) => Promise<T>,
): Promise<T> {
  const servers: Running[] = [];
  beforeInterruptedEnd(stopAll);
  try {
    for (const variant of variants) servers.push(await start(variant, parent));
    return await use(servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function stop(child: ChildProcess, pid: number, discard: () => void): Promise<void> {
  if (alive(pid)) process.kill(pid, 'SIGTERM');
  const untilMs = performance.now() + STOP_MAX_MS;
  while (alive(pid) && performance.now() < untilMs) await sleep(POLL_MS * 5);
  if (alive(pid)) {
    process.kill(pid, 'SIGKILL');
    process.stderr.write(`process ${pid} did not stop within ${STOP_MAX_MS / 1000} s and was killed\n`);
  }
  if (child.exitCode === null && child.signalCode === null && child.pid !== pid) child.kill();
  discard();
}
