/** The timing wheel against a plain list: what fires, when, and what the loop is told about the next deadline. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Timer, Timers } from '../../src/base/timers.ts';

const TICK_MS = 4;
const ROUND_MS = 512 * 512 * TICK_MS;

type Step =
  | { readonly kind: 'set'; readonly timer: number; readonly inMs: number }
  | { readonly kind: 'cancel'; readonly timer: number }
  | { readonly kind: 'advance'; readonly byMs: number };

const TIMERS = 6;
const timer = fc.nat(TIMERS - 1);
/** Around the seams of the wheel: a tick, a row of 512 ticks, a round of 512 rows, and whatever lies between. */
const delay = fc.oneof(
  fc.double({ min: -10, max: 40, noNaN: true }),
  fc.integer({ min: 0, max: 6_000 }),
  fc.integer({ min: 512 * TICK_MS - 9, max: 512 * TICK_MS + 9 }),
  fc.integer({ min: ROUND_MS - 5_000, max: ROUND_MS + 5_000 }),
  fc.integer({ min: 0, max: 3 * ROUND_MS }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), timer, inMs: delay }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), timer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), byMs: delay.map(Math.abs) }) },
);
/** What a timer does in firing, the first times: sets itself or another one again. */
const echo = fc.array(fc.record({ timer, inMs: delay }), { maxLength: 3 });

class Model {
  now: number;
  readonly timers: Timers;
  readonly wheel: Timer[];
  readonly due = new Map<number, number>();
  /** When it is late: counted from its setting if its deadline was over then. */
  readonly #from = new Map<number, number>();

  constructor(start: number, echoes: readonly (readonly { timer: number; inMs: number }[])[]) {
    this.now = start;
    this.timers = new Timers(start, TICK_MS);
    this.wheel = Array.from({ length: TIMERS }, (_, index) => {
      const left = [...(echoes[index] ?? [])];
      return new Timer((now) => {
        expect(now).toBe(this.now);
        const deadline = this.due.get(index);
        expect(deadline, 'what fires is waiting').toBeDefined();
        expect(deadline as number).toBeLessThanOrEqual(now);
        this.due.delete(index);
        const next = left.shift();
        if (next !== undefined) this.set(next.timer, next.inMs);
      });
    });
  }

  set(index: number, inMs: number): void {
    this.timers.set(this.wheel[index] as Timer, this.now + inMs);
    this.due.set(index, this.now + inMs);
    this.#from.set(index, this.now + Math.max(inMs, 0));
  }

  check(): void {
    expect(this.timers.count).toBe(this.due.size);
    for (const [index, one] of this.wheel.entries()) expect(one.waiting).toBe(this.due.has(index));
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of this.due.values()) next = Math.min(next, deadline);
    if (next === Number.POSITIVE_INFINITY) expect(this.timers.next()).toBe(next);
    else expect(this.timers.next()).toBeLessThan(Math.max(next, this.now) + 2 * TICK_MS);
  }

  advance(byMs: number): void {
    this.now += byMs;
    this.timers.advance(this.now);
    // A deadline is missed by less than a tick; one that was set in this very turn is for the next one.
    for (const index of this.due.keys()) expect(this.#from.get(index)).toBeGreaterThan(this.now - TICK_MS);
  }
}

