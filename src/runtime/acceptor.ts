/**
 * The listening role: takes the new connections of one listener and hands each to the next processor in turn, with the
 * listener's number.
 */
import type { ControlMessage, FromThread } from './control.ts';
import type { Counters } from './counters.ts';
import { ACCEPTED } from './messages.ts';
import type { Outbox } from './ring.ts';
import type { Reply, Role } from './role.ts';

/** What only the thread's kind can do. */
export interface Doors {
  /** Listens and calls back for each new connection. Returns the port, or throws an Error with the errno's name as message. */
  listen(
    listener: number,
    host: string,
    port: number,
    accepted: (descriptor: number) => void,
  ): Promise<number> | number;
  close(): void;
  /** Closes a connection nobody takes. */
  refuse(descriptor: number): void;
}

const EARLY_MAX = 1_024;
/** A processor does not say when its ring has room again: nothing that is sent to it is answered. */
const CONGESTED_MS = 1;

interface Target {
  readonly peer: string;
  readonly outbox: Outbox;
}

export class Acceptor implements Role {
  readonly name: string;
  readonly #doors: Doors;
  readonly #counters: Counters;
  #connectionsMax: number;
  readonly #open: () => number;
  readonly #post: (message: FromThread) => void;
  readonly #targets: Target[] = [];
  /** Names of the processors that take new connections. */
  #taking: readonly string[] = [];
  /** Connections that came while the broker was starting. */
  readonly #early: [descriptor: number, listener: number][] = [];
  #next = 0;
  #accepted = 0;
  #lookAgain = Number.POSITIVE_INFINITY;

  constructor(parts: {
    name: string;
    doors: Doors;
    counters: Counters;
    connectionsMax: number;
    /** How many connections the processors have. */
    open: () => number;
    post: (message: FromThread) => void;
  }) {
    this.name = parts.name;
    this.#doors = parts.doors;
    this.#counters = parts.counters;
    this.#connectionsMax = parts.connectionsMax;
    this.#open = parts.open;
    this.#post = parts.post;
  }

  drain(): boolean {
    return false;
  }

  settle(now: number): boolean {
    this.#lookAgain = Number.POSITIVE_INFINITY;
    for (const { outbox } of this.#targets) {
      outbox.ringBell();
      if (outbox.congested) this.#lookAgain = now + CONGESTED_MS;
    }
    return false;
  }

  deadline(): number {
    return this.#lookAgain;
  }

  pending(): boolean {
    return false;
  }

  control(message: ControlMessage, reply: Reply): void {
    switch (message.kind) {
      case 'listen':
        void this.#listen(message.listener, message.host, message.port, reply);
        return;
      case 'processors':
        this.#taking = message.names;
        for (const [descriptor, listener] of this.#early.splice(0)) this.#hand(descriptor, listener);
        return reply();
      case 'connectionsMax':
        this.#connectionsMax = message.count;
        return reply();
      case 'unlink': {
        const index = this.#targets.findIndex((target) => target.peer === message.peer);
        if (index >= 0) this.#targets.splice(index, 1);
        return reply();
      }
      case 'close':
        this.#doors.close();
        return reply();
      default:
        reply(undefined, `an acceptor does not know ${message.kind}`);
    }
  }

  linked(peer: string, outbox: Outbox): void {
    this.#targets.push({ peer, outbox });
  }

  stop(): void {
    for (const [descriptor] of this.#early.splice(0)) this.#doors.refuse(descriptor);
    this.#doors.close();
  }

  count(): void {
    this.#counters.set('connectionsOpened', this.#accepted);
  }

  async #listen(listener: number, host: string, port: number, reply: Reply): Promise<void> {
    try {
      reply(await this.#doors.listen(listener, host, port, (descriptor) => this.#hand(descriptor, listener)));
    } catch (problem) {
      reply(undefined, (problem as Error).message);
    }
  }

  #hand(descriptor: number, listener: number): void {
    if (this.#taking.length === 0 && this.#early.length < EARLY_MAX) {
      this.#early.push([descriptor, listener]);
      return;
    }
    const taking = this.#targets.filter((target) => this.#taking.includes(target.peer));
    if (taking.length === 0 || this.#open() >= this.#connectionsMax) {
      this.#post({
        kind: 'log',
        level: 'warn',
        event: 'connection.refused',
        values: { open: this.#open(), max: this.#connectionsMax },
      });
      this.#doors.refuse(descriptor);
      return;
    }
    this.#accepted += 1;
    const target = taking[this.#next++ % taking.length] as Target;
    target.outbox.send(ACCEPTED, descriptor, listener, 0, 0, 0, 0, 0);
    target.outbox.ringBell();
  }
}
