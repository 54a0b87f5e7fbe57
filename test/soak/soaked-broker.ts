/** The soak's broker from outside: started, asked, looked at, ended. What it says before it fails is kept. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { memoryOf } from '../../bench/kit/process.ts';
import type { Answer, Question, SoakMetrics } from './words.ts';

export interface Footprint {
  readonly residentMb: number;
  readonly anonymousMb: number;
  readonly descriptors: number;
}

const MB = 1_048_576;
/** A thread looks at its messages once a second at least. */
const COLLECTED_WITHIN_MS = 2_000;

export class SoakedBroker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(metrics: SoakMetrics | null): void; reject(problem: Error): void }>();
  readonly #started: Promise<number>;
  #number = 1;
  /** Why it cannot go on, null while it does. */
  failed: string | null = null;
  #ending = false;

  constructor(directory: string) {
    const execArgv = ['--expose-gc', '--import', new URL('./collect.mjs', import.meta.url).href];
    const child = fork(fileURLToPath(new URL('./broker.ts', import.meta.url)), [directory], { execArgv });
    this.#child = child;
    this.#started = new Promise((resolve, reject) => {
      child.on('message', (answer: Answer) => {
        if ('port' in answer) resolve(answer.port);
        else if ('failed' in answer) this.failed = answer.failed;
        else this.#take(answer);
      });
      child.on('exit', (code) => {
        if (!this.#ending) this.failed ??= `ended with ${code}`;
        const problem = new Error(`the broker has ended: ${this.failed}`);
        reject(problem);
        for (const { reject: refuse } of this.#waiting.values()) refuse(problem);
        this.#waiting.clear();
      });
    });
  }

  get port(): Promise<number> {
    return this.#started;
  }

  footprint(): Footprint {
    const pid = this.#child.pid as number;
    const { anonymousBytes, fileBytes, sharedBytes } = memoryOf(pid);
    return {
      residentMb: (anonymousBytes + fileBytes + sharedBytes) / MB,
      anonymousMb: anonymousBytes / MB,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    };
  }

  async metrics(): Promise<SoakMetrics> {
    return (await this.#ask('metrics')) as SoakMetrics;
  }

  /** What it has in memory after this is what it holds on to, not what has not been collected yet. */
  async collect(): Promise<void> {
    await this.#ask('collect');
    await pause(COLLECTED_WITHIN_MS);
  }

  async resize(network: number, io: number): Promise<void> {
    await this.#ask({ network, io });
  }

  async end(): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.send('end');
    await ended;
  }

  #ask(asked: Question['asked']): Promise<SoakMetrics | null> {
    if (this.failed !== null) return Promise.reject(new Error(`the broker has ended: ${this.failed}`));
    const number = this.#number++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#child.send({ number, asked } satisfies Question);
    });
  }

  #take(answer: Extract<Answer, { number: number }>): void {
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.metrics);
  }
}
