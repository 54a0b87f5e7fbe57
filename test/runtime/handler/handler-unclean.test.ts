/** A handler that takes over what a killed process has left: it is there, but neither read nor promised before it is durable. */
import { expect, test } from 'vitest';
import type { LogConfig } from '../../../src/log/config.ts';
import { newPartitionView } from '../../../src/replica/published.ts';
import { APPENDED, BLOCKED_DONE, SYNC } from '../../../src/runtime/rings/messages.ts';
import { ERROR } from '../../../src/wire/errors.ts';
import { batchOf } from '../../log/fixture.ts';
import { HandlerBench } from './handler-kit.ts';

const RECORDS = 3;
const BATCH = { count: RECORDS, producerId: 7, producerEpoch: 0, baseSequence: 0 };

/** Three records that were written and never synced, before the process was killed. */
function afterKill(changes: Partial<LogConfig>, groupCommit: boolean): HandlerBench {
  const killed = new HandlerBench();
  const message = killed.partition(0, changes);
  killed.control({ kind: 'open', partitions: [{ ...message, config: { ...message.config, flushMessages: 100 } }] });
  killed.append(0, batchOf(BATCH).bytes, 1);
  killed.turn();
  expect(killed.received()).toMatchObject([{ type: APPENDED, c: ERROR.NONE }]);
  killed.disk.kill();
  const bench = new HandlerBench({ groupCommit, disk: killed.disk });
  bench.control({ kind: 'open', partitions: [{ ...message, cleanShutdown: false }] });
  return bench;
}

function highWatermark(bench: HandlerBench): number {
  const view = newPartitionView();
  bench.published.read(0, view);
  expect(view.logEndOffset).toBe(RECORDS);
  return view.highWatermark;
}

/** The blocker does what it was asked for. */
function sync(bench: HandlerBench): void {
  const asked = bench.received(bench.toBlocker);
  expect(asked.length).toBeGreaterThan(0);
  for (const { type, a } of asked) {
    expect(type).toBe(SYNC);
    bench.fromBlocker.send(BLOCKED_DONE, a, 0, 0, 0, 0, 0, 0);
  }
  bench.turn();
}

test('under group commit nothing of it is read before it is durable, and that needs nobody to ask', () => {
  const bench = afterKill({}, true);
  expect(highWatermark(bench)).toBe(0);
  bench.turn();
  expect(highWatermark(bench)).toBe(0);
  sync(bench);
  expect(highWatermark(bench)).toBe(RECORDS);
});

test('with a sync for every record a repeated batch is not acknowledged before the first one is durable', () => {
  const bench = afterKill({ flushMessages: 1 }, false);
  bench.append(0, batchOf(BATCH).bytes, 2);
  bench.turn();
  expect(bench.received()).toEqual([]);
  sync(bench);
  expect(bench.received()).toMatchObject([{ type: APPENDED, a: 2, c: ERROR.NONE, w: 0 }]);
});

test('where the system decides when to write, it is read at once', () => {
  const bench = afterKill({}, false);
  bench.turn();
  expect(bench.received(bench.toBlocker)).toEqual([]);
  expect(highWatermark(bench)).toBe(RECORDS);
});
