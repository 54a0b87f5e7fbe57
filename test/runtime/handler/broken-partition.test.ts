/** What must hold and does not, in the work of one partition: it goes out of service with the words and values, nobody else does. */
import { afterEach, expect, test, vi } from 'vitest';
import { assert, BrokenInvariant } from '../../../src/base/assert.ts';
import { PartitionLog } from '../../../src/log/partition-log.ts';
import type { FrozenPartition } from '../../../src/runtime/control.ts';
import {
  APPENDED,
  BLOCKED_DONE,
  DELETE_RECORDS,
  END_OF_EPOCH,
  EPOCH_END_FOUND,
  LIST_OFFSET,
  LOCATE,
  LOCATED,
  OFFSET_LISTED,
  RECORDS_DELETED,
} from '../../../src/runtime/rings/messages.ts';
import { ERROR } from '../../../src/wire/errors.ts';
import { batchOf } from '../../log/fixture.ts';
import { HandlerBench, type Reported } from './handler-kit.ts';

afterEach(() => vi.restoreAllMocks());

const BROKEN = 0;
const SOUND = 1;
const WHY = 'two and two are four {"sum":5}';

/** The method of the log of one partition finds that something does not hold. */
function breaks(
  method: keyof PartitionLog &
    (
      | 'stage'
      | 'write'
      | 'locate'
      | 'syncPlan'
      | 'synced'
      | 'advanceLogStart'
      | 'retention'
      | 'offsetForTimestamp'
      | 'freeze'
      | 'remove'
    ),
): void {
  const real = PartitionLog.prototype[method] as (...args: unknown[]) => unknown;
  vi.spyOn(PartitionLog.prototype, method as 'write').mockImplementation(function (
    this: PartitionLog,
    ...args: unknown[]
  ) {
    assert(!this.directory.endsWith(`-${BROKEN}`), 'two and two are four', { sum: 5 });
    return real.apply(this, args) as undefined;
  });
}

function opened(options: ConstructorParameters<typeof HandlerBench>[0] = {}): HandlerBench {
  const bench = new HandlerBench(options);
  const partitions = [bench.partition(BROKEN), bench.partition(SOUND)];
  expect(bench.control({ kind: 'open', partitions })).toEqual([{ value: [], error: null }]);
  for (const slot of [BROKEN, SOUND]) bench.append(slot, batchOf().bytes, slot);
  bench.turn();
  sync(bench);
  expect(bench.received().map(({ a, c }) => [a, c])).toEqual([
    [0, ERROR.NONE],
    [1, ERROR.NONE],
  ]);
  return bench;
}

/** All syncs that were asked for come back. */
function sync(bench: HandlerBench): void {
  for (const { a, b } of bench.received(bench.toBlocker)) bench.fromBlocker.send(BLOCKED_DONE, a, b, 0, 0, 0, 0, 0);
  bench.turn();
}

function expectOffline(bench: HandlerBench): void {
  const told = bench.posted.filter(({ kind }) => kind === 'offline');
  expect(told).toEqual([
    {
      kind: 'offline',
      from: 'h0',
      slot: BROKEN,
      why: WHY,
      code: '',
      stack: expect.stringContaining('BrokenInvariant'),
    },
  ]);
  vi.restoreAllMocks();
  for (const slot of [BROKEN, SOUND]) bench.append(slot, batchOf().bytes, 90 + slot);
  bench.turn();
  sync(bench);
  expect(bench.received().map(({ a, c }) => [a, c])).toEqual([
    [90, ERROR.KAFKA_STORAGE_ERROR],
    [91, ERROR.NONE],
  ]);
  // Nothing of it is under way: it does not keep the others from moving.
  const [reply] = bench.control({ kind: 'freeze', slots: [BROKEN, SOUND] }) as [Reported];
  const frozen = (reply.value as FrozenPartition[]).map(({ bytes }) => bytes.length > 0);
  expect(frozen).toEqual([false, true]);
}

const ASKED = [
  ['stage', APPENDED, (bench: HandlerBench) => bench.append(BROKEN, batchOf().bytes, 7)],
  ['write', APPENDED, (bench: HandlerBench) => bench.append(BROKEN, batchOf().bytes, 7)],
  ['locate', LOCATED, (bench: HandlerBench) => bench.toHandler.send(LOCATE, 7, 0, BROKEN, 1_000, 0, -1, 0, 0)],
  [
    'offsetForTimestamp',
    OFFSET_LISTED,
    (bench: HandlerBench) => bench.toHandler.send(LIST_OFFSET, 7, 0, BROKEN, 0, 0, -1, 0, 1),
  ],
  [
    'advanceLogStart',
    RECORDS_DELETED,
    (bench: HandlerBench) => bench.toHandler.send(DELETE_RECORDS, 7, 0, BROKEN, 0, 0, 0, 0, 1),
  ],
] as const;

for (const [method, answer, ask] of ASKED) {
  test(`in ${method}: whoever asked is answered, once`, () => {
    const bench = opened();
    breaks(method);
    ask(bench);
    bench.turn();
    expect(bench.received()).toMatchObject([{ type: answer, a: 7, c: ERROR.KAFKA_STORAGE_ERROR }]);
    expectOffline(bench);
  });
}

