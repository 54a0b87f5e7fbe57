/** ListOffsets: every partition once, special timestamps only in the versions that know them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { listOffsets } from '../../src/api/list-offsets.ts';
import { ERROR } from '../../src/wire/errors.ts';
import type { ListOffsets } from '../../src/wire/messages/list-offsets.ts';
import type { RequestOf } from '../../src/wire/schema.ts';
import { type Asked, FakeCall, FakeFloor } from './floor.ts';

type Request = RequestOf<typeof ListOffsets>;

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
  floor.topic('a', 3);
});

function ask(topics: readonly [string, readonly [number, number][]][], version = 9): FakeCall {
  const call = new FakeCall(version);
  const request: Request = {
    replicaId: -1,
    isolationLevel: 1,
    topics: topics.map(([name, partitions]) => ({
      name,
      partitions: partitions.map(([partitionIndex, timestamp]) => ({
        partitionIndex,
        currentLeaderEpoch: 4,
        timestamp,
      })),
    })),
    timeoutMs: 0,
  };
  listOffsets(call, request, floor);
  return call;
}

function answer(which: number, error: number, epoch: number, timestamp: number, offset: number): void {
  const [{ operation, part }] = floor.asked.splice(which, 1) as [Asked];
  floor.operations.get(operation)?.offsetListed?.(part, error, epoch, timestamp, offset);
}

function answersOf(call: FakeCall): unknown {
  expect(call.end).toBe('answered');
  return (call.body as { topics: { name: string; partitions: unknown[] }[] }).topics.map(({ name, partitions }) => [
    name,
    partitions.map((one) => Object.values(one as object)),
  ]);
}

describe('list offsets', () => {
  test('asks the owners and answers in the order of the request', () => {
    const call = ask([
      [
        'a',
        [
          [2, 77],
          [0, -1],
        ],
      ],
      ['b', [[0, -1]]],
    ]);
    expect(floor.asked.map(({ slot, offset, length, epoch }) => [slot, offset, length, epoch])).toEqual([
      [2, 77, 1, 4],
      [0, -1, 1, 4],
    ]);
    answer(1, ERROR.FENCED_LEADER_EPOCH, -1, -1, -1);
    expect(call.end).toBe('');
    answer(0, ERROR.NONE, 3, 80, 12);
    expect(answersOf(call)).toEqual([
      [
        'a',
        [
          [2, ERROR.NONE, 80, 12, 3],
          [0, ERROR.FENCED_LEADER_EPOCH, -1, -1, -1],
        ],
      ],
      ['b', [[0, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1, -1, -1]]],
    ]);
    floor.expectRest();
  });

  test('a partition that is named twice is answered with an error each time, the others are served', () => {
    const call = ask([
      [
        'a',
        [
          [1, -1],
          [0, -1],
          [1, -2],
        ],
      ],
    ]);
    expect(floor.asked.map(({ slot }) => slot)).toEqual([0]);
    answer(0, ERROR.NONE, 0, -1, 9);
    expect(answersOf(call)).toEqual([
      [
        'a',
        [
          [1, ERROR.INVALID_REQUEST, -1, -1, -1],
          [0, ERROR.NONE, -1, 9, 0],
          [1, ERROR.INVALID_REQUEST, -1, -1, -1],
        ],
      ],
    ]);
    floor.expectRest();
  });

  test.each([
    [-1, 1],
    [-2, 1],
    [-3, 7],
    [-4, 8],
    [-5, 9],
    [-6, 11],
  ])('timestamp %i is known from version %i on', (timestamp, since) => {
    for (let version = 1; version <= 11; version++) {
      floor = new FakeFloor();
      floor.topic('a', 1);
      const call = ask([['a', [[0, timestamp]]]], version);
      expect(floor.asked.length, `version ${version}`).toBe(version < since ? 0 : 1);
      if (version < since) expect(answersOf(call)).toEqual([['a', [[0, ERROR.UNSUPPORTED_VERSION, -1, -1, -1]]]]);
    }
  });

  test('one that no version knows is refused', () => {
    expect(answersOf(ask([['a', [[0, -7]]]], 11))).toEqual([['a', [[0, ERROR.UNSUPPORTED_VERSION, -1, -1, -1]]]]);
    expect(answersOf(ask([]))).toEqual([]);
    floor.expectRest();
  });
});
