/**
 * One thread's round: take in, work, settle, until nobody on the thread has more to do. What the two kinds of loop
 * (native, portable) share; they differ in how they wait.
 */
import type { Clock } from '../base/clock.ts';
import type { Timers } from '../base/timers.ts';
import type { Counters } from './counters.ts';
import type { Role } from './role.ts';

/** Of the thread's garbage collector. */
export interface Pauses {
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
  look(): void;
}

const NO_PAUSES: Pauses = { count: 0, totalMs: 0, longestMs: 0, look() {} };

/** Rounds without looking at sockets: enough for a request's way there and back on one thread, few enough to be fair. */
const ROUNDS_MAX = 8;
const COUNT_EVERY_MS = 1_000;
/** The idle share is that of the last one to two of these. */
const SHARE_OF_MS = 30_000;

export class Loop {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly roles: Role[] = [];
  readonly #pauses: Pauses;
  readonly #counters = new Map<Role, Counters>();
  #countAt = 0;
  #rounds = 0;
  #sleeps = 0;
  #sleptMs = 0;
  #lookedAt = 0;
  /** Where the share begins, and where it will begin next: a moment, and how long had been slept by then. */
  #since: { readonly at: number; readonly sleptMs: number };
  #next: { readonly at: number; readonly sleptMs: number };

  constructor(clock: Clock, timers: Timers, pauses: Pauses = NO_PAUSES) {
    this.clock = clock;
    this.timers = timers;
    this.#pauses = pauses;
    this.#since = { at: clock.monotonic(), sleptMs: 0 };
    this.#next = this.#since;
  }

  /** The role's counters tell of its thread, too. */
  add(role: Role, counters: Counters): void {
    this.roles.push(role);
    this.#counters.set(role, counters);
  }

  remove(role: Role): void {
    this.roles.splice(this.roles.indexOf(role), 1);
    this.#counters.delete(role);
  }

  /** Runs until the thread is quiet or its share is used up. */
  round(): void {
    const now = this.clock.monotonic();
    this.#rounds += 1;
    this.timers.advance(now);
    const roles = this.roles;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      for (const role of roles) role.drain(now);
      for (const role of roles) role.settle(now);
      if (!this.pending()) break;
    }
    if (now >= this.#countAt) {
      this.#countAt = now + COUNT_EVERY_MS;
      this.count();
    }
  }

  count(): void {
    const now = this.clock.monotonic();
    const sleptMs = this.#sleptMs;
    const share = now > this.#since.at ? (sleptMs - this.#since.sleptMs) / (now - this.#since.at) : 1;
    if (now - this.#next.at >= SHARE_OF_MS) {
      this.#since = this.#next;
      this.#next = { at: now, sleptMs };
    }
    this.#pauses.look();
    const { count: gcPauses, totalMs, longestMs } = this.#pauses;
    for (const [role, counters] of this.#counters) {
      role.count();
      counters.set('rounds', this.#rounds);
      counters.set('sleeps', this.#sleeps);
      counters.set('sleptMs', sleptMs);
      counters.set('idleShare', share);
      counters.set('gcPauses', gcPauses);
      counters.set('gcPauseMs', totalMs);
      counters.set('gcPauseLongestMs', longestMs);
    }
  }

  pending(): boolean {
    for (const role of this.roles) if (role.pending()) return true;
    return false;
  }

  /** Milliseconds until something is due, at most `max`. */
  patience(max: number): number {
    let next = this.timers.next();
    for (const role of this.roles) next = Math.min(next, role.deadline());
    this.#lookedAt = this.clock.monotonic();
    return Math.min(max, Math.max(0, Math.ceil(next - this.#lookedAt)));
  }

  /** The thread has slept since it was asked for its patience. */
  slept(now: number): void {
    this.#sleeps += 1;
    this.#sleptMs += now - this.#lookedAt;
  }
}
