/** A handler by its rings and control messages: what it is asked before it gives a partition away is done first, and travels with it. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { RECORD_FAULT } from '../../../src/log/record-faults.ts';
import type { FrozenPartition } from '../../../src/runtime/control.ts';
import { APPENDED, BLOCKED_DONE, SYNC } from '../../../src/runtime/rings/messages.ts';
import { CODEC } from '../../../src/wire/batch.ts';
import { ERROR } from '../../../src/wire/errors.ts';
import { batchOf } from '../../log/fixture.ts';
import { HandlerBench, type Reported } from './handler-kit.ts';

function opened(bench: HandlerBench, slots: readonly number[]): HandlerBench {
  const partitions = slots.map((slot) => bench.partition(slot));
  expect(bench.control({ kind: 'open', partitions })).toEqual([{ value: [], error: null }]);
  return bench;
}

function frozenOf(replies: readonly Reported[]): FrozenPartition[] {
  expect(replies).toHaveLength(1);
  return replies[0]?.value as FrozenPartition[];
}

/** The partition goes on with another handler, which appends one more record: at which offset. */
function nextOffset(bench: HandlerBench, frozen: FrozenPartition): number {
  const other = new HandlerBench({ index: 1, disk: bench.disk });
  const message = { ...bench.partition(frozen.slot), bytes: frozen.bytes };
  expect(other.control({ kind: 'thaw', partitions: [message] })).toHaveLength(1);
  other.append(frozen.slot, batchOf().bytes, 99);
  other.turn();
  const [answer] = other.received();
  expect(answer).toMatchObject({ type: APPENDED, a: 99, c: ERROR.NONE });
  return answer?.w as number;
}

test('freeze takes what is in the rings first, and gives nothing away before it is written and answered', () => {
  const bench = opened(new HandlerBench(), [0, 1]);
  for (let operation = 0; operation < 5; operation++)
    bench.append(operation % 2, batchOf({ count: 2 }).bytes, operation);
  const replies = bench.control({ kind: 'freeze', slots: [0] });
  expect(replies).toEqual([]);
  bench.handler.settle(0);
  const frozen = frozenOf(replies);
  expect(frozen.map(({ slot }) => slot)).toEqual([0]);
  const answers = bench.received();
  expect(answers.map(({ a, c }) => [a, c])).toEqual([0, 2, 4, 1, 3].map((operation) => [operation, ERROR.NONE]));
  expect(nextOffset(bench, frozen[0] as FrozenPartition)).toBe(6);
});

test('what comes later finds no partition there, and the others serve on', () => {
  const bench = opened(new HandlerBench(), [0, 1]);
  expect(frozenOf(bench.control({ kind: 'freeze', slots: [0] }))).toHaveLength(1);
  bench.append(0, batchOf().bytes, 1);
  bench.append(1, batchOf().bytes, 2);
  bench.turn();
  expect(bench.received().map(({ a, c }) => [a, c])).toEqual([
    [1, ERROR.NOT_LEADER_OR_FOLLOWER],
    [2, ERROR.NONE],
  ]);
});

test('freeze waits for a sync that is under way, and all go together', () => {
  const bench = opened(new HandlerBench({ groupCommit: true }), [0, 1]);
  bench.append(0, batchOf().bytes, 1);
  bench.turn();
  const replies = bench.control({ kind: 'freeze', slots: [0, 1] });
  bench.turn();
  expect([replies, bench.received()]).toEqual([[], []]);
  const syncs = bench.received(bench.toBlocker).filter(({ type }) => type === SYNC);
  expect(syncs.length).toBeGreaterThan(0);
  for (const { a, b } of syncs) bench.fromBlocker.send(BLOCKED_DONE, a, b, 0, 0, 0, 0, 0);
  bench.turn();
  const frozen = frozenOf(replies);
  expect(frozen.map(({ slot }) => slot)).toEqual([0, 1]);
  expect(bench.received().map(({ a, c }) => [a, c])).toEqual([[1, ERROR.NONE]]);
  expect(nextOffset(bench, frozen[0] as FrozenPartition)).toBe(1);
});

test('freeze waits for a batch that is being opened elsewhere and for what stands behind it', () => {
  const bench = opened(new HandlerBench({ fullValidation: true }), [0]);
  const compress = (plain: Uint8Array) => new Uint8Array(gzipSync(plain));
  bench.append(0, batchOf({ codec: CODEC.GZIP, compress }).bytes, 1);
  bench.append(0, batchOf().bytes, 2);
  const replies = bench.control({ kind: 'freeze', slots: [0] });
  bench.turn();
  expect([replies, bench.received()]).toEqual([[], []]);
  const asked = bench.posted.find(({ kind }) => kind === 'openBatch') as { token: number };
  const found = { error: ERROR.NONE, fault: RECORD_FAULT.NONE, record: -1, bytes: null };
  expect(bench.control({ kind: 'opened', token: asked.token, opened: found })).toHaveLength(1);
  bench.turn();
  expect(bench.received().map(({ a, c, w }) => [a, c, w])).toEqual([
    [1, ERROR.NONE, 0],
    [2, ERROR.NONE, 1],
  ]);
  expect(nextOffset(bench, frozenOf(replies)[0] as FrozenPartition)).toBe(2);
});

test('a partition that cannot be read where it arrives is out of service there, and the others come in', () => {
  const bench = opened(new HandlerBench(), [0, 1]);
  for (const slot of [0, 1]) {
    for (let operation = 0; operation < 3; operation++)
      bench.append(slot, batchOf({ valueBytes: 5_000 }).bytes, operation);
  }
  bench.turn();
  const frozen = frozenOf(bench.control({ kind: 'freeze', slots: [0, 1] }));
  const partitions = frozen.map((one) => ({ ...bench.partition(one.slot), ...one }));
  bench.disk.fault = (operation, path) => (operation === 'read' && path.includes('orders-0') ? 'EIO' : null);
  const other = new HandlerBench({ index: 1, disk: bench.disk });
  expect(other.control({ kind: 'thaw', partitions })).toEqual([{ value: undefined, error: null }]);
  expect(other.posted).toMatchObject([{ kind: 'offline', from: 'h1', slot: 0, code: 'EIO' }]);
  for (const slot of [0, 1]) other.append(slot, batchOf().bytes, slot);
  other.turn();
  expect(other.received().map(({ a, c }) => [a, c])).toEqual([
    [0, ERROR.KAFKA_STORAGE_ERROR],
    [1, ERROR.NONE],
  ]);
});
