/** OffsetForLeaderEpoch: each partition asked as often as it is named; replica ids are forged here. */
import { beforeEach, expect, test } from 'vitest';
import { offsetForLeaderEpoch } from '../../src/api/offset-for-leader-epoch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { type Asked, FakeCall, FakeFloor } from './floor.ts';

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
  floor.topic('a', 3);
});

function ask(topic: string, partitions: [number, number, number][], replicaId = -1): FakeCall {
  const call = new FakeCall(4);
  const asked = partitions.map(([partition, currentLeaderEpoch, leaderEpoch]) => ({
    partition,
    currentLeaderEpoch,
    leaderEpoch,
  }));
  offsetForLeaderEpoch(call, { replicaId, topics: [{ topic, partitions: asked }] }, floor);
  return call;
}

function answer(error: number, leaderEpoch: number, endOffset: number): void {
  const [{ operation, part }] = floor.asked.splice(0, 1) as [Asked];
  floor.operations.get(operation)?.epochEndFound?.(part, error, leaderEpoch, endOffset);
}

function answersOf(call: FakeCall): unknown {
  expect(call.end).toBe('answered');
  floor.expectRest();
  return (call.body as { topics: { partitions: object[] }[] }).topics.flatMap(({ partitions }) =>
    partitions.map((one) => Object.values(one)),
  );
}

test('asks the owners, a partition that is named twice twice', () => {
  const call = ask('a', [
    [1, -1, 0],
    [9, -1, 0],
    [1, 4, 2],
  ]);
  expect(floor.asked.map(({ slot, epoch, offset }) => [slot, epoch, offset])).toEqual([
    [1, -1, 0],
    [1, 4, 2],
  ]);
  answer(ERROR.NONE, 0, 12);
  expect(call.end).toBe('');
  answer(ERROR.FENCED_LEADER_EPOCH, -1, -1);
  expect(answersOf(call)).toEqual([
    [1, ERROR.NONE, 0, 12],
    [9, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1, -1],
    [1, ERROR.FENCED_LEADER_EPOCH, -1, -1],
  ]);
});

test('an unknown topic', () => {
  expect(answersOf(ask('b', [[0, -1, 0]]))).toEqual([[0, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1, -1]]);
});

test.each([0, 1, 7])('replica id %i is refused, a consumer and a debugger are not', (replicaId) => {
  expect(answersOf(ask('a', [[0, -1, 0]], replicaId))).toEqual([[0, ERROR.CLUSTER_AUTHORIZATION_FAILED, -1, -1]]);
  for (const client of [-1, -2]) {
    const call = ask('a', [[0, -1, 0]], client);
    answer(ERROR.NONE, 0, 1);
    expect(answersOf(call)).toEqual([[0, ERROR.NONE, 0, 1]]);
  }
});
