/** The broker as a process of its own, to be killed, traced or stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Layout } from './broker.ts';

const HOOK = new URL('./stripped/hook.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export class BrokerProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly #isTraced: boolean;
  #port = 0;
  #stdout = '';
  #stderr = '';

  /** Without a directory the settings name it. `before` are words in front of the broker's own: a tracer and its options. */
  constructor(
    directory: string | null,
    layout: Layout,
    settings: Readonly<Record<string, string>> = {},
    before: readonly string[] = [],
  ) {
    const all = Object.entries({ ...layout.settings, ...settings }).flatMap(([name, value]) => [
      '--set',
      `${name}=${value}`,
    ]);
    const data = directory === null ? [] : ['--data', directory];
    const words = [...before, process.execPath, '--import', HOOK, MAIN, 'start', '--port', '0', ...data, ...all];
    const child = spawn(words[0] as string, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (text) => (this.#stdout += text));
    child.stderr.on('data', (text) => (this.#stderr += text));
    this.child = child;
    this.#isTraced = before.length > 0;
    this.exit = once(child, 'close').then(([code]) => code);
  }

  get port(): number {
    return this.#port;
  }

  /** What it has said where complaints go. */
  get complaints(): string {
    return this.#stderr;
  }

  async listening(): Promise<this> {
    for (;;) {
      const match = /^odradek listening on 127\.0\.0\.1:(\d+)$/m.exec(this.#stdout);
      if (match) {
        this.#port = Number(match[1]);
        return this;
      }
      const event = await Promise.race([once(this.child.stdout as NodeJS.ReadableStream, 'data'), this.exit]);
      if (!Array.isArray(event)) throw new Error(`the broker ended with ${event}: ${this.#stderr}`);
    }
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.exit;
  }

  /** A clean end. */
  async stop(): Promise<void> {
    this.#signal('SIGTERM');
    const code = await this.exit;
    if (code !== 0) throw new Error(`the broker ended with ${code}: ${this.#stderr}`);
  }

  /** To the broker itself: a tracer ends with what it traces, but not the other way round. */
  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const traced = this.#isTraced ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() : '';
    process.kill(traced === '' ? pid : Number(traced.split(' ')[0]), signal);
  }
}
