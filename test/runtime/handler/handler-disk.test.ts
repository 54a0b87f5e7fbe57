/** A handler whose disk fails it at odd moments: the partition goes out of service at once, and nothing more is said of it than is true. */
import { expect, test } from 'vitest';
import { newPartitionView } from '../../../src/replica/published.ts';
import { APPENDED } from '../../../src/runtime/rings/messages.ts';
import { ERROR } from '../../../src/wire/errors.ts';
import { batchOf } from '../../log/fixture.ts';
import { HandlerBench } from './handler-kit.ts';

function opened(bench: HandlerBench, changes = {}): HandlerBench {
  bench.control({ kind: 'open', partitions: [bench.partition(0, changes)] });
  bench.turn();
  return bench;
}

test('where the files of a sync cannot be opened nothing is acknowledged, and the handler goes on', () => {
  const bench = opened(new HandlerBench({ groupCommit: true }));
  bench.append(0, batchOf().bytes, 1);
  bench.disk.fault = (operation, path) => (operation === 'open' && path.endsWith('/orders-0') ? 'EMFILE' : null);
  bench.turn();
  expect(bench.received()).toMatchObject([{ type: APPENDED, a: 1, c: ERROR.KAFKA_STORAGE_ERROR }]);
  expect(bench.posted).toMatchObject([{ kind: 'offline', slot: 0, code: 'EMFILE' }]);
  expect(bench.published.online(0)).toBe(false);
});

test('a segment that cannot be ended takes its partition out of service in the same round', () => {
  const bench = opened(new HandlerBench(), { segmentBytes: 1_000 });
  bench.append(0, batchOf({ valueBytes: 700 }).bytes, 1);
  bench.turn();
  bench.disk.fault = (operation) => (operation === 'truncate' ? 'EIO' : null);
  bench.append(0, batchOf({ valueBytes: 700 }).bytes, 2);
  bench.turn();
  expect(bench.received().map(({ a, c }) => [a, c])).toEqual([
    [1, ERROR.NONE],
    [2, ERROR.KAFKA_STORAGE_ERROR],
  ]);
  expect(bench.posted).toMatchObject([{ kind: 'offline', slot: 0, code: 'EIO' }]);
});

test('a log that cannot be closed is durable as far as it was synced, and no further', () => {
  const bench = opened(new HandlerBench());
  bench.append(0, batchOf({ count: 3 }).bytes, 1);
  bench.turn();
  bench.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : null);
  expect(bench.control({ kind: 'close' })[0]?.value).toMatchObject([{ slot: 0, recoveryPoint: 0, highWatermark: 3 }]);
  const other = opened(new HandlerBench());
  other.append(0, batchOf({ count: 3 }).bytes, 1);
  other.turn();
  expect(other.control({ kind: 'close' })[0]?.value).toMatchObject([{ slot: 0, recoveryPoint: 3, error: null }]);
});

test('once a partition is given away its last owner publishes nothing', () => {
  const bench = opened(new HandlerBench());
  // Refused, so nobody waits: it is looked at once more at the end of the round all the same.
  bench.append(0, batchOf({ count: 3 }).bytes.subarray(0, 20), 1);
  const view = newPartitionView();
  bench.control({ kind: 'freeze', slots: [0] });
  bench.published.publish(0, { ...view, logEndOffset: 7 });
  bench.turn();
  bench.published.read(0, view);
  expect(view.logEndOffset).toBe(7);
});
