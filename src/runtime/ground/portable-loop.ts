/**
 * The loop on the thread's own event loop: for machines without the addon. Sockets and other threads wake it, a futex
 * (`Atomics.waitAsync`) stands in for the eventfd. Slower, same behaviour.
 */

import type { Loop } from '../loop.ts';
import { ASLEEP, AWAKE } from '../rings/bell.ts';

const TIMER_MS_MAX = 1_000;

export class PortableLoop {
  readonly loop: Loop;
  readonly #flag: Int32Array;
  readonly #control: () => boolean;
  #scheduled = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** At most one wait on the flag is ever under way; it stays good over several sleeps. */
  #waiting = false;
  #stopped = false;
  #asleep = false;

  constructor(loop: Loop, flag: Int32Array, control: () => boolean) {
    this.loop = loop;
    this.#flag = flag;
    this.#control = control;
  }

  start(): void {
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    Atomics.notify(this.#flag, 0);
  }

  readonly wake = (): void => {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    if (this.#asleep) this.loop.slept(this.loop.clock.monotonic());
    this.#asleep = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    Atomics.store(this.#flag, 0, AWAKE);
    setImmediate(this.#run);
  };

  readonly #run = (): void => {
    this.#scheduled = false;
    if (this.#stopped) return;
    this.#control();
    if (this.#stopped) return;
    this.loop.round();
    const patience = this.loop.patience(TIMER_MS_MAX);
    if (patience === 0 || this.loop.pending()) return this.wake();
    Atomics.store(this.#flag, 0, ASLEEP);
    if (this.#control() || this.loop.pending()) return this.wake();
    this.#asleep = true;
    this.#timer = setTimeout(this.wake, patience);
    this.#waitForBell();
  };

  #waitForBell(): void {
    if (this.#waiting) return;
    const { async, value } = Atomics.waitAsync(this.#flag, 0, ASLEEP);
    if (!async) return this.wake();
    this.#waiting = true;
    value.then(() => {
      this.#waiting = false;
      this.wake();
    });
  }
}
