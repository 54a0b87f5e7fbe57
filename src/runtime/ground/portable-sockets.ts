/**
 * Sockets of `node:net` behind the same faces as the native ones. They are pushed where ours are pulled: what comes in
 * waits in a short queue, and the socket is paused while the connection does not take it.
 */
import { closeSync, readSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Memory, Pieces } from '../../base/memory.ts';
import type { Doors } from '../acceptor.ts';
import type { Sockets } from '../net/connections.ts';
import { END, type Transport, type TransportOwner, WOULD_BLOCK } from '../net/transport.ts';
import type { PortableLoop } from './portable-loop.ts';

/** A socket stops being read while this much waits, and takes no more to send above it. */
const QUEUE_BYTES_MAX = 1_048_576;
const RANGE_BYTES_AT_ONCE = 262_144;
/** A closed connection whose last bytes nobody takes for so long is torn down. */
const CLOSE_STALLED_MS = 10_000;
const BROKEN = -104;

class PortableTransport implements Transport {
  readonly socket: Socket;
  readonly peer: string;
  owner: TransportOwner;
  readonly #loop: PortableLoop;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #ended = false;
  #broken = false;
  #read = true;
  #write = false;

  constructor(socket: Socket, loop: PortableLoop, owner: TransportOwner) {
    this.socket = socket;
    this.#loop = loop;
    this.owner = owner;
    this.peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`;
    socket.on('data', (chunk) => {
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
      if (this.#queuedBytes >= QUEUE_BYTES_MAX) socket.pause();
      this.#tell();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#tellGone();
    });
    socket.on('error', () => {
      this.#broken = true;
      this.#tellGone();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#tellGone();
    });
    if (socket.destroyed) {
      this.#broken = true;
      this.#tellGone();
    }
    socket.on('drain', () => {
      if (!this.#write) return;
      this.#loop.wake();
      this.owner.writable(this.#loop.loop.clock.monotonic());
    });
  }

  receive(memory: Memory, offset1: number, length1: number, offset2: number, length2: number): number {
    if (this.#broken) return BROKEN;
    if (this.#queuedBytes === 0) return this.#ended ? END : WOULD_BLOCK;
    const first = this.#take(memory, offset1, length1);
    const got = first < length1 ? first : first + this.#take(memory, offset2, length2);
    if (this.#queuedBytes < QUEUE_BYTES_MAX / 2 && this.socket.isPaused()) this.socket.resume();
    if (this.#queuedBytes > 0 || this.#ended) this.#tell();
    return got;
  }

  send(pieces: Pieces): number {
    if (this.#broken || this.socket.destroyed) return BROKEN;
    if (this.socket.writableLength >= QUEUE_BYTES_MAX) return WOULD_BLOCK;
    const copy = Buffer.allocUnsafe(pieces.totalBytes);
    let at = 0;
    for (let i = 0; i < pieces.count; i++) {
      const offset = pieces.offsetOf(i);
      const bytes = pieces.memoryOf(i).bytes.subarray(offset, offset + pieces.lengthOf(i));
      copy.set(bytes, at);
      at += bytes.length;
    }
    this.socket.write(copy);
    return copy.length;
  }

  sendFile(descriptor: number, position: number, length: number): number {
    if (this.#broken || this.socket.destroyed) return BROKEN;
    if (this.socket.writableLength >= QUEUE_BYTES_MAX) return WOULD_BLOCK;
    const copy = Buffer.allocUnsafe(Math.min(length, RANGE_BYTES_AT_ONCE));
    const got = readSync(descriptor, copy, 0, copy.length, position);
    if (got > 0) this.socket.write(copy.subarray(0, got));
    return got;
  }

  interest(read: boolean, write: boolean): void {
    this.#write = write;
    const before = this.#read;
    this.#read = read;
    if (read && !before && (this.#queuedBytes > 0 || this.#ended || this.#broken)) this.#tell();
  }

  /** What was sent still goes out, as long as the other end takes some of it now and then. */
  close(): void {
    if (this.socket.writableLength > 0) {
      this.socket.setTimeout(CLOSE_STALLED_MS, () => this.socket.destroy());
      this.socket.end();
    } else this.socket.destroy();
  }

  /** Another connection takes over: what came in between owners is told again. */
  adoptBy(owner: TransportOwner): void {
    this.owner = owner;
    this.#read = true;
    this.#write = false;
    if (this.#ended || this.#broken) this.#tellGone();
    else if (this.#queuedBytes > 0) this.#tell();
  }

  /** As ever by the event loop; who does not read learns of it, too. */
  #tellGone(): void {
    setImmediate(() => {
      this.#loop.wake();
      this.owner.gone(this.#loop.loop.clock.monotonic());
    });
    this.#tell();
  }

  /** Events come to the owner from the event loop only, never from inside one of its own calls. */
  #tell(): void {
    setImmediate(() => {
      // Who waits to send learns from the next try that there is nobody to send to.
      const learns = this.#write && (this.#broken || this.socket.destroyed);
      if (!this.#read && !learns) return;
      this.#loop.wake();
      const now = this.#loop.loop.clock.monotonic();
      if (this.#read) this.owner.readable(now);
      else this.owner.writable(now);
    });
  }

  #take(memory: Memory, offset: number, length: number): number {
    let done = 0;
    while (done < length && this.#queue.length > 0) {
      const chunk = this.#queue[0] as Buffer;
      const part = Math.min(chunk.length, length - done);
      memory.bytes.set(chunk.subarray(0, part), offset + done);
      done += part;
      if (part === chunk.length) this.#queue.shift();
      else this.#queue[0] = chunk.subarray(part);
    }
    this.#queuedBytes -= done;
    return done;
  }
}

/** Sockets of the thread by number, where the native kind has descriptors. */
export class SocketTable {
  readonly #sockets = new Map<number, Socket | PortableTransport>();
  #next = 1;

  add(socket: Socket | PortableTransport): number {
    const number = this.#next++;
    this.#sockets.set(number, socket);
    return number;
  }

  take(number: number): Socket | PortableTransport | undefined {
    const socket = this.#sockets.get(number);
    this.#sockets.delete(number);
    return socket;
  }
}

export class PortableSockets implements Sockets {
  readonly #table: SocketTable;
  readonly #loop: PortableLoop;
  readonly #owner: (connection: number) => TransportOwner | undefined;

  constructor(table: SocketTable, loop: PortableLoop, owner: (connection: number) => TransportOwner | undefined) {
    this.#table = table;
    this.#loop = loop;
    this.#owner = owner;
  }

  adopt(descriptor: number, connection: number): Transport {
    const socket = this.#table.take(descriptor);
    if (socket === undefined) throw new Error(`no socket has the number ${descriptor}`);
    const owner: TransportOwner = {
      readable: (now) => this.#owner(connection)?.readable(now),
      writable: (now) => this.#owner(connection)?.writable(now),
      gone: (now) => this.#owner(connection)?.gone(now),
    };
    if (!(socket instanceof PortableTransport)) return new PortableTransport(socket, this.#loop, owner);
    socket.adoptBy(owner);
    return socket;
  }

  release(transport: Transport): number {
    return this.#table.add(transport as PortableTransport);
  }

  readWarm(descriptor: number, memory: Memory, offset: number, length: number, position: number): number {
    return readSync(descriptor, memory.bytes, offset, length, position);
  }

  closeFile(descriptor: number): void {
    closeSync(descriptor);
  }

  /** Pages cannot be given back from here. */
  releasePages(): void {}
}

export class PortableDoors implements Doors {
  readonly #table: SocketTable;
  readonly #backlog: number;
  readonly #servers: Server[] = [];

  constructor(table: SocketTable, backlog: number) {
    this.#table = table;
    this.#backlog = backlog;
  }

  listen(
    _listener: number,
    host: string,
    port: number,
    accepted: (descriptor: number) => void,
    failed: (problem: string) => void,
  ): Promise<number> {
    const server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, (socket) => {
      // It may be reset before a processor takes it over, who then sees that it is destroyed.
      socket.on('error', () => {});
      accepted(this.#table.add(socket));
    });
    return new Promise((resolve, reject) => {
      // Once it listens, one that comes later is about a connection that cannot be taken.
      server.on('error', (problem: NodeJS.ErrnoException) => {
        const why = problem.code ?? problem.message;
        if (server.listening) failed(why);
        else reject(new Error(why));
      });
      server.listen({ host, port, backlog: this.#backlog }, () => {
        this.#servers.push(server);
        resolve((server.address() as { port: number }).port);
      });
    });
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers.length = 0;
  }

  refuse(descriptor: number): void {
    const socket = this.#table.take(descriptor);
    if (socket !== undefined && !(socket instanceof PortableTransport)) socket.destroy();
  }
}
