/** A clock that is turned by hand. */
import type { Clock } from '../../src/base/clock.ts';
import { NOW } from '../log/fixture.ts';

export class HandClock implements Clock {
  #now = NOW;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - NOW;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
