/**
 * Turns a schedule into calls: every lane is asked to start what is due, when its time has come and when an answer made
 * room. It ends when nothing more is due and nothing is outstanding, when it is told to, or with the first problem.
 */
import { EXIT_INCOMPLETE, PerfProblem } from './problem.ts';
import { NOT_NOW, type Schedule } from './schedule.ts';

export interface PumpedLane {
  /** Starts what `next` allows, as much as there is room for; `next` gives when it was due. */
  fill(next: () => number): void;
  readonly outstanding: number;
}

/** A timer may be so much late; what is due sooner is waited for awake. */
const TIMER_LATE_MS = 2;
const TICK_MS = 20;
/** How long answers may take once nothing more is sent. */
const DRAIN_MS = 30_000;
const INTERRUPTED_DRAIN_MS = 1_000;

export class Pump {
  readonly #lanes: readonly PumpedLane[];
  readonly #schedule: Schedule;
  readonly #done = Promise.withResolvers<void>();
  #drainSinceMs = Number.POSITIVE_INFINITY;
  #interrupted = false;
  #over = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(lanes: readonly PumpedLane[], schedule: Schedule) {
    this.#lanes = lanes;
    this.#schedule = schedule;
  }

  /** Requests that have no answer yet. */
  get outstanding(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.outstanding, 0);
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  async run(): Promise<void> {
    const watch = setInterval(() => this.#look(), TICK_MS);
    for (const lane of this.#lanes.keys()) this.wake(lane);
    this.#await();
    try {
      await this.#done.promise;
    } finally {
      this.#over = true;
      clearInterval(watch);
      if (this.#timer !== null) clearTimeout(this.#timer);
    }
  }

  /** The lane has room, or may have something due. */
  wake(lane: number): void {
    if (this.#over || this.#interrupted) return;
    this.#lanes[lane]?.fill(() => (this.#interrupted ? NOT_NOW : this.#schedule.next(lane, performance.now())));
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#look();
  }

  fail(problem: Error): void {
    this.#done.reject(problem);
  }

  #look(): void {
    const nowMs = performance.now();
    if (!this.#interrupted && !this.#schedule.finished(nowMs)) return;
    if (this.outstanding === 0) return this.#done.resolve();
    this.#drainSinceMs = Math.min(this.#drainSinceMs, nowMs);
    const drainMs = this.#interrupted ? INTERRUPTED_DRAIN_MS : DRAIN_MS;
    if (nowMs - this.#drainSinceMs < drainMs) return;
    if (this.#interrupted) return this.#done.resolve();
    this.fail(
      new PerfProblem(
        EXIT_INCOMPLETE,
        `${this.outstanding} requests have no answer ${drainMs / 1000} s after the last was sent.`,
      ),
    );
  }

  /** Timers are too coarse for a rate: close to a due time it stays awake. */
  #await(): void {
    if (this.#over || this.#interrupted) return;
    const nowMs = performance.now();
    const wakeMs = this.#schedule.wakeMs(nowMs);
    if (wakeMs === Number.POSITIVE_INFINITY) {
      for (const lane of this.#lanes.keys()) this.wake(lane);
      return;
    }
    const turn = (): void => {
      if (this.#over || this.#interrupted) return;
      if (performance.now() >= wakeMs) {
        for (const lane of this.#lanes.keys()) this.wake(lane);
        this.#await();
      } else setImmediate(turn);
    };
    if (wakeMs - nowMs > TIMER_LATE_MS) this.#timer = setTimeout(turn, wakeMs - nowMs - TIMER_LATE_MS);
    else setImmediate(turn);
  }
}
