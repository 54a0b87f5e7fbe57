/** What deadlines cost: the timing wheel of a loop beside the timers of Node, one pair of adding and cancelling among few and among many. */
import { Timer, Timers } from '../src/base/timers.ts';
import { type Suite, type Timed, timedSync } from './kit/suite.ts';

const WAITING = [100, 10_000, 1_000_000];
const LOOP = 1000;
const FAR_MS = 3_600_000;
const SPREAD_MS = 60_000;

/** Deadlines that fire: all of a batch in one turn. */
function firing(): Timed {
  const timers = new Timers(0);
  let fired = 0;
  const all = Array.from({ length: LOOP }, () => new Timer(() => (fired += 1)));
  let now = 0;
  return {
    name: `wheel, added and fired, each of ${LOOP}`,
    operations: LOOP,
    run() {
      for (const [at, timer] of all.entries()) timers.set(timer, now + 1 + (at % 100));
      now += SPREAD_MS;
      const before = fired;
      timers.advance(now);
      if (fired - before !== LOOP) throw new Error(`${fired - before} of ${LOOP} timers fired`);
    },
  };
}

function wheel(waiting: number): Timed {
  const timers = new Timers(0);
  for (let i = 0; i < waiting; i++) timers.set(new Timer(() => {}), FAR_MS + (i % SPREAD_MS));
  const mine = new Timer(() => {});
  return {
    name: `wheel, added and cancelled among ${waiting}`,
    operations: LOOP,
    run() {
      for (let i = 0; i < LOOP; i++) {
        timers.set(mine, FAR_MS + i);
        timers.cancel(mine);
      }
    },
  };
}

function node(): Timed {
  return {
    name: 'setTimeout and clearTimeout',
    operations: LOOP,
    run() {
      for (let i = 0; i < LOOP; i++) clearTimeout(setTimeout(() => {}, FAR_MS + i));
    },
  };
}

export const suite: Suite = {
  question: 'a deadline added and cancelled: our timing wheel by how many wait, against setTimeout',
  async run(options) {
    return timedSync([...WAITING.map(wheel), firing(), node()], options);
  },
};
