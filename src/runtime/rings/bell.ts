/**
 * Wakes a thread that sleeps. One int32 of shared memory says whether it sleeps: a thread that is awake costs its
 * producers one atomic load. The order that makes it safe: the sleeper stores 1, looks at its rings again, then sleeps;
 * the producer publishes, then loads the flag. Both are sequentially consistent, so one of them sees the other.
 */

export const AWAKE = 0;
export const ASLEEP = 1;

/** How the signal travels: an eventfd, a message port, or a futex. */
export type Signal = () => void;

export class Bell {
  readonly #flag: Int32Array;
  readonly #signal: Signal;

  constructor(flag: Int32Array, signal: Signal) {
    this.#flag = flag;
    this.#signal = signal;
  }

  /** Called by a producer after publishing. */
  ring(): void {
    if (Atomics.load(this.#flag, 0) === ASLEEP && Atomics.compareExchange(this.#flag, 0, ASLEEP, AWAKE) === ASLEEP) {
      this.#signal();
    }
  }

  /** Wakes the thread whatever the flag says: for control messages, which are not in a ring. */
  alarm(): void {
    Atomics.store(this.#flag, 0, AWAKE);
    this.#signal();
  }
}

/** A bell for a thread that waits on the flag itself with `Atomics.wait`. */
export function futexBell(flag: Int32Array): Bell {
  return new Bell(flag, () => {
    Atomics.notify(flag, 0);
  });
}
