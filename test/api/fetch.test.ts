/** Fetch: when it answers, whose bytes it gives and how many, and that no lease stays behind. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { fetch } from '../../src/api/fetch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { type Answer, answerOf, type Request, request, type Wanted } from './fetch-kit.ts';
import { FakeCall, FakeFloor, type FakePartition } from './floor.ts';

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
});

function ask(one: Request, version = 12): FakeCall {
  const call = new FakeCall(version);
  fetch(call, one, floor);
  return call;
}

/** Owners answer everything; then the call must be over. */
function settled(call: FakeCall): Answer {
  floor.answerAll();
  return answerOf(call);
}

/** The leases of an answer are the receiver's. */
function expectLeases(call: FakeCall): void {
  expect(floor.leases).toBe(call.ranges.length);
  floor.leases = 0;
  floor.expectRest();
}

describe('when a fetch answers', () => {
  test('with what there is, when it waits and its client may be gone', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(100);
    const call = ask(request([['a', 0, 0]], { minBytes: 1_000, maxWaitMs: 60_000 }));
    floor.answerAll();
    expect(call.waits).toBe(true);
    call.hurry();
    expect(settled(call).parts).toMatchObject([{ range: { length: 100 } }]);
    expectLeases(call);
    const early = new FakeCall(12);
    early.hurry();
    fetch(early, request([['a', 0, 1]], { maxWaitMs: 60_000 }), floor);
    expect(settled(early).parts).toMatchObject([{ range: null }]);
    floor.expectRest();
  });

  test('at once when enough is there', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(100);
    const call = ask(request([['a', 0, 0]]));
    expect(call.end).toBe('');
    expect(settled(call).parts).toEqual([
      {
        topic: 'a',
        partition: 0,
        error: 0,
        highWatermark: 1,
        range: { slot: 0, position: 0, length: 100, warm: false },
      },
    ]);
    expectLeases(call);
  });

  test('asks no owner while the published state says that there is nothing', () => {
    floor.topic('a', 3);
    const call = ask(
      request([
        ['a', 0, 0],
        ['a', 1, 0],
        ['a', 2, 0],
      ]),
    );
    expect(floor.asked).toEqual([]);
    expect(call.waits).toBe(true);
    floor.pass(504);
    expect(call.waits).toBe(false);
    expect(answerOf(call).parts.map(({ range }) => range)).toEqual([null, null, null]);
    expectLeases(call);
  });

  test('not before its wait is over, and then with what little there is', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(60);
    const call = ask(request([['a', 0, 0]], { minBytes: 100 }));
    floor.answerAll();
    expect(call.waits).toBe(true);
    expect(floor.leases, 'nobody holds a file while waiting').toBe(0);
    floor.pass(496);
    floor.answerAll();
    expect(call.end).toBe('');
    floor.pass(8);
    expect(settled(call).parts[0]?.range?.length).toBe(60);
    expectLeases(call);
  });

  test('when enough has come from all its partitions together, without asking before', () => {
    const [a, b] = floor.topic('a', 2) as [FakePartition, FakePartition];
    const call = ask(
      request(
        [
          ['a', 0, 0],
          ['a', 1, 0],
        ],
        { minBytes: 100 },
      ),
    );
    a.append(60);
    floor.ring();
    expect(floor.asked).toEqual([]);
    expect(call.waits).toBe(true);
    a.append(10);
    b.append(20);
    floor.ring();
    expect(floor.asked).toEqual([]);
    b.append(10);
    floor.ring();
    expect(settled(call).parts.map(({ range }) => range?.length)).toEqual([70, 30]);
    expectLeases(call);
  });

  test('counts what was there before it waited', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(60);
    const call = ask(request([['a', 0, 0]], { minBytes: 100 }));
    floor.answerAll();
    a.append(40);
    floor.ring();
    expect(settled(call).parts[0]?.range?.length).toBe(100);
    expectLeases(call);
  });

  test.each([1, 2, 3])('misses no append that comes just before its watch number %i is set', (which) => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    let watches = 0;
    floor.beforeWatch = () => {
      watches += 1;
      if (watches !== which) return;
      // The owner looks for watchers, finds none, and tells nobody.
      a.append(1_000);
      floor.published.takeWatchers(a.slot);
    };
    const call = ask(request([['a', 0, 0]], { minBytes: 1_000 }));
    for (let i = 1; i < which; i++) {
      a.append(1);
      floor.ring();
    }
    expect(watches).toBe(which);
    expect(settled(call).parts[0]?.range?.length).toBe(1_000 + which - 1);
    expectLeases(call);
  });

  test('does not wait for more than it may carry', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    for (let i = 0; i < 20; i++) a.append(10);
    const call = ask(request([['a', 0, 0]], { minBytes: 1_000, maxBytes: 50 }));
    expect(settled(call).parts[0]?.range?.length).toBe(50);
    expectLeases(call);
  });

  test.each([{ minBytes: 0 }, { maxWaitMs: 0 }, { maxWaitMs: -5 }])(
    'with nothing at once when asked so: %j',
    (more) => {
      floor.topic('a', 1);
      const call = ask(request([['a', 0, 0]], more));
      expect(answerOf(call).parts).toEqual([{ topic: 'a', partition: 0, error: 0, highWatermark: 0, range: null }]);
      expectLeases(call);
    },
  );

  test('at once when it asks for nothing', () => {
    const call = ask(request([]));
    expect(answerOf(call).parts).toEqual([]);
    expectLeases(call);
  });

  test('at once on any error, with what others have', () => {
    const [a] = floor.topic('a', 4) as [FakePartition];
    a.append(10);
    const call = ask(
      request(
        [
          ['a', 1, 3],
          ['a', 0, 0],
          ['a', 7, 0],
          ['nowhere', 0, 0],
          ['a', 2, 0, 100, 4],
          ['a', 3, 0, 100, 6],
        ],
        { minBytes: 999 },
      ),
    );
    expect(
      settled(call).parts.map(({ error, highWatermark, range }) => [error, highWatermark, range?.length ?? 0]),
    ).toEqual([
      [ERROR.OFFSET_OUT_OF_RANGE, -1, 0],
      [ERROR.NONE, 1, 10],
      [ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1, 0],
      [ERROR.FENCED_LEADER_EPOCH, -1, 0],
      [ERROR.UNKNOWN_LEADER_EPOCH, -1, 0],
      [ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1, 0],
    ]);
    expectLeases(call);
  });

  test('once for a partition that is named again, and then by what was said last', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    for (let i = 0; i < 3; i++) a.append(10);
    const call = ask(request([0, 9, 2].map((offset) => ['a', 0, offset] as const)));
    expect(settled(call).parts.map(({ error, range }) => [error, range?.position])).toEqual([[ERROR.NONE, 20]]);
    expectLeases(call);
  });

  test('by id, an unknown topic is an unknown id', () => {
    floor.topic('a', 1);
    const call = ask(
      request(
        [
          ['a', 3, 0],
          ['b', 0, 0],
        ],
        {},
        true,
      ),
      13,
    );
    expect(settled(call).parts.map(({ topic, error }) => [topic, error])).toEqual([
      ['a', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      ['b', ERROR.UNKNOWN_TOPIC_ID],
    ]);
    expectLeases(call);
  });

  test.each([
    [12, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    [13, ERROR.UNKNOWN_TOPIC_ID],
  ])("v%i: when its topic is deleted while it waits, and its slot has become another topic's", (version, error) => {
    const [partition] = floor.topic('a', 1) as [FakePartition];
    const call = new FakeCall(version);
    fetch(call, request([['a', 0, 0]], {}, version >= 13), floor);
    expect(call.waits).toBe(true);
    floor.deleteTopic('a');
    // Records of whoever has the slot now.
    partition.append(100);
    floor.ring();
    expect(floor.asked).toEqual([]);
    expect(answerOf(call).parts).toMatchObject([{ topic: 'a', error, range: null }]);
    floor.expectRest();
  });

  test("when its topic is deleted while the owner looks: it does not wait on a slot that is another's", () => {
    const [partition] = floor.topic('a', 1) as [FakePartition];
    partition.append(10);
    const call = new FakeCall(13);
    fetch(call, request([['a', 0, 0]], { minBytes: 1_000 }, true), floor);
    floor.deleteTopic('a');
    floor.answerAll();
    expect(answerOf(call).parts).toMatchObject([{ error: ERROR.UNKNOWN_TOPIC_ID, range: null }]);
    expect(floor.leases).toBe(0);
    floor.expectRest();
  });

  test('when a partition goes offline while it waits', () => {
    const [, b] = floor.topic('a', 2) as [FakePartition, FakePartition];
    const call = ask(
      request([
        ['a', 0, 0],
        ['a', 1, 0],
      ]),
    );
    b.goOffline();
    floor.ring();
    expect(settled(call).parts.map(({ error }) => error)).toEqual([ERROR.NONE, ERROR.KAFKA_STORAGE_ERROR]);
    expectLeases(call);
  });

  test('when one went offline before its watch was set', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    floor.beforeWatch = () => a.goOffline();
    const call = ask(request([['a', 0, 0]]));
    expect(settled(call).parts[0]?.error).toBe(ERROR.KAFKA_STORAGE_ERROR);
    expectLeases(call);
  });
});