test('in the search for the end of an epoch', () => {
  const bench = opened();
  vi.spyOn(PartitionLog.prototype, 'endPosition', 'get').mockImplementation(() => {
    throw new BrokenInvariant(WHY);
  });
  bench.toHandler.send(END_OF_EPOCH, 7, 0, BROKEN, 0, 0, -1, 0);
  bench.turn();
  expect(bench.received()).toMatchObject([{ type: EPOCH_END_FOUND, a: 7, c: ERROR.KAFKA_STORAGE_ERROR }]);
  expectOffline(bench);
});

for (const method of ['syncPlan', 'synced'] as const) {
  test(`in ${method}: who waits for the sync is refused`, () => {
    const bench = opened({ groupCommit: true });
    breaks(method);
    for (const slot of [BROKEN, SOUND]) bench.append(slot, batchOf().bytes, 10 + slot);
    bench.turn();
    sync(bench);
    const answers = bench.received().map(({ a, c }) => [a, c]);
    expect(answers).toHaveLength(2);
    expect(answers).toContainEqual([10, ERROR.KAFKA_STORAGE_ERROR]);
    expect(answers).toContainEqual([11, ERROR.NONE]);
    expectOffline(bench);
  });
}

test('in retention, which nobody has asked for', () => {
  const bench = opened({ retentionCheckMs: 1_000 });
  breaks('retention');
  bench.clock.advance(2_000);
  bench.handler.count();
  expectOffline(bench);
});

test('while it is opened, and while it comes from another handler: the others come', () => {
  for (const method of ['open', 'thaw'] as const) {
    const bench = new HandlerBench();
    const real = PartitionLog[method] as (...args: unknown[]) => PartitionLog;
    vi.spyOn(PartitionLog, method).mockImplementation((...args: unknown[]) => {
      const { directory } = args.at(-1) as { directory: string };
      assert(!directory.endsWith(`-${BROKEN}`), 'two and two are four', { sum: 5 });
      return real.apply(PartitionLog, args);
    });
    const partitions = [bench.partition(BROKEN), bench.partition(SOUND)];
    let told: unknown;
    if (method === 'open') [{ value: told }] = bench.control({ kind: 'open', partitions }) as [Reported];
    else {
      const source = new HandlerBench({ index: 1, disk: bench.disk });
      source.control({ kind: 'open', partitions });
      const [reply] = source.control({ kind: 'freeze', slots: [BROKEN, SOUND] }) as [Reported];
      const frozen = reply?.value as FrozenPartition[];
      const thawed = partitions.map((one, at) => ({ ...one, bytes: (frozen[at] as FrozenPartition).bytes }));
      expect(bench.control({ kind: 'thaw', partitions: thawed })).toEqual([{ value: undefined, error: null }]);
      told = bench.posted.filter(({ kind }) => kind === 'offline');
    }
    expect(told).toMatchObject([{ slot: BROKEN, why: WHY, code: '' }]);
    for (const slot of [BROKEN, SOUND]) bench.append(slot, batchOf().bytes, slot);
    bench.turn();
    expect(bench.received().map(({ a, c }) => [a, c])).toEqual([
      [0, ERROR.KAFKA_STORAGE_ERROR],
      [1, ERROR.NONE],
    ]);
    vi.restoreAllMocks();
  }
});

test('while it is frozen or removed: the others leave', () => {
  for (const method of ['freeze', 'remove'] as const) {
    const bench = opened();
    breaks(method);
    const [reply] = bench.control({ kind: method, slots: [BROKEN, SOUND] }) as [Reported];
    expect(reply.error).toBe(null);
    if (method === 'remove') expect(reply.value).toMatchObject([{ slot: BROKEN, why: WHY, code: '' }]);
    else {
      const sizes = (reply.value as FrozenPartition[]).map(({ bytes }) => bytes.length > 0);
      expect(sizes).toEqual([false, true]);
      expect(bench.posted).toMatchObject([{ kind: 'offline', slot: BROKEN, why: WHY }]);
    }
    vi.restoreAllMocks();
  }
});

test('a disk that fails while a segment begins takes the partition out of service at once', () => {
  const bench = new HandlerBench();
  bench.control({ kind: 'open', partitions: [bench.partition(BROKEN, { segmentBytes: 500 })] });
  bench.append(BROKEN, batchOf({ valueBytes: 300 }).bytes, 1);
  bench.turn();
  bench.disk.fault = (operation, path) => (operation === 'open' && path.endsWith('1.log') ? 'EIO' : null);
  bench.append(BROKEN, batchOf({ valueBytes: 300 }).bytes, 2);
  bench.turn();
  expect(bench.received().map(({ a, c }) => [a, c])).toEqual([
    [1, ERROR.NONE],
    [2, ERROR.KAFKA_STORAGE_ERROR],
  ]);
  expect(bench.posted).toMatchObject([{ kind: 'offline', slot: BROKEN, code: 'EIO' }]);
});