describe('timers', () => {
  test('fire in their tick, never early, whatever is set, cancelled and set again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constant(0),
          fc.integer({ min: 0, max: 2 * ROUND_MS }),
          fc.double({ min: 0, max: 1e7, noNaN: true }),
        ),
        fc.array(echo, { minLength: TIMERS, maxLength: TIMERS }),
        fc.array(step, { maxLength: 30, size: 'max' }),
        (start, echoes, steps) => {
          const model = new Model(
            start,
            echoes.map((list) => list.map((one) => ({ ...one, inMs: Math.max(one.inMs, 0) }))),
          );
          for (const one of steps) {
            if (one.kind === 'set') model.set(one.timer, one.inMs);
            else if (one.kind === 'cancel') {
              model.timers.cancel(model.wheel[one.timer] as Timer);
              model.due.delete(one.timer);
            } else model.advance(one.byMs);
            model.check();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a loop that sleeps until next() misses no deadline and hurries to none', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: ROUND_MS }),
        fc.array(delay.map(Math.abs), { minLength: 1 }),
        (start, delays) => {
          const timers = new Timers(start, TICK_MS);
          let now = start;
          let left = delays.length;
          for (const inMs of delays) {
            const one = new Timer((at) => {
              left -= 1;
              expect(at).toBeGreaterThanOrEqual(one.deadline);
              expect(at - one.deadline).toBeLessThan(TICK_MS);
            });
            // Set later than the last advance, as in a turn that took its time.
            timers.set(one, now + 1 + inMs);
          }
          let turns = 0;
          while (left > 0) {
            turns += 1;
            const next = timers.next();
            expect(next).toBeGreaterThan(now);
            now = next;
            timers.advance(now);
          }
          // Every turn either fires something or crosses into another row.
          expect(turns).toBeLessThanOrEqual(delays.length + Math.ceil((now - start) / (512 * TICK_MS)) + 1);
          expect(timers.next()).toBe(Number.POSITIVE_INFINITY);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('fire in the order of their ticks, and within one in the order of setting', () => {
    const timers = new Timers(0, TICK_MS);
    const fired: string[] = [];
    const named = (name: string): Timer => new Timer(() => fired.push(name));
    timers.set(named('hours'), 3 * 3_600_000);
    timers.set(named('late'), 5_000);
    timers.set(named('first'), 10);
    timers.set(named('second'), 9);
    timers.set(named('day'), 86_400_000);
    timers.advance(86_400_000);
    expect(fired).toEqual(['first', 'second', 'late', 'hours', 'day']);
  });

  test('a timer that sets itself for now waits for a tick that has not begun, so that a turn ends', () => {
    const timers = new Timers(0, TICK_MS);
    let fired = 0;
    const one = new Timer((now) => {
      fired += 1;
      timers.set(one, now);
    });
    timers.set(one, 0);
    // Once for its own deadline, once for the end of this turn.
    timers.advance(4 * TICK_MS);
    expect(fired).toBe(2);
    timers.advance(4 * TICK_MS);
    expect(fired).toBe(2);
    timers.advance(5 * TICK_MS);
    expect(fired).toBe(3);
  });

  test('one that fires may cancel those behind it', () => {
    const timers = new Timers(0, TICK_MS);
    let fired = 0;
    const second = new Timer(() => {
      fired += 1;
    });
    const first = new Timer(() => timers.cancel(second));
    timers.set(first, 8);
    timers.set(second, 8);
    timers.advance(100);
    expect(fired).toBe(0);
    expect(timers.count).toBe(0);
  });

  test('what a timer throws goes to the owner who set it, and the others fire', () => {
    const timers = new Timers(0, TICK_MS);
    const caught: unknown[] = [];
    const guarded = timers.guarded((problem) => caught.push(problem));
    const fault = new Error('a fault of ours');
    let fired = 0;
    const failing = new Timer(() => {
      throw fault;
    });
    guarded.set(failing, 8);
    guarded.set(new Timer(() => void fired++), 8);
    timers.set(new Timer(() => void fired++), 12);
    timers.advance(100);
    expect([caught, fired, timers.count]).toEqual([[fault], 2, 0]);
    const cancelled = new Timer(() => void fired++);
    guarded.set(cancelled, 200);
    guarded.cancel(cancelled);
    // An owner without a guard has no net.
    timers.set(
      new Timer(() => {
        throw fault;
      }),
      200,
    );
    expect(() => timers.advance(300)).toThrow(fault);
    expect(fired).toBe(2);
  });
});
