/**
 * The connections of one processor: they come from an acceptor or from another processor, stand still for want of memory or
 * of room in a ring, go on, move away, close. A connection is ready when it may have something to do in this turn.
 */
import type { Memory } from '../../base/memory.ts';
import { Timer, type Timers } from '../../base/timers.ts';
import type { FetchSessions } from '../../replica/fetch-session.ts';
import type { FromThread, MovedConnection } from '../control.ts';
import type { FileCalls } from '../processor/lent-files.ts';
import type { Reply } from '../role.ts';
import { Connection, type ConnectionDesk } from './connection.ts';
import { PRESSED_EVERY_MS } from './frames.ts';
import type { Intake } from './intake.ts';
import type { Transport } from './transport.ts';

/** What only the thread's kind (native or portable) can do. */
export interface Sockets extends FileCalls {
  /** Takes over an accepted socket; events for it go to the connection that `owner` gives. */
  adopt(descriptor: number, connection: number): Transport;
  /** Lets go of a socket without closing it, so that another processor can adopt it. */
  release(transport: Transport): number;
  /** Gives idle pages of the intake back. */
  releasePages(memory: Memory, offset: number, bytes: number): void;
}

export interface ConnectionsParts {
  /** The processor's name. */
  readonly name: string;
  readonly desk: ConnectionDesk;
  readonly sockets: Sockets;
  readonly sessions: FetchSessions;
  readonly intake: Intake;
  readonly timers: Timers;
  /** Slots of shared memory where the descriptors of open connections stand, for whoever must close them if this thread dies. */
  readonly descriptors: Int32Array;
  post(message: FromThread): void;
}

/** A client that has not read for this long may be in the way of others; a shorter while is a busy one. */
const STUCK_MIN_MS = 1_000;

export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #open = new Map<number, Connection>();
  #ready = new Set<Connection>();
  /** The set of those whose turn it is; empty between turns. */
  #resuming = new Set<Connection>();
  readonly #stalled = new Set<Connection>();
  /** By connection: where its descriptor is noted. */
  readonly #places = new Map<number, number>();
  #next = 1;
  #wasCongested = false;
  readonly #press: Timer;
  #leaving: { count: number; all: boolean; reply: Reply } | null = null;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
    this.#press = new Timer(() => this.#pressUnfinished());
  }

  get count(): number {
    return this.#open.size;
  }

  get anyReady(): boolean {
    return this.#ready.size > 0;
  }

  get(id: number): Connection | undefined {
    return this.#open.get(id);
  }

  accept(descriptor: number, listener: number, now: number): Connection {
    const { sockets, descriptors, desk } = this.#parts;
    const id = this.#next;
    this.#next = (this.#next + 1) & 0x7fffffff;
    const transport = sockets.adopt(descriptor, id);
    const connection = new Connection(id, listener, transport, desk, now);
    this.#open.set(id, connection);
    const place = descriptor % descriptors.length;
    descriptors[place] = descriptor;
    this.#places.set(id, place);
    return connection;
  }

  /** One that another processor had. */
  adopt(moved: MovedConnection, now: number): void {
    const connection = this.accept(moved.descriptor, moved.listener, now);
    this.#parts.sessions.adopt(moved.sessions, connection.id);
    connection.adoptBytes(moved.left, now);
  }

  /** It is closed, or somebody else's. */
  forget(connection: Connection): void {
    this.#open.delete(connection.id);
    this.#ready.delete(connection);
    this.#stalled.delete(connection);
    this.#parts.descriptors[this.#places.get(connection.id) as number] = -1;
    this.#places.delete(connection.id);
  }

  closeAll(why: string): void {
    for (const connection of Array.from(this.#open.values())) connection.close(why);
    this.#parts.timers.cancel(this.#press);
  }

  /** It has something to do in this turn or the next. */
  again(connection: Connection): void {
    this.#ready.add(connection);
  }

  /** It stands still until there is memory. */
  stall(connection: Connection): void {
    this.#stalled.add(connection);
  }

  /** Gives those that are ready their turn. */
  resume(now: number): boolean {
    if (this.#ready.size === 0) return false;
    // Who becomes ready meanwhile has its turn in the next round.
    const ready = this.#ready;
    this.#ready = this.#resuming;
    this.#resuming = ready;
    for (const connection of ready) connection.resume(now);
    ready.clear();
    return true;
  }

  // ---- Moving

  /** So many are to go elsewhere; what waits in rings has been taken. */
  leave(count: number, reply: Reply): void {
    this.#leaving = { count, all: count >= this.#open.size, reply };
  }

  /** Those that must go elsewhere go as soon as they are at a frame boundary. `quiet`: no request is under way. */
  moveAway(quiet: boolean): void {
    const leaving = this.#leaving;
    if (leaving === null) return;
    const { name, sockets, sessions, post } = this.#parts;
    for (const connection of Array.from(this.#open.values())) {
      if (!leaving.all && leaving.count <= 0) break;
      connection.leave();
      if (!connection.movable) continue;
      leaving.count -= 1;
      const left = connection.detach();
      const taken = sessions.take(connection.id);
      const { listener, transport } = connection;
      this.forget(connection);
      const descriptor = sockets.release(transport);
      post({
        kind: 'move',
        from: name,
        connection: { descriptor, listener, peer: transport.peer, left, sessions: taken },
      });
    }
    const left = leaving.all ? this.#open.size : Math.min(leaving.count, this.#open.size);
    if (left > 0 || (leaving.all && !quiet)) return;
    this.#leaving = null;
    for (const connection of this.#open.values()) connection.leaving = false;
    leaving.reply();
  }

  // ---- Want of memory

  /** Lets those go on that stood still for want of memory, ring space or answers; has the others pressed who are in their way. */
  unstall(congested: boolean, now: number): void {
    this.#goOn(congested, now);
    if (this.#isShort(congested) && !this.#press.waiting) this.#parts.timers.set(this.#press, now + PRESSED_EVERY_MS);
  }

  #goOn(congested: boolean, now: number): void {
    if (this.#wasCongested && !congested) {
      for (const connection of this.#open.values()) {
        connection.excuse();
        this.#ready.add(connection);
      }
    }
    this.#wasCongested = congested;
    if (this.#stalled.size === 0) return;
    // Requests of those who do not read their answers may hold all there is to receive into.
    while (this.#parts.intake.chunk() === null) if (!this.relieve(now)) return;
    for (const connection of this.#stalled) this.#ready.add(connection);
    this.#stalled.clear();
  }

  /** Closes the one that has been stuck longest, if it has been long enough. */
  relieve(now: number): boolean {
    let longest: Connection | null = null;
    let longestMs = STUCK_MIN_MS;
    for (const connection of this.#open.values()) {
      const stuckMs = connection.stuckMs(now);
      if (stuckMs < longestMs) continue;
      longest = connection;
      longestMs = stuckMs;
    }
    longest?.close('it does not read its answers, and others need the memory');
    return longest !== null;
  }

  /** Somebody waits for memory, and not for the requests under way. */
  #isShort(congested: boolean): boolean {
    return this.#parts.intake.waiting > 0 || (this.#stalled.size > 0 && !congested);
  }

  /** Those whose frames are not complete hurry, or go. */
  #pressUnfinished(): void {
    const { congested } = this.#parts.desk;
    if (congested || !this.#isShort(congested)) return;
    for (const connection of Array.from(this.#open.values())) connection.press();
  }
}
