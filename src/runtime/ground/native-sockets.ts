/**
 * Sockets by descriptor: the native transport, the native listener, and what processors and acceptors ask of the thread.
 */
import type { Memory, Pieces } from '../../base/memory.ts';
import { Timer } from '../../base/timers.ts';
import type { Doors } from '../acceptor.ts';
import type { Sockets } from '../net/connections.ts';
import type { Transport, TransportOwner } from '../net/transport.ts';
import { EVENT_GONE, EVENT_READ, EVENT_WRITE } from './layout.ts';
import { EAGAIN, type Native } from './native.ts';
import type { NativeLoop } from './native-loop.ts';

class NativeTransport implements Transport {
  readonly descriptor: number;
  readonly peer: string;
  readonly #native: Native;
  readonly #loop: NativeLoop;
  #token: number;
  #read = true;
  #write = false;
  #events = EVENT_READ | EVENT_GONE;
  /** It is reported for as long as it is asked for: once is enough. */
  #gone = false;
  #closed = false;

  constructor(native: Native, loop: NativeLoop, descriptor: number, owner: TransportOwner) {
    this.#native = native;
    this.#loop = loop;
    this.descriptor = descriptor;
    this.peer = native.peer(descriptor);
    this.#token = loop.watch(descriptor, this.#events, {
      readable: (now) => owner.readable(now),
      writable: (now) => owner.writable(now),
      gone: (now) => {
        if (this.#gone) return;
        this.#gone = true;
        this.interest(this.#read, this.#write);
        owner.gone(now);
      },
    });
  }

  receive(memory: Memory, offset1: number, length1: number, offset2: number, length2: number): number {
    return this.#native.receive(this.descriptor, memory.id, offset1, length1, memory.id, offset2, length2);
  }

  send(pieces: Pieces, more: boolean): number {
    if (more) return this.#native.sendPiecesMore(this.descriptor, pieces.table, 0, pieces.count);
    if (pieces.count === 1) {
      return this.#native.send(this.descriptor, pieces.memoryOf(0).id, pieces.offsetOf(0), pieces.lengthOf(0));
    }
    return this.#native.sendPieces(this.descriptor, pieces.table, 0, pieces.count);
  }

  sendFile(descriptor: number, position: number, length: number): number {
    return this.#native.sendFile(this.descriptor, descriptor, position, length);
  }

  interest(read: boolean, write: boolean): void {
    this.#read = read;
    this.#write = write;
    const events = (read ? EVENT_READ : 0) | (write ? EVENT_WRITE : 0) | (this.#gone ? 0 : EVENT_GONE);
    if (events === this.#events || this.#closed) return;
    this.#loop.change(this.descriptor, this.#events, events, this.#token);
    this.#events = events;
  }

  close(): void {
    if (this.#closed) return;
    this.letGo();
    this.#native.close(this.descriptor);
  }

  letGo(): void {
    this.#closed = true;
    this.#loop.forget(this.descriptor, this.#events, this.#token);
  }
}

export class NativeSockets implements Sockets {
  readonly #native: Native;
  readonly #loop: NativeLoop;
  readonly #buffers: { receiveBytes: number; sendBytes: number };
  readonly #owner: (connection: number) => TransportOwner | undefined;

  constructor(
    native: Native,
    loop: NativeLoop,
    buffers: { receiveBytes: number; sendBytes: number },
    owner: (connection: number) => TransportOwner | undefined,
  ) {
    this.#native = native;
    this.#loop = loop;
    this.#buffers = buffers;
    this.#owner = owner;
  }

  adopt(descriptor: number, connection: number): Transport {
    const { receiveBytes, sendBytes } = this.#buffers;
    if (receiveBytes > 0 || sendBytes > 0) this.#native.setBuffers(descriptor, receiveBytes, sendBytes);
    return new NativeTransport(this.#native, this.#loop, descriptor, {
      readable: (now) => this.#owner(connection)?.readable(now),
      writable: (now) => this.#owner(connection)?.writable(now),
      gone: (now) => this.#owner(connection)?.gone(now),
    });
  }

  release(transport: Transport): number {
    const native = transport as NativeTransport;
    native.letGo();
    return native.descriptor;
  }

  readWarm(descriptor: number, memory: Memory, offset: number, length: number, position: number): number {
    return this.#native.readNoWait(descriptor, memory.id, offset, length, position);
  }

  closeFile(descriptor: number): void {
    this.#native.close(descriptor);
  }

  releasePages(memory: Memory, offset: number, bytes: number): void {
    this.#native.release(memory.id, offset, bytes);
  }
}

const ACCEPTS_AT_ONCE = 64;
/** Without descriptors or memory the system takes no connection, but goes on to tell of it: nobody listens for so long. */
const PAUSE_MS = 100;
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** A listening socket in epoll, or out of it for a moment. */
class Door {
  readonly descriptor: number;
  readonly #loop: NativeLoop;
  readonly #token: number;
  readonly #pause: Timer;

  constructor(loop: NativeLoop, descriptor: number, accept: (now: number) => void) {
    this.#loop = loop;
    this.descriptor = descriptor;
    this.#token = loop.watch(descriptor, EVENT_READ, { readable: accept, writable() {}, gone() {} });
    this.#pause = new Timer(() => loop.change(descriptor, 0, EVENT_READ, this.#token));
  }

  pause(now: number): void {
    this.#loop.change(this.descriptor, EVENT_READ, 0, this.#token);
    this.#loop.loop.timers.set(this.#pause, now + PAUSE_MS);
  }

  close(): void {
    this.#loop.forget(this.descriptor, this.#pause.waiting ? 0 : EVENT_READ, this.#token);
    this.#loop.loop.timers.cancel(this.#pause);
  }
}

export class NativeDoors implements Doors {
  readonly #native: Native;
  readonly #loop: NativeLoop;
  readonly #backlog: number;
  readonly #open: Door[] = [];

  constructor(native: Native, loop: NativeLoop, backlog: number) {
    this.#native = native;
    this.#loop = loop;
    this.#backlog = backlog;
  }

  listen(
    _listener: number,
    host: string,
    port: number,
    accepted: (descriptor: number) => void,
    failed: (problem: string) => void,
  ): number {
    const native = this.#native;
    const descriptor = native.listen(host, port, this.#backlog);
    if (descriptor < 0) throw new Error(native.errorName(descriptor));
    const accept = (now: number): void => {
      for (let i = 0; i < ACCEPTS_AT_ONCE; i++) {
        const connection = native.accept(descriptor);
        if (connection >= 0) accepted(connection);
        else if (connection === EAGAIN) return;
        else {
          const problem = native.errorName(connection);
          // Any other is a connection that was over before it was taken.
          if (!SHORTAGES.has(problem)) continue;
          failed(problem);
          return door.pause(now);
        }
      }
    };
    const door = new Door(this.#loop, descriptor, accept);
    this.#open.push(door);
    return native.localPort(descriptor);
  }

  close(): void {
    for (const door of this.#open) {
      door.close();
      this.#native.close(door.descriptor);
    }
    this.#open.length = 0;
  }

  refuse(descriptor: number): void {
    this.#native.close(descriptor);
  }
}
