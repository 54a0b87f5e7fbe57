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

  /** CPU of the whole process: a stream reads on the threads of the pool. */
  async round(size: number): Promise<Round> {
    const answers = Math.max(1, Math.min(ANSWERS_MAX, this.#fileBytes / size));
    const startMs = performance.now();
    const before = process.cpuUsage();
    for (let i = 0; i < answers; i++) await this.#answer((i * size) % this.#fileBytes, size);
    const { user, system } = process.cpuUsage(before);
    const bytes = answers * size;
    return { cpu: (user + system) / 1e6 / (bytes / 1e9), rate: bytes / 1e3 / (performance.now() - startMs) };
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
