/** Fetch: when it answers, whose bytes it gives and how many, what sessions remember, and that no lease stays behind. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { fetch } from '../../src/api/fetch.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import type { Fetch } from '../../src/wire/messages/fetch.ts';
import type { RequestOf } from '../../src/wire/schema.ts';
import { FakeCall, FakeFloor, type FakePartition } from './floor.ts';

type Request = RequestOf<typeof Fetch>;
/** topic, partition, fetch offset, bytes at most, leader epoch */
type Wanted = readonly [topic: string, partition: number, offset: number, bytesMax?: number, epoch?: number];

interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  /** Where its records come from, null for none. */
  readonly range: {
    readonly slot: number;
    readonly position: number;
    readonly length: number;
    readonly warm: boolean;
  } | null;
}

const INT_MAX = 0x7fffffff;

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
});

function request(wanted: readonly Wanted[], more: Partial<Request> = {}, byId = false): Request {
  const topics = wanted.map(
    ([topic, partition, fetchOffset, partitionMaxBytes = 1_000_000, currentLeaderEpoch = -1]) => ({
      topic: byId ? '' : topic,
      topicId: byId ? topic.padEnd(16, '#') : ZERO_UUID,
      partitions: [
        {
          partition,
          currentLeaderEpoch,
          fetchOffset,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: 0,
        },
      ],
    }),
  );
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: INT_MAX,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics,
    forgottenTopicsData: [],
    rackId: '',
    ...more,
  };
}

function ask(one: Request, version = 12): FakeCall {
  const call = new FakeCall(version);
  fetch(call, one, floor);
  return call;
}

interface Answer {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly parts: Part[];
}

