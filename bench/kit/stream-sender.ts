/** Node's own way to send a part of a file: a read stream into a socket, to a reader in a process of its own. And how to make a file cold. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Round } from './rounds.ts';

const SINK = fileURLToPath(new URL('./sink.ts', import.meta.url));
/** A stream costs so much that small answers would take minutes. */
const ANSWERS_MAX = 500;

export class StreamSender {
  readonly #path: string;
  readonly #fileBytes: number;
  readonly #head: Buffer;
  readonly #server: Server;
  readonly #sink: ChildProcess;
  readonly #socket: Socket;

  private constructor(
    path: string,
    fileBytes: number,
    headBytes: number,
    server: Server,
    sink: ChildProcess,
    socket: Socket,
  ) {
    this.#path = path;
    this.#fileBytes = fileBytes;
    this.#head = Buffer.alloc(headBytes);
    this.#server = server;
    this.#sink = sink;
    this.#socket = socket;
  }

  static async open(path: string, fileBytes: number, headBytes: number): Promise<StreamSender> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const sink = spawn(process.execPath, [SINK, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [socket] = (await once(server, 'connection')) as [Socket];
    return new StreamSender(path, fileBytes, headBytes, server, sink, socket);
  }

  /** CPU and switches of the whole process: a stream reads on the threads of the pool. */
  async round(size: number, most = this.#fileBytes): Promise<Round> {
    const answers = Math.max(1, Math.min(ANSWERS_MAX, most / size));
    const startMs = performance.now();
    const before = process.resourceUsage();
    for (let i = 0; i < answers; i++) await this.#answer((i * size) % this.#fileBytes, size);
    const after = process.resourceUsage();
    const seconds = (performance.now() - startMs) / 1000;
    const gigabytes = (answers * size) / 1e9;
    const micros = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
    return {
      cpu: micros / 1e6 / gigabytes,
      rate: (gigabytes * 1000) / seconds,
      voluntary: (after.voluntaryContextSwitches - before.voluntaryContextSwitches) / gigabytes,
      involuntary: (after.involuntaryContextSwitches - before.involuntaryContextSwitches) / gigabytes,
    };
  }

  async close(): Promise<void> {
    const gone = once(this.#sink, 'exit');
    this.#socket.destroy();
    this.#server.close();
    await gone;
  }

  async #answer(start: number, size: number): Promise<void> {
    this.#socket.write(this.#head);
    const stream = createReadStream(this.#path, { start, end: start + size - 1 });
    stream.pipe(this.#socket, { end: false });
    await once(stream, 'end');
    if (this.#socket.writableNeedDrain) await once(this.#socket, 'drain');
  }
}

/** The page cache lets go of a file that is on the disk. */
export function forgetFile(path: string): void {
  for (const words of [
    [`of=${path}`, 'conv=notrunc,fdatasync', 'count=0'],
    [`if=${path}`, 'iflag=nocache', 'count=0'],
  ]) {
    const { status, stderr } = spawnSync('dd', ['status=none', ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`dd ${words.join(' ')}: ${stderr}`);
  }
}
