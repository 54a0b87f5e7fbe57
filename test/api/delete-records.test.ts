/** DeleteRecords: every partition once, with what was said of it last; refusals that need no owner. */
import { beforeEach, expect, test } from 'vitest';
import { deleteRecords } from '../../src/api/delete-records.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { type Asked, FakeCall, FakeFloor } from './floor.ts';

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
  floor.topic('a', 3);
  floor.topic('__consumer_offsets', 1);
});

function ask(...topics: [string, [number, number][]][]): FakeCall {
  const call = new FakeCall(2);
  const named = topics.map(([name, partitions]) => ({
    name,
    partitions: partitions.map(([partitionIndex, offset]) => ({ partitionIndex, offset })),
  }));
  deleteRecords(call, { topics: named, timeoutMs: 0 }, floor);
  return call;
}

function answer(which: number, error: number, lowWatermark: number): void {
  const [{ operation, part }] = floor.asked.splice(which, 1) as [Asked];
  floor.operations.get(operation)?.recordsDeleted?.(part, error, lowWatermark);
}

function answersOf(call: FakeCall): unknown {
  expect(call.end).toBe('answered');
  floor.expectRest();
  return (call.body as { topics: { name: string; partitions: object[] }[] }).topics.map(({ name, partitions }) => [
    name,
    partitions.map((one) => Object.values(one)),
  ]);
}

test('asks the owners and answers when all have answered', () => {
  const call = ask(
    [
      'a',
      [
        [2, 7],
        [0, -1],
      ],
    ],
    ['b', [[0, 1]]],
  );
  expect(floor.asked.map(({ slot, offset }) => [slot, offset])).toEqual([
    [2, 7],
    [0, -1],
  ]);
  answer(1, ERROR.OFFSET_OUT_OF_RANGE, -1);
  expect(call.end).toBe('');
  answer(0, ERROR.NONE, 7);
  expect(answersOf(call)).toEqual([
    [
      'a',
      [
        [2, 7, ERROR.NONE],
        [0, -1, ERROR.OFFSET_OUT_OF_RANGE],
      ],
    ],
    ['b', [[0, -1, ERROR.UNKNOWN_TOPIC_OR_PARTITION]]],
  ]);
});

test('a partition that is named again counts once, with the last offset', () => {
  const call = ask(['a', [[1, 5]]], ['__consumer_offsets', [[4, 0]]], ['a', [[0, 2]]], ['a', [[1, 3]]]);
  expect(floor.asked.map(({ slot, offset }) => [slot, offset])).toEqual([
    [1, 3],
    [0, 2],
  ]);
  answer(0, ERROR.NONE, 3);
  answer(0, ERROR.NONE, 2);
  expect(answersOf(call)).toEqual([
    [
      'a',
      [
        [1, 3, ERROR.NONE],
        [0, 2, ERROR.NONE],
      ],
    ],
    ['__consumer_offsets', [[4, -1, ERROR.UNKNOWN_TOPIC_OR_PARTITION]]],
  ]);
});

test('records of internal topics are not deleted', () => {
  const call = ask(['__consumer_offsets', [[0, 0]]]);
  expect(answersOf(call)).toEqual([['__consumer_offsets', [[0, -1, ERROR.INVALID_TOPIC_EXCEPTION]]]]);
});

test('nothing asked, nothing answered', () => {
  expect(answersOf(ask())).toEqual([]);
});
