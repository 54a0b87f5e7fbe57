/** A broker as a process under strace: what it asked of the kernel, with the files it asked it of. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Layout, temporaryDirectory } from './broker.ts';
import { BrokerProcess } from './broker-process.ts';

/** What touches files. */
export const FILE_CALLS =
  'openat,close,lseek,fdatasync,fsync,pread64,preadv,preadv2,pwrite64,pwritev,pwritev2,write,writev,sendfile,ftruncate';

/** One completed call. */
export interface TracedCall {
  readonly name: string;
  /** Between the brackets; descriptors with their paths. */
  readonly words: string;
  readonly result: number;
}

export interface TracedWrite {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export class TracedBroker {
  readonly directory = temporaryDirectory();
  readonly process: BrokerProcess;

  constructor(layout: Layout, settings: Readonly<Record<string, string>> = {}, calls: string = FILE_CALLS) {
    // -y: descriptors are shown with their paths.
    const tracer = ['strace', '-f', '-y', '-qq', '-s', '0', '-e', `trace=${calls}`, '-o', this.#trace];
    this.process = new BrokerProcess(this.data, layout, settings, tracer);
  }

  get data(): string {
    return join(this.directory, 'data');
  }

  get port(): number {
    return this.process.port;
  }

  get #trace(): string {
    return join(this.directory, 'trace');
  }

  async listening(): Promise<this> {
    await this.process.listening();
    return this;
  }

  async end(): Promise<void> {
    await this.process.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** In the order in which they ended. A call that another thread's line cuts in two is put together again. */
  calls(): TracedCall[] {
    const open = new Map<string, string>();
    const found: TracedCall[] = [];
    for (const line of readFileSync(this.#trace, 'utf8').split('\n')) {
      const parts = /^(\d+)\s+(.*)$/.exec(line);
      if (parts === null) continue;
      const [, thread, rest] = parts as unknown as [string, string, string];
      if (rest.endsWith('<unfinished ...>')) {
        open.set(thread, rest.slice(0, -'<unfinished ...>'.length));
        continue;
      }
      const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
      const whole = resumed === null ? rest : (open.get(thread) ?? '') + resumed[1];
      const call = /^(\w+)\((.*)\)\s+=\s+(-?\d+)/.exec(whole);
      if (call !== null) found.push({ name: call[1] as string, words: call[2] as string, result: Number(call[3]) });
    }
    return found;
  }
}

/** Writes at a place: which file, where, how many bytes. */
export function writesTo(calls: readonly TracedCall[], ending: string): TracedWrite[] {
  return calls
    .filter(({ name }) => name.startsWith('pwrite'))
    .flatMap(({ name, words, result }) => {
      const path = /^\d+<([^>]*)>/.exec(words)?.[1] ?? '';
      // pwritev2 has its flags behind the offset.
      const offset = Number(words.split(',').at(name === 'pwritev2' ? -2 : -1));
      return path.endsWith(ending) ? [{ path, offset, length: result }] : [];
    });
}

/** Writes that do not begin where the one before them in the same file ended. */
export function notAtTheEnd(writes: readonly TracedWrite[]): TracedWrite[] {
  const ends = new Map<string, number>();
  return writes.filter(({ path, offset, length }) => {
    const end = ends.get(path) ?? 0;
    ends.set(path, offset + length);
    return offset !== end;
  });
}

/** Syncs of log files. */
export function logSyncs(calls: readonly TracedCall[]): TracedCall[] {
  return calls.filter(({ name, words }) => /^f(data)?sync$/.test(name) && words.includes('.log>'));
}
