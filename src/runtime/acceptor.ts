/**
 * The listening role: takes the new connections of one listener and hands each to the next processor in turn, with the
 * listener's number. It counts a connection before it hands it over, so that all acceptors together never hand out more
 * than `connectionsMax`.
 */
import type { ControlMessage, FromThread } from './control.ts';
import type { Counters } from './counters.ts';
import { Repetition } from './repetition.ts';
import { ACCEPTED } from './rings/messages.ts';
import type { Outbox } from './rings/ring.ts';
import type { Reply, Role } from './role.ts';

/** What only the thread's kind can do. */
export interface Doors {
  /**
   * Listens and calls back for each new connection, or when the system gives none for now: then it pauses, and tries again.
   * Returns the port, or throws an Error with the errno's name as message.
   */
  listen(
    listener: number,
    host: string,
    port: number,
    accepted: (descriptor: number) => void,
    failed: (problem: string) => void,
  ): Promise<number> | number;
  close(): void;
  /** Closes a connection nobody takes. */
  refuse(descriptor: number): void;
}

const EARLY_MAX = 1_024;
const SAID_EVERY_MS = 10_000;
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
  readonly #open: Int32Array;
  readonly #post: (message: FromThread) => void;
  readonly #targets: Target[] = [];
  /** Names of the processors that take new connections. */
  #taking: readonly string[] = [];
  /** Connections that came while the broker was starting. */
  readonly #early: [descriptor: number, listener: number][] = [];
  readonly #refused = new Repetition(SAID_EVERY_MS);
  readonly #failed = new Repetition(SAID_EVERY_MS);
  #failure = '';
  #now = 0;
  #next = 0;
  #accepted = 0;
  #lookAgain = Number.POSITIVE_INFINITY;

  constructor(parts: {
    name: string;
    doors: Doors;
    counters: Counters;
    connectionsMax: number;
    /** One shared int32: connections open in the whole broker, those on their way to a processor among them. */
    open: Int32Array;
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
    this.#now = now;
    this.#sayRefused(this.#refused.due(now));
    this.#sayFailed(this.#failed.due(now));
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
      const accepted = (descriptor: number): void => this.#hand(descriptor, listener);
      const failed = (failure: string): void => {
        this.#failure = failure;
        this.#sayFailed(this.#failed.happened(this.#now));
      };
      reply(await this.#doors.listen(listener, host, port, accepted, failed));
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
    if (taking.length === 0 || !this.#countIn()) {
      this.#doors.refuse(descriptor);
      this.#sayRefused(this.#refused.happened(this.#now));
      return;
    }
    this.#accepted += 1;
    const target = taking[this.#next++ % taking.length] as Target;
    target.outbox.send(ACCEPTED, descriptor, listener, 0, 0, 0, 0, 0);
    target.outbox.ringBell();
  }

  /** One more, unless there are as many as may be. */
  #countIn(): boolean {
    if (Atomics.add(this.#open, 0, 1) < this.#connectionsMax) return true;
    Atomics.sub(this.#open, 0, 1);
    return false;
  }

  #sayRefused(count: number): void {
    if (count === 0) return;
    const values = { count, open: Atomics.load(this.#open, 0), max: this.#connectionsMax };
    this.#post({ kind: 'log', level: 'warn', event: 'connection.refused', values });
  }

  #sayFailed(count: number): void {
    if (count === 0) return;
    const values = { count, why: this.#failure };
    this.#post({ kind: 'log', level: 'error', event: 'accept.failed', values });
  }
}