describe('whose bytes and how many', () => {
  test('the first batch goes whole however little was asked, and nothing behind it', () => {
    const [a, b] = floor.topic('a', 2) as [FakePartition, FakePartition];
    a.append(1_000);
    a.append(5);
    b.append(5);
    const call = ask(
      request(
        [
          ['a', 0, 0, 10],
          ['a', 1, 0],
        ],
        { maxBytes: 20 },
      ),
    );
    expect(settled(call).parts.map(({ range }) => range?.length ?? 0)).toEqual([1_000, 0]);
    expectLeases(call);
  });

  test('the budget is shared out in the order of the request; a batch that does not fit stays for the next time', () => {
    const parts = floor.topic('a', 4);
    for (const one of parts) for (let i = 0; i < 4; i++) one.append(100);
    parts[2]?.append(1);
    const call = ask(
      request(
        [
          ['a', 3, 0, 250],
          ['a', 1, 0],
          ['a', 0, 0],
          ['a', 2, 4],
        ],
        { maxBytes: 720 },
      ),
    );
    expect(settled(call).parts.map(({ partition, range }) => [partition, range?.length ?? 0])).toEqual([
      [3, 250],
      [1, 400],
      [0, 0],
      [2, 1],
    ]);
    expectLeases(call);
  });

  test('the broker has a budget of its own', () => {
    floor.limits = { ...floor.limits, fetchBytesMax: 150 };
    const [a, b] = floor.topic('a', 2) as [FakePartition, FakePartition];
    for (let i = 0; i < 4; i++) a.append(100);
    b.append(10);
    const call = ask(
      request([
        ['a', 0, 0],
        ['a', 1, 0],
      ]),
    );
    expect(settled(call).parts.map(({ range }) => range?.length ?? 0)).toEqual([150, 0]);
    expectLeases(call);
  });

  test('starts at the batch that holds the offset', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(100, 10);
    a.append(200, 10);
    a.append(300, 10);
    const call = ask(request([['a', 0, 15]]));
    expect(settled(call).parts[0]?.range).toEqual({ slot: 0, position: 100, length: 500, warm: false });
    expectLeases(call);
  });

  test('what an owner knows to be in the page cache is told on', () => {
    const [a, b] = floor.topic('a', 2) as [FakePartition, FakePartition];
    a.append(1);
    b.append(1);
    b.warm = true;
    const call = ask(
      request([
        ['a', 0, 0],
        ['a', 1, 0],
      ]),
    );
    expect(settled(call).parts.map(({ range }) => range?.warm)).toEqual([false, true]);
    expectLeases(call);
  });

  test('read committed goes up to the last stable offset', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(100);
    a.append(100);
    a.lastStableOffset = 1;
    a.publish();
    const committed = ask(request([['a', 0, 0]], { isolationLevel: 1 }));
    expect(settled(committed).parts[0]?.range?.length).toBe(100);
    const aborted = (call: FakeCall): unknown =>
      (call.body as { responses: { partitions: { abortedTransactions: unknown }[] }[] }).responses[0]?.partitions[0]
        ?.abortedTransactions;
    expect(aborted(committed)).toEqual([]);
    expectLeases(committed);
    const waiting = ask(request([['a', 0, 1]], { isolationLevel: 1 }));
    expect(waiting.waits).toBe(true);
    waiting.abandon();
    const all = ask(request([['a', 0, 0]]));
    expect(settled(all).parts[0]?.range?.length).toBe(200);
    expect(aborted(all)).toBeNull();
    expectLeases(all);
  });

  test('whatever is asked: in order, within the budget, from the right place, and every other lease comes back', () => {
    const batch = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(
        fc.array(fc.array(batch, { maxLength: 6 }), { minLength: 1, maxLength: 6 }),
        fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(8), fc.nat(500)), {
          maxLength: 8,
          selector: ([partition]) => partition,
        }),
        fc.nat(900),
        fc.nat(1_200),
        fc.infiniteStream(fc.nat()),
        (logs, wanted, minBytes, maxBytes, dice) => {
          floor = new FakeFloor();
          const parts = floor.topic('a', logs.length);
          for (const [i, log] of logs.entries()) for (const bytes of log) parts[i]?.append(bytes);
          const asked = wanted.map(([partition, offset, bytesMax]) => ['a', partition, offset, bytesMax] as const);
          const call = ask(request(asked, { minBytes, maxBytes }));
          const random = dice[Symbol.iterator]();
          const run = (): void => {
            while (floor.asked.length > 0) floor.answerLocate((random.next().value as number) % floor.asked.length);
          };
          run();
          if (call.end === '') {
            expect(floor.leases).toBe(0);
            floor.pass(510);
            run();
          }
          const answer = answerOf(call);
          expect(answer.parts.length).toBe(asked.length);
          let given = 0;
          for (const [index, { range, error, partition }] of answer.parts.entries()) {
            const [, , offset, bytesMax = 0] = asked[index] as Wanted;
            expect(partition).toBe(asked[index]?.[1]);
            const log = logs[partition];
            if (log === undefined) expect(error).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
            else if (offset > log.length) expect(error).toBe(ERROR.OFFSET_OUT_OF_RANGE);
            else expect(error).toBe(ERROR.NONE);
            if (range === null) continue;
            const first = (log as number[])[offset] as number;
            const all = (log as number[]).slice(offset).reduce((sum, bytes) => sum + bytes, 0);
            expect(range.position).toBe((log as number[]).slice(0, offset).reduce((sum, bytes) => sum + bytes, 0));
            expect(range.length).toBeLessThanOrEqual(Math.max(Math.min(all, bytesMax), first));
            expect(range.length).toBeGreaterThanOrEqual(first);
            if (given > 0) expect(given + range.length).toBeLessThanOrEqual(maxBytes);
            given += range.length;
          }
          const anything = asked.some(([, partition, offset]) => offset < (logs[partition]?.length ?? 0));
          expect(given > 0).toBe(anything);
          expectLeases(call);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a fetch nobody waits for any more', () => {
  test('gives back what its owners still find', () => {
    const parts = floor.topic('a', 2);
    for (const one of parts) one.append(10);
    const call = ask(
      request([
        ['a', 0, 0],
        ['a', 1, 0],
      ]),
    );
    floor.answerLocate(0);
    call.abandon();
    expect(floor.operations.size, 'one answer is to come').toBe(1);
    floor.answerAll();
    expect(call.end).toBe('silent');
    expectLeases(call);
  });

  test('stops waiting', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    const call = ask(request([['a', 0, 0]]));
    call.abandon();
    floor.expectRest();
    a.append(5);
    floor.ring();
    floor.pass(1_000);
    expect(call.end).toBe('silent');
    expectLeases(call);
  });
});

test('nobody fetches as a replica here', () => {
  const old = ask(request([], { replicaId: 1 }), 12);
  expect(answerOf(old).errorCode).toBe(ERROR.CLUSTER_AUTHORIZATION_FAILED);
  const now = ask(request([], { replicaState: { replicaId: 1, replicaEpoch: 0 } }), 15);
  expect(answerOf(now).errorCode).toBe(ERROR.CLUSTER_AUTHORIZATION_FAILED);
});
