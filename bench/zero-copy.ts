/**
 * From which answer size on sendfile is cheaper than a pread into warm memory and one send: CPU of the sending thread
 * per GB, both ways by turns on the same connection and the same file, in the page cache and not; beside it what they ask
 * of the kernel, and what Node's own way costs: a read stream into a socket.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../src/runtime/addon.ts';
import { EVENT_BYTES, EVENT_WRITE } from '../src/runtime/layout.ts';
import { EAGAIN, type Native, OPEN_READ } from '../src/runtime/native.ts';
import { inDirectory } from './kit/directory.ts';
import { byTurns, type Round, type Rounds } from './kit/rounds.ts';
import { forgetFile, StreamSender } from './kit/stream-sender.ts';
import type { Row, Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';

const SIZES = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384].map((kib) => kib << 10);
const FILE_BYTES = 256 << 20;
const QUICK_FILE_BYTES = 32 << 20;
const APPEND_BYTES = 64 << 10;
/** About what stands before the records of one partition. */
const HEAD_BYTES = 96;
const SIZE_MAX = 16 << 20;
/** From here on a cold file is looked at, too: below it, it is the disk that is measured. */
const COLD_SIZES = [64 << 10, 1 << 20];
const COLD_FILE_BYTES = 32 << 20;
const ROUNDS = 5;
const QUICK_ROUNDS = 1;

type Means = 'copy' | 'sendFile';
const STREAM = 'createReadStream and socket';
const COLD = 'not in the page cache, ';

class Sender {
  readonly #native: Native;
  readonly #memory: number;
  readonly #file: number;
  readonly #fileBytes: number;
  readonly #socket: number;
  readonly #poll: number;
  #position = 0;
  #reads = 0;
  #sends = 0;
  #sendFiles = 0;
  #waits = 0;

  constructor(native: Native, file: number, fileBytes: number, socket: number) {
    this.#native = native;
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#socket = socket;
    this.#memory = native.register(new Uint8Array(new SharedArrayBuffer(HEAD_BYTES + SIZE_MAX + EVENT_BYTES)));
    this.#poll = this.#checked(native.pollCreate());
    this.#checked(native.pollControl(this.#poll, 1, socket, EVENT_WRITE, 0));
  }

  #checked(result: number): number {
    if (result < 0) throw new Error(this.#native.errorName(result));
    return result;
  }

  /** What one non-blocking call moved; 0 when the socket was full, and is not any more. */
  #moved(result: number): number {
    if (result !== EAGAIN) return this.#checked(result);
    this.#waits += 1;
    this.#checked(this.#native.pollWait(this.#poll, this.#memory, HEAD_BYTES + SIZE_MAX, 1, -1));
    return 0;
  }

  #send(bytes: number): void {
    for (let at = 0; at < bytes; ) {
      this.#sends += 1;
      at += this.#moved(this.#native.send(this.#socket, this.#memory, at, bytes - at));
    }
  }

  /** The file is gone through from front to back, so that no answer is warmer than a consumer would find it. */
  #next(size: number): number {
    if (this.#position + size > this.#fileBytes) this.#position = 0;
    this.#position += size;
    return this.#position - size;
  }

  copy(size: number): void {
    const position = this.#next(size);
    this.#reads += 1;
    const got = this.#checked(this.#native.read(this.#file, this.#memory, HEAD_BYTES, size, position));
    if (got !== size) throw new Error(`read ${got} of ${size} bytes`);
    this.#send(HEAD_BYTES + size);
  }

  sendFile(size: number): void {
    const position = this.#next(size);
    this.#send(HEAD_BYTES);
    for (let at = 0; at < size; ) {
      this.#sendFiles += 1;
      at += this.#moved(this.#native.sendFile(this.#socket, this.#file, position + at, size - at));
    }
  }

  /** CPU of this thread per 1e9 bytes, switches of this process, which does nothing else, and calls per answer. */
  round(means: Means, size: number, bytes = this.#fileBytes): Round {
    const answers = bytes / size;
    const gigabytes = bytes / 1e9;
    if (bytes < this.#fileBytes) this.#position = 0;
    this.#reads = this.#sends = this.#sendFiles = this.#waits = 0;
    const usage = process.resourceUsage();
    const startMs = performance.now();
    const cpu = this.#native.threadCpuSeconds();
    for (let i = 0; i < answers; i++) this[means](size);
    const cpuSeconds = this.#native.threadCpuSeconds() - cpu;
    const seconds = (performance.now() - startMs) / 1000;
    const after = process.resourceUsage();
    return {
      cpu: cpuSeconds / gigabytes,
      rate: bytes / 1e6 / seconds,
      voluntary: (after.voluntaryContextSwitches - usage.voluntaryContextSwitches) / gigabytes,
      involuntary: (after.involuntaryContextSwitches - usage.involuntaryContextSwitches) / gigabytes,
      reads: this.#reads / answers,
      sends: this.#sends / answers,
      sendFiles: this.#sendFiles / answers,
      waits: this.#waits / answers,
    };
  }

  close(): void {
    this.#native.close(this.#poll);
    this.#native.unregister(this.#memory);
  }
}

