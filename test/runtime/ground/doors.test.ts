/** The native doors when the system gives no connection: they pause instead of asking again and again, and nothing else stands still. */
import { expect, test } from 'vitest';
import { Timers } from '../../../src/base/timers.ts';
import { loadAddon } from '../../../src/runtime/ground/addon.ts';
import type { Native } from '../../../src/runtime/ground/native.ts';
import { NativeLoop } from '../../../src/runtime/ground/native-loop.ts';
import { NativeDoors } from '../../../src/runtime/ground/native-sockets.ts';
import { Loop } from '../../../src/runtime/loop.ts';
import { HandClock } from '../../kit/hand-clock.ts';

const addon = loadAddon();
const EMFILE = -24;
const ECONNABORTED = -103;

test.skipIf(addon === null)('without descriptors they look again after a while, and take what has waited', async () => {
  const native = addon as Native;
  let isShort = true;
  /** A connection that was over before it was taken: said once. */
  let aborted = true;
  let asked = 0;
  const accept = (listener: number): number => {
    asked += 1;
    if (isShort) return EMFILE;
    if (!aborted) return native.accept(listener);
    aborted = false;
    return ECONNABORTED;
  };
  const partly: Native = Object.assign(Object.create(native), { accept });
  const clock = new HandClock();
  const event = native.eventCreate();
  let turns = 0;
  // Every second look at the control messages ends a turn, so that the test has its own.
  let looks = 0;
  const control = (): boolean => {
    if (looks++ % 2 === 0) return false;
    turns += 1;
    return true;
  };
  const loop = new Loop(clock, new Timers(clock.monotonic()));
  const waiter = new NativeLoop(partly, loop, event, new Int32Array(new SharedArrayBuffer(4)), control);
  const doors = new NativeDoors(partly, waiter, 10);
  const accepted: number[] = [];
  const failed: string[] = [];
  const port = doors.listen(
    0,
    '127.0.0.1',
    0,
    (descriptor) => accepted.push(descriptor),
    (problem) => failed.push(problem),
  );
  const pass = async (count: number): Promise<void> => {
    for (const until = turns + count; turns < until; ) await new Promise((done) => setImmediate(done));
  };
  const clients = [native.connect('127.0.0.1', port), native.connect('127.0.0.1', port)];
  waiter.start();
  await pass(5);
  expect([asked, failed]).toEqual([1, ['EMFILE']]);
  clock.advance(200);
  await pass(3);
  expect([asked, failed]).toEqual([2, ['EMFILE', 'EMFILE']]);
  expect(accepted).toEqual([]);
  isShort = false;
  clock.advance(200);
  await pass(3);
  expect(accepted).toHaveLength(2);
  expect(failed).toHaveLength(2);
  doors.close();
  waiter.stop();
  for (const descriptor of [...clients, ...accepted, event]) native.close(descriptor);
});
