/**
 * Deadlines by thousands: a timing wheel of two levels. Adding and cancelling cost the same however many there are;
 * a timer fires in the turn in which its deadline has passed, at most one tick late, never early.
 */
import { assert } from './assert.ts';

const SLOTS = 512;

/** Where deadlines are set: the wheel itself, or an owner's view of it. */
export interface Deadlines {
  set(timer: Timer, deadline: number): void;
  cancel(timer: Timer): void;
}

/** One deadline. The owner keeps it and may use it again once it is idle. */
export class Timer {
  deadline = 0;
  readonly fire: (now: number) => void;
  /** @internal hears what firing throws */
  caught: ((problem: unknown) => void) | null = null;
  /** @internal the circle it hangs in */
  previous: Timer | null = null;
  /** @internal */
  following: Timer | null = null;

  constructor(fire: (now: number) => void) {
    this.fire = fire;
  }

  get waiting(): boolean {
    return this.previous !== null;
  }
}

function circle(): Timer {
  const head = new Timer(() => {});
  head.previous = head;
  head.following = head;
  return head;
}

function unhang(timer: Timer): void {
  (timer.previous as Timer).following = timer.following;
  (timer.following as Timer).previous = timer.previous;
  timer.previous = null;
  timer.following = null;
}

function hang(head: Timer, timer: Timer): void {
  const last = head.previous as Timer;
  timer.previous = last;
  timer.following = head;
  last.following = timer;
  head.previous = timer;
}

function fire(timer: Timer, now: number): void {
  try {
    timer.fire(now);
  } catch (problem) {
    if (timer.caught === null) throw problem;
    timer.caught(problem);
  }
}

export class Timers implements Deadlines {
  readonly tickMs: number;
  readonly #near = Array.from({ length: SLOTS }, circle);
  readonly #far = Array.from({ length: SLOTS }, circle);
  readonly #beyond = circle();
  #tick: number;
  /** No timer of this row is due before this tick; looked for anew once it has passed. */
  #soonest = 0;
  #count = 0;

  constructor(now: number, tickMs = 4) {
    this.tickMs = tickMs;
    this.#tick = Math.floor(now / tickMs);
  }

  get count(): number {
    return this.#count;
  }

  set(timer: Timer, deadline: number): void {
    if (timer.waiting) unhang(timer);
    else this.#count += 1;
    timer.deadline = deadline;
    this.#place(timer);
  }

  cancel(timer: Timer): void {
    if (!timer.waiting) return;
    unhang(timer);
    this.#count -= 1;
  }

  /** This wheel for one owner: what a timer that was set here throws in firing is his alone, and the wheel turns on. */
  guarded(caught: (problem: unknown) => void): Deadlines {
    return {
      set: (timer, deadline) => {
        timer.caught = caught;
        this.set(timer, deadline);
      },
      cancel: (timer) => this.cancel(timer),
    };
  }

  /** Fires what is due. A timer may set itself or others again while firing. */
  advance(now: number): void {
    const target = Math.floor(now / this.tickMs);
    if (this.#count === 0) {
      this.#tick = Math.max(this.#tick, target);
      return;
    }
    while (this.#tick < target) {
      this.#tick += 1;
      if (this.#tick % SLOTS === 0) this.#refill();
      const head = this.#near[this.#tick % SLOTS] as Timer;
      for (let timer = head.following as Timer; timer !== head; timer = head.following as Timer) {
        unhang(timer);
        this.#count -= 1;
        assert(timer.deadline <= now, 'a timer fires after its deadline', { deadline: timer.deadline, now });
        fire(timer, now);
      }
    }
  }

  /** When the next turn must come at the latest; Infinity when nothing waits. May be earlier than the next deadline. */
  next(): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    if (this.#soonest <= this.#tick) this.#soonest = this.#look();
    return this.#soonest * this.tickMs;
  }

  /** The first tick of this row that has a timer, or the end of the row. */
  #look(): number {
    const end = (Math.floor(this.#tick / SLOTS) + 1) * SLOTS;
    for (let tick = this.#tick + 1; tick < end; tick++) {
      const head = this.#near[tick % SLOTS] as Timer;
      if (head.following !== head) return tick;
    }
    return end;
  }

  /** A deadline inside tick t is due when tick t + 1 begins, so it never fires early. */
  #place(timer: Timer): void {
    const tick = Math.max(Math.ceil(timer.deadline / this.tickMs), this.#tick + 1);
    const row = Math.floor(tick / SLOTS) - Math.floor(this.#tick / SLOTS);
    if (row === 0) {
      hang(this.#near[tick % SLOTS] as Timer, timer);
      if (tick < this.#soonest) this.#soonest = tick;
    } else if (row < SLOTS) hang(this.#far[Math.floor(tick / SLOTS) % SLOTS] as Timer, timer);
    else hang(this.#beyond, timer);
  }

  /** At the start of each row of ticks: its timers come down from the far wheel, once a round the rest is sorted in anew. */
  #refill(): void {
    const row = this.#tick / SLOTS;
    if (row % SLOTS === 0) this.#replace(this.#beyond);
    this.#replace(this.#far[row % SLOTS] as Timer);
  }

  #replace(head: Timer): void {
    const timers: Timer[] = [];
    for (let timer = head.following as Timer; timer !== head; timer = head.following as Timer) {
      unhang(timer);
      timers.push(timer);
    }
    for (const timer of timers) {
      const tick = Math.max(Math.ceil(timer.deadline / this.tickMs), this.#tick);
      if (Math.floor(tick / SLOTS) === Math.floor(this.#tick / SLOTS)) hang(this.#near[tick % SLOTS] as Timer, timer);
      else this.#place(timer);
    }
  }
}