/** Written as a log is, batch by batch: how a file grew decides how its pages lie in the cache. */
function appendLog(path: string, bytes: number): void {
  const batch = Buffer.alloc(APPEND_BYTES, 7);
  const file = openSync(path, 'wx');
  for (let at = 0; at < bytes; at += APPEND_BYTES) writeSync(file, batch, 0, APPEND_BYTES, at);
  closeSync(file);
}

/** The smallest size from which on sendfile costs no more at every size measured. */
function crossover(rounds: Rounds): Row {
  let from = 0;
  for (const size of SIZES.toReversed()) {
    if (rounds.ratio(nameOf('sendFile', size), nameOf('copy', size), 'cpu').median > 1) break;
    from = size;
  }
  const name = 'sendfile is cheaper from';
  return from === 0
    ? { name, value: 0, unit: 'KiB', note: 'at no size measured' }
    : { name, value: from / 1024, unit: 'KiB' };
}

function nameOf(means: Means, size: number): string {
  return `${size / 1024} KiB, ${means === 'copy' ? 'pread and send' : 'sendfile'}`;
}

function streamName(size: number): string {
  return `${size / 1024} KiB, ${STREAM}`;
}

function costs(rounds: Rounds, title: string, lines: readonly { name: string; reference: string }[]): Table {
  return tableOf(
    title,
    [
      { name: 'CPU', unit: 's/GB' },
      { name: '÷ pread and send', unit: '' },
      { name: 'rate', unit: 'MB/s' },
    ],
    lines.map(({ name, reference }) => ({
      name,
      values: [rounds.spread(name, 'cpu'), rounds.ratio(name, reference, 'cpu'), rounds.spread(name, 'rate')],
    })),
  );
}

function tables(rounds: Rounds): Table[] {
  const lines = SIZES.flatMap((size) => (['copy', 'sendFile'] as const).map((means) => ({ size, means })));
  return [
    costs(
      rounds,
      'answers from the page cache',
      SIZES.flatMap((size) => {
        const reference = nameOf('copy', size);
        return [reference, nameOf('sendFile', size), streamName(size)].map((name) => ({ name, reference }));
      }),
    ),
    costs(
      rounds,
      'answers from the disk',
      COLD_SIZES.flatMap((size) => {
        const reference = COLD + nameOf('copy', size);
        return [reference, COLD + nameOf('sendFile', size)].map((name) => ({ name, reference }));
      }),
    ),
    tableOf(
      'context switches per GB, and calls per answer (a full socket cuts a send in two and waits between)',
      [
        { name: 'voluntary', unit: '1/GB' },
        { name: 'involuntary', unit: '1/GB' },
        { name: 'reads', unit: '' },
        { name: 'sends', unit: '' },
        { name: 'sendfiles', unit: '' },
        { name: 'waits', unit: '' },
      ],
      lines.map(({ size, means }) => {
        const name = nameOf(means, size);
        const figures = ['voluntary', 'involuntary', 'reads', 'sends', 'sendFiles', 'waits'];
        return { name, values: figures.map((figure) => rounds.spread(name, figure)) };
      }),
    ),
  ];
}

/** The connection of the sink, or its end. */
async function accepted(native: Native, listener: number, sink: ChildProcess): Promise<number> {
  for (;;) {
    const socket = native.accept(listener);
    if (socket >= 0) return socket;
    if (socket !== EAGAIN) throw new Error(`accept: ${native.errorName(socket)}`);
    if (sink.exitCode !== null) throw new Error(`the sink ended with ${sink.exitCode}`);
    await sleep(1);
  }
}

async function measure(native: Native, path: string, options: SuiteOptions): Promise<(Row | Table)[]> {
  const fileBytes = options.quick ? QUICK_FILE_BYTES : FILE_BYTES;
  appendLog(path, fileBytes);
  const listener = native.listen('127.0.0.1', 0, 1);
  const words = [fileURLToPath(new URL('./kit/sink.ts', import.meta.url)), String(native.localPort(listener))];
  const sink = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = once(sink, 'exit');
  const file = native.open(path, OPEN_READ);
  let socket = -1;
  const streams = await StreamSender.open(path, fileBytes, HEAD_BYTES);
  try {
    socket = await accepted(native, listener, sink);
    const sender = new Sender(native, file, fileBytes, socket);
    const ways = SIZES.flatMap((size) =>
      (['copy', 'sendFile'] as const).map((means) => ({
        name: nameOf(means, size),
        round: () => sender.round(means, size),
      })),
    );
    const coldWays = COLD_SIZES.flatMap((size) =>
      (['copy', 'sendFile'] as const).map((means) => ({
        name: COLD + nameOf(means, size),
        round: () => {
          forgetFile(path);
          return sender.round(means, size, Math.min(fileBytes, COLD_FILE_BYTES));
        },
      })),
    );
    const streamWays = SIZES.map((size) => ({
      name: streamName(size),
      round: () => streams.round(size),
    }));
    const rounds = await byTurns([...ways, ...streamWays, ...coldWays], options.quick ? QUICK_ROUNDS : ROUNDS, options);
    sender.close();
    return [...tables(rounds), crossover(rounds)];
  } finally {
    if (socket >= 0) native.close(socket);
    native.close(listener);
    native.close(file);
    await streams.close();
    await gone;
  }
}

export const suite: Suite = {
  question: 'the size from which a file range goes out cheaper by sendfile than by pread and send',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    return inDirectory(options.directory, (directory) => measure(native, join(directory, 'log'), options));
  },
};
