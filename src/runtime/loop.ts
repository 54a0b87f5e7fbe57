/**
 * One thread's round: take in, work, settle, until nobody on the thread has more to do. What the two kinds of loop
 * (native, portable) share; they differ in how they wait.
 */
import type { Clock } from '../base/clock.ts';
import type { Timers } from '../base/timers.ts';
import type { Role } from './role.ts';

/** Rounds without looking at sockets: enough for a request's way there and back on one thread, few enough to be fair. */
const ROUNDS_MAX = 8;
const COUNT_EVERY_MS = 1_000;

export class Loop {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly roles: Role[] = [];
  #countAt = 0;

  constructor(clock: Clock, timers: Timers) {
    this.clock = clock;
    this.timers = timers;
  }

  add(role: Role): void {
    this.roles.push(role);
  }

  remove(role: Role): void {
    this.roles.splice(this.roles.indexOf(role), 1);
  }

  /** Runs until the thread is quiet or its share is used up. */
  round(): void {
    const now = this.clock.monotonic();
    this.timers.advance(now);
    const roles = this.roles;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      for (const role of roles) role.drain(now);
      for (const role of roles) role.settle(now);
      if (!this.pending()) break;
    }
    if (now >= this.#countAt) {
      this.#countAt = now + COUNT_EVERY_MS;
      for (const role of roles) role.count();
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
    return Math.min(max, Math.max(0, Math.ceil(next - this.clock.monotonic())));
  }
}