function answerOf(call: FakeCall): Answer {
  expect(call.end).toBe('answered');
  const body = call.body as {
    errorCode: number;
    sessionId: number;
    responses: {
      topic: string;
      topicId: string;
      partitions: {
        partitionIndex: number;
        errorCode: number;
        highWatermark: number;
        records: Part['range'] | Uint8Array;
      }[];
    }[];
  };
  const parts = body.responses.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, highWatermark, records }) => ({
      topic: topic === '' ? topicId.replaceAll('#', '') : topic,
      partition: partitionIndex,
      error: errorCode,
      highWatermark,
      range: records instanceof Uint8Array ? null : records,
    })),
  );
  expect(parts.flatMap(({ range }) => range ?? [])).toEqual(call.ranges);
  return { errorCode: body.errorCode, sessionId: body.sessionId, parts };
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
    const [a] = floor.topic('a', 2) as [FakePartition];
    a.append(10);
    const call = ask(
      request(
        [
          ['a', 1, 3],
          ['a', 0, 0],
          ['a', 7, 0],
          ['nowhere', 0, 0],
          ['a', 1, 0, 100, 4],
          ['a', 1, 0, 100, 6],
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
        fc.array(fc.tuple(fc.nat(5), fc.nat(8), fc.nat(500)), { maxLength: 8 }),
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

describe('sessions', () => {
  function start(wanted: readonly Wanted[], more: Partial<Request> = {}): { id: number; answer: Answer } {
    const call = ask(request(wanted, { sessionEpoch: 0, maxWaitMs: 0, ...more }));
    const answer = settled(call);
    floor.leases = 0;
    return { id: answer.sessionId, answer };
  }

  function next(id: number, epoch: number, wanted: readonly Wanted[] = [], more: Partial<Request> = {}): Answer {
    const call = ask(request(wanted, { sessionId: id, sessionEpoch: epoch, maxWaitMs: 0, ...more }));
    const answer = settled(call);
    expectLeases(call);
    return answer;
  }

  test('the first answer says everything, later ones what has changed', () => {
    const [a0, a1] = floor.topic('a', 2) as [FakePartition, FakePartition];
    const { id, answer } = start([
      ['a', 0, 0],
      ['a', 1, 0],
    ]);
    expect(id).toBeGreaterThan(0);
    expect(answer.parts.length).toBe(2);
    expect(next(id, 1)).toEqual({ errorCode: 0, sessionId: id, parts: [] });
    a1.append(10);
    expect(next(id, 2).parts).toEqual([
      {
        topic: 'a',
        partition: 1,
        error: 0,
        highWatermark: 1,
        range: { slot: 1, position: 0, length: 10, warm: false },
      },
    ]);
    // The client has read it; nothing is new.
    expect(next(id, 3, [['a', 1, 1]]).parts).toEqual([]);
    // A high watermark or a log start that moved is news without records.
    a0.logStartOffset = 0;
    a1.logStartOffset = 1;
    a1.publish();
    expect(next(id, 4).parts.map(({ partition, range }) => [partition, range])).toEqual([[1, null]]);
    expect(next(id, 5).parts).toEqual([]);
  });

  test('partitions join and leave', () => {
    const parts = floor.topic('a', 3);
    const { id } = start([['a', 0, 0]]);
    expect(next(id, 1, [['a', 2, 0]]).parts.map(({ partition }) => partition)).toEqual([2]);
    for (const one of parts) one.append(10);
    const forgottenTopicsData = [{ topic: 'a', topicId: ZERO_UUID, partitions: [0, 1] }];
    expect(next(id, 2, [], { forgottenTopicsData }).parts.map(({ partition }) => partition)).toEqual([2]);
  });

  test('an error is said until it is over, and its end is said, too', () => {
    floor.topic('a', 1);
    const { id } = start([
      ['a', 0, 0],
      ['b', 0, 0],
    ]);
    expect(next(id, 1).parts.map(({ topic, error }) => [topic, error])).toEqual([
      ['b', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    const [b] = floor.topic('b', 1) as [FakePartition];
    expect(next(id, 2).parts.map(({ topic, error }) => [topic, error])).toEqual([['b', ERROR.NONE]]);
    expect(next(id, 3).parts).toEqual([]);
    b.goOffline();
    expect(next(id, 4).parts.map(({ topic, error }) => [topic, error])).toEqual([['b', ERROR.KAFKA_STORAGE_ERROR]]);
    b.goOnline();
    expect(next(id, 5).parts.map(({ topic, error }) => [topic, error])).toEqual([['b', ERROR.NONE]]);
    expect(next(id, 6).parts).toEqual([]);
  });

  test('who got something goes to the end of the line', () => {
    const parts = floor.topic('a', 3);
    const { id } = start([
      ['a', 0, 0],
      ['a', 1, 0],
      ['a', 2, 0],
    ]);
    for (const one of parts) for (let i = 0; i < 3; i++) one.append(100);
    const served: number[][] = [];
    for (let epoch = 1; epoch <= 4; epoch++) {
      served.push(
        next(id, epoch, [], { maxBytes: 150 })
          .parts.filter(({ range }) => range !== null)
          .map(({ partition }) => partition),
      );
    }
    expect(served).toEqual([[0], [1], [2], [0]]);
  });

  test('one that was forgotten and named again meanwhile is not put back as it was', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    const { id } = start([['a', 0, 0]]);
    a.append(10);
    a.append(20);
    const slow = ask(request([], { sessionId: id, sessionEpoch: 1, maxWaitMs: 0 }));
    const forgottenTopicsData = [{ topic: 'a', topicId: ZERO_UUID, partitions: [0] }];
    const forget = ask(request([], { sessionId: id, sessionEpoch: 2, maxWaitMs: 0, forgottenTopicsData }));
    const again = ask(request([['a', 0, 2]], { sessionId: id, sessionEpoch: 3, maxWaitMs: 0 }));
    floor.answerAll();
    expect(answerOf(slow).parts[0]?.range?.length).toBe(30);
    expect(answerOf(forget).parts).toEqual([]);
    expect(answerOf(again).parts.map(({ range }) => range)).toEqual([null]);
    floor.leases = 0;
    expect(next(id, 4).parts, 'it stands where it was named last').toEqual([]);
  });

  test.each([
    ['another epoch', { sessionEpoch: 2 }, ERROR.INVALID_FETCH_SESSION_EPOCH],
    ['another id', { sessionId: 12_345 }, ERROR.FETCH_SESSION_ID_NOT_FOUND],
    ['no id at all', { sessionId: 0 }, ERROR.FETCH_SESSION_ID_NOT_FOUND],
    ['an epoch that is none', { sessionEpoch: -2 }, ERROR.INVALID_FETCH_SESSION_EPOCH],
  ])('%s is refused as a whole', (_what, more, errorCode) => {
    floor.topic('a', 1);
    const { id } = start([['a', 0, 0]]);
    expect(next(id, 1, [], more)).toEqual({ errorCode, sessionId: 0, parts: [] });
  });

  test('names and ids do not mix', () => {
    floor.topic('a', 1);
    const { id } = start([['a', 0, 0]]);
    const call = ask(request([], { sessionId: id, sessionEpoch: 1 }, true), 13);
    expect(answerOf(call).errorCode).toBe(ERROR.FETCH_SESSION_TOPIC_ID_ERROR);
  });

  test('the final epoch ends one and is served without; a new one takes the place of the old', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(10);
    const { id } = start([['a', 0, 0]]);
    const renewed = start([['a', 0, 0]], { sessionId: id });
    expect(renewed.id).not.toBe(id);
    expect(floor.sessions.count).toBe(1);
    const last = next(renewed.id, -1, [['a', 0, 0]]);
    expect([last.sessionId, last.parts.length]).toEqual([0, 1]);
    expect(floor.sessions.count).toBe(0);
  });

  test('there are none below version 7', () => {
    floor.topic('a', 1);
    const call = ask(request([['a', 0, 0]], { sessionEpoch: 0, maxWaitMs: 0 }), 6);
    expect(settled(call).sessionId).toBe(0);
    expect(floor.sessions.count).toBe(0);
  });

  test('by id the answer names ids', () => {
    const [a] = floor.topic('a', 1) as [FakePartition];
    a.append(10);
    const call = ask(request([['a', 0, 0]], { sessionEpoch: 0 }, true), 17);
    const { sessionId, parts } = settled(call);
    expect(parts.map(({ topic, range }) => [topic, range?.length])).toEqual([['a', 10]]);
    floor.leases = 0;
    const more = ask(request([['a', 0, 1]], { sessionId, sessionEpoch: 1, maxWaitMs: 0 }, true), 17);
    expect(settled(more).parts).toEqual([]);
    expectLeases(more);
  });
});

test('nobody fetches as a replica here', () => {
  const old = ask(request([], { replicaId: 1 }), 12);
  expect(answerOf(old).errorCode).toBe(ERROR.CLUSTER_AUTHORIZATION_FAILED);
  const now = ask(request([], { replicaState: { replicaId: 1, replicaEpoch: 0 } }), 15);
  expect(answerOf(now).errorCode).toBe(ERROR.CLUSTER_AUTHORIZATION_FAILED);
});
