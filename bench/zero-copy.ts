/**
 * From which answer size on sendfile is cheaper than a pread into warm memory and one send: CPU of the sending thread
 * per GB, both ways by turns on the same connections, one to many, and the same file, in the page cache and not; beside it
 * what they ask of the kernel, and what Node's own way costs: a read stream into a socket.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../src/runtime/ground/addon.ts';
import { EAGAIN, type Native, OPEN_READ } from '../src/runtime/ground/native.ts';
import { Answering, type Means } from './kit/answering.ts';
import { inDirectory } from './kit/directory.ts';
import { byTurns, type Rounds, type Way } from './kit/rounds.ts';
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
const CONNECTIONS = [1, 8, 64];
const CONNECTION_SIZES = [16 << 10, 64 << 10, 1 << 20];
const SINK = fileURLToPath(new URL('./kit/sink.ts', import.meta.url));
const ROUNDS = 5;
const QUICK_ROUNDS = 1;

const MEANS = ['copy', 'sendFile'] as const;
const WORDS = { copy: 'pread and send', sendFile: 'sendfile' } as const;
const STREAM = 'createReadStream and socket';
const COLD = 'not in the page cache, ';

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
  return `${size / 1024} KiB, ${WORDS[means]}`;
}

function linesName(means: Means, count: number): string {
  return `connections ${count}, ${WORDS[means]}`;
}

function prefixOf(size: number): string {
  return `${size / 1024} KiB on `;
}

function streamName(size: number): string {
  return `${size / 1024} KiB, ${STREAM}`;
}

/** `prefix` tells ways apart whose lines are called alike in other tables. Each line is held against the one that copies. */
function costs(rounds: Rounds, title: string, prefix: string, groups: readonly (readonly string[])[]): Table {
  return tableOf(
    title,
    [
      { name: 'CPU', unit: 's/GB' },
      { name: '÷ pread and send', unit: '' },
      { name: 'rate', unit: 'MB/s' },
      { name: 'switches, voluntary', unit: '1/GB' },
      { name: 'involuntary', unit: '1/GB' },
    ],
    groups.flatMap((names) =>
      names.map((name) => ({
        name,
        values: [
          rounds.spread(prefix + name, 'cpu'),
          rounds.ratio(prefix + name, prefix + (names[0] as string), 'cpu'),
          ...['rate', 'voluntary', 'involuntary'].map((figure) => rounds.spread(prefix + name, figure)),
        ],
      })),
    ),
  );
}

function tables(rounds: Rounds): Table[] {
  const threeWays = (size: number): string[] => [nameOf('copy', size), nameOf('sendFile', size), streamName(size)];
  return [
    costs(rounds, 'answers from the page cache', '', SIZES.map(threeWays)),
    costs(rounds, 'answers from the disk', COLD, COLD_SIZES.map(threeWays)),
    ...CONNECTION_SIZES.map((size) =>
      costs(
        rounds,
        `answers of ${size / 1024} KiB by connections, from the page cache`,
        prefixOf(size),
        CONNECTIONS.map((count) => MEANS.map((means) => linesName(means, count))),
      ),
    ),
    tableOf(
      'calls per answer (a full socket cuts a send in two and waits between)',
      [
        { name: 'reads', unit: '' },
        { name: 'sends', unit: '' },
        { name: 'sendfiles', unit: '' },
        { name: 'waits', unit: '' },
      ],
      SIZES.flatMap((size) => MEANS.map((means) => nameOf(means, size))).map((name) => {
        const figures = ['reads', 'sends', 'sendFiles', 'waits'];
        return { name, values: figures.map((figure) => rounds.spread(name, figure)) };
      }),
    ),
  ];
}

/** Connections of a sink of their own; what it reads goes nowhere. */
interface Sunk {
  readonly sockets: readonly number[];
  /** Resolves when they are closed and the sink has ended. */
  readonly gone: Promise<unknown>;
}

async function sunk(native: Native, count: number): Promise<Sunk> {
  const listener = native.listen('127.0.0.1', 0, count);
  const words = [SINK, String(native.localPort(listener)), String(count)];
  const sink = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = once(sink, 'exit');
  const sockets: number[] = [];
  while (sockets.length < count) {
    const socket = native.accept(listener);
    if (socket >= 0) sockets.push(socket);
    else if (socket !== EAGAIN) throw new Error(`accept: ${native.errorName(socket)}`);
    else if (sink.exitCode !== null) throw new Error(`the sink ended with ${sink.exitCode}`);
    else await sleep(1);
  }
  native.close(listener);
  return { sockets, gone };
}

async function measure(native: Native, path: string, options: SuiteOptions): Promise<(Row | Table)[]> {
  const fileBytes = options.quick ? QUICK_FILE_BYTES : FILE_BYTES;
  appendLog(path, fileBytes);
  const file = native.open(path, OPEN_READ);
  const streams = await StreamSender.open(path, fileBytes, HEAD_BYTES);
  const senders: { sender: Answering; gone: Promise<unknown> }[] = [];
  const answering = async (count: number, sizeMax: number): Promise<Answering> => {
    const { sockets, gone } = await sunk(native, count);
    const sender = new Answering(native, file, fileBytes, sockets, HEAD_BYTES, sizeMax);
    senders.push({ sender, gone });
    return sender;
  };
  try {
    const one = await answering(1, SIZE_MAX);
    const warm = SIZES.flatMap((size): Way[] => [
      ...MEANS.map((means) => ({ name: nameOf(means, size), round: () => one.round(means, size) })),
      { name: streamName(size), round: () => streams.round(size) },
    ]);
    const coldBytes = Math.min(fileBytes, COLD_FILE_BYTES);
    const cold = COLD_SIZES.flatMap((size): Way[] => [
      ...MEANS.map((means) => ({ name: nameOf(means, size), round: () => one.round(means, size, coldBytes) })),
      { name: streamName(size), round: () => streams.round(size, coldBytes) },
    ]).map(({ name, round }) => ({
      name: COLD + name,
      round(number: number) {
        forgetFile(path);
        return round(number);
      },
    }));
    const many: Way[] = [];
    for (const count of CONNECTIONS) {
      const sender = await answering(count, Math.max(...CONNECTION_SIZES));
      for (const size of CONNECTION_SIZES)
        for (const means of MEANS)
          many.push({ name: prefixOf(size) + linesName(means, count), round: () => sender.round(means, size) });
    }
    const rounds = await byTurns([...warm, ...cold, ...many], options.quick ? QUICK_ROUNDS : ROUNDS, options);
    return [...tables(rounds), crossover(rounds)];
  } finally {
    for (const { sender } of senders) sender.close();
    await Promise.all(senders.map(({ gone }) => gone));
    native.close(file);
    await streams.close();
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
