/** The built broker as a process, for benches that start and end it: how long each takes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly startMs: number;
}

/** Waits until it listens. */
export async function start(directory: string, settings: readonly string[] = []): Promise<Running> {
  const began = performance.now();
  const words = [MAIN, 'start', '--port', '0', '--data', directory, ...settings.flatMap((one) => ['--set', one])];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const text of child.stdout as NonNullable<typeof child.stdout>) {
    said += text;
    const match = /^odradek listening on 127\.0\.0\.1:(\d+)$/m.exec(said);
    if (match === null) continue;
    const startMs = performance.now() - began;
    return { child, pid: child.pid as number, port: Number(match[1]), startMs };
  }
  throw new Error(`the broker did not start: ${said}`);
}

/** How long it took, in milliseconds. */
export async function end({ child }: Running, signal: NodeJS.Signals): Promise<number> {
  const began = performance.now();
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return performance.now() - began;
}
