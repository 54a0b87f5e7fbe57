/** Incremental fetches: what a session remembers, what its answers leave out, and which requests it refuses. */
import { beforeEach, describe, expect, test } from 'vitest';
import { fetch } from '../../src/api/fetch.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { FetchSessions } from '../../src/replica/fetch-session.ts';
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

  test('one that is too large is none, and one that grows too large is over', () => {
    floor = new FakeFloor(new FetchSessions(0, 100, new SeededRandom(3), 1_000, 3));
    floor.topic('a', 4);
    const wanted = [0, 1, 2, 3].map((partition): Wanted => ['a', partition, 0]);
    const large = settled(ask(request(wanted, { sessionEpoch: 0, maxWaitMs: 0 })));
    expect(large).toMatchObject({ errorCode: ERROR.NONE, sessionId: 0 });
    expect(large.parts).toHaveLength(4);
    const { id } = start(wanted.slice(0, 3));
    expect(id).toBeGreaterThan(0);
    expect(next(id, 1, wanted.slice(3)).errorCode).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    expect(floor.sessions.count).toBe(0);
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
