/**
 * From which answer size on sendfile is cheaper than a pread into warm memory and one send: CPU of the sending thread
 * per GB, both ways by turns on the same connection and the same page-cached file.
 */
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadAddon } from '../src/runtime/addon.ts';
import { EVENT_BYTES, EVENT_WRITE } from '../src/runtime/layout.ts';
import { EAGAIN, type Native, OPEN_READ } from '../src/runtime/native.ts';
import { median, ratios, spread, spreadText } from './kit/statistics.ts';
import type { Row, Suite } from './kit/suite.ts';

const SIZES = [4, 8, 16, 32, 64, 128, 256, 512, 1024].map((kib) => kib << 10);
const FILE_BYTES = 256 << 20;
const APPEND_BYTES = 64 << 10;
/** About what stands before the records of one partition. */
const HEAD_BYTES = 96;
const SIZE_MAX = 1 << 20;
const ROUNDS = 5;

class Sender {
  readonly #native: Native;
  readonly #memory: number;
  readonly #file: number;
  readonly #socket: number;
  readonly #poll: number;
  #position = 0;

  constructor(native: Native, file: number, socket: number) {
    this.#native = native;
    this.#file = file;
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
    this.#checked(this.#native.pollWait(this.#poll, this.#memory, HEAD_BYTES + SIZE_MAX, 1, -1));
    return 0;
  }

  #send(bytes: number): void {
    for (let at = 0; at < bytes; ) at += this.#moved(this.#native.send(this.#socket, this.#memory, at, bytes - at));
  }

  /** The file is gone through from front to back, so that no answer is warmer than a consumer would find it. */
  #next(size: number): number {
    if (this.#position + size > FILE_BYTES) this.#position = 0;
    this.#position += size;
    return this.#position - size;
  }

  copy(size: number): void {
    const position = this.#next(size);
    const got = this.#checked(this.#native.read(this.#file, this.#memory, HEAD_BYTES, size, position));
    if (got !== size) throw new Error(`read ${got} of ${size} bytes`);
    this.#send(HEAD_BYTES + size);
  }

  sendFile(size: number): void {
    const position = this.#next(size);
    this.#send(HEAD_BYTES);
    for (let at = 0; at < size; )
      at += this.#moved(this.#native.sendFile(this.#socket, this.#file, position + at, size - at));
  }

  /** CPU-seconds of this thread per 1e9 bytes. */
  cpuPerGigabyte(way: 'copy' | 'sendFile', size: number, bytes: number): number {
    const answers = Math.ceil(bytes / size);
    const before = this.#native.threadCpuSeconds();
    for (let i = 0; i < answers; i++) this[way](size);
    return (this.#native.threadCpuSeconds() - before) / ((answers * size) / 1e9);
  }

  close(): void {
    this.#native.close(this.#poll);
    this.#native.unregister(this.#memory);
  }
}

/** Written as a log is, batch by batch: how a file grew decides how its pages lie in the cache. */
function appendLog(path: string): void {
  const batch = Buffer.alloc(APPEND_BYTES, 7);
  const file = openSync(path, 'wx');
  for (let at = 0; at < FILE_BYTES; at += APPEND_BYTES) writeSync(file, batch, 0, APPEND_BYTES, at);
  closeSync(file);
}

function compare(sender: Sender, size: number, bytes: number, rounds: number): { copy: number[]; sendFile: number[] } {
  const copy: number[] = [];
  const sendFile: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? (['copy', 'sendFile'] as const) : (['sendFile', 'copy'] as const);
    for (const way of order) {
      const cost = sender.cpuPerGigabyte(way, size, bytes);
      if (round > 0) (way === 'copy' ? copy : sendFile).push(cost);
    }
  }
  return { copy, sendFile };
}

/** The smallest size from which on sendfile costs no more at every size measured. */
function crossover(ratioOfSize: Map<number, number>): Row {
  let from = 0;
  for (const [size, ratio] of [...ratioOfSize].sort(([a], [b]) => b - a)) {
    if (ratio > 1) break;
    from = size;
  }
  const name = 'sendfile is cheaper from';
  return from === 0
    ? { name, value: 0, unit: 'KiB', note: 'at no size measured' }
    : { name, value: from / 1024, unit: 'KiB' };
}

export const suite: Suite = {
  question: 'the size from which a file range goes out cheaper by sendfile than by pread and send',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    const directory = mkdtempSync(join(tmpdir(), 'odradek-bench-'));
    const path = join(directory, 'log');
    appendLog(path);
    const listener = native.listen('127.0.0.1', 0, 1);
    const worker = new Worker(new URL('./kit/sink-thread.ts', import.meta.url), {
      workerData: { port: native.localPort(listener) },
    });
    const gone = once(worker, 'exit');
    await once(worker, 'online');
    let socket = EAGAIN;
    while (socket === EAGAIN) {
      socket = native.accept(listener);
      if (socket === EAGAIN) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const file = native.open(path, OPEN_READ);
    try {
      const sender = new Sender(native, file, socket);
      const rows: Row[] = [];
      const ratioOfSize = new Map<number, number>();
      for (const size of SIZES) {
        const { copy, sendFile } = compare(
          sender,
          size,
          options.quick ? 32 << 20 : FILE_BYTES,
          options.quick ? 2 : ROUNDS,
        );
        const ratio = spread(ratios(sendFile, copy));
        ratioOfSize.set(size, ratio.median);
        rows.push({ name: `${size / 1024} KiB, pread and send`, value: median(copy), unit: 's/GB' });
        rows.push({
          name: `${size / 1024} KiB, sendfile`,
          value: median(sendFile),
          unit: 's/GB',
          note: `× ${spreadText(ratio)}`,
        });
        options.progress(`${size / 1024} KiB × ${spreadText(ratio)}`);
      }
      sender.close();
      return [...rows, crossover(ratioOfSize)];
    } finally {
      native.close(socket);
      native.close(listener);
      native.close(file);
      await gone;
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
