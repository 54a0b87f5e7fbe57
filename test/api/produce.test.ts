/** Produce: what goes to which owner, what is refused on the spot, and when and how it is answered. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FLAG_ACKS_ALL, FLAG_NO_ZSTD } from '../../src/api/floor.ts';
import { produce } from '../../src/api/produce.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { RECORD_FAULT } from '../../src/log/record-faults.ts';
import { ERROR } from '../../src/wire/errors.ts';
import type { Produce } from '../../src/wire/messages/produce.ts';
import type { RequestOf } from '../../src/wire/schema.ts';
import { type Asked, FakeCall, FakeFloor } from './floor.ts';

type Request = RequestOf<typeof Produce>;

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
  floor.topic('a', 2);
  floor.topic('b', 1);
});

/** Records of partition n of the k-th topic lie at 1000 k + 100 n and are 50 + n bytes long. */
function request(topics: readonly [string, readonly number[]][], more: Partial<Request> = {}, byId = false): Request {
  return {
    transactionalId: null,
    acks: 1,
    timeoutMs: 1_000,
    topicData: topics.map(([name, indexes], k) => ({
      name: byId ? '' : name,
      topicId: byId ? name.padEnd(16, '#') : ZERO_UUID,
      partitionData: indexes.map((index) => ({
        index,
        records: { offset: 1_000 * k + 100 * index, length: 50 + index },
      })),
    })),
    ...more,
  };
}

function ask(one: Request, version = 9): FakeCall {
  const call = new FakeCall(version);
  produce(call, one, floor);
  return call;
}

function answer(which: number, error: number, base = -1, time = -1, start = -1, fault = 0, record = -1): void {
  const [{ operation, part }] = floor.asked.splice(which, 1) as [Asked];
  floor.operations.get(operation)?.appended?.(part, error, base, time, start, fault, record);
}

interface Responses {
  readonly responses: {
    readonly name: string;
    readonly topicId: string;
    readonly partitionResponses: { readonly index: number; readonly errorCode: number; readonly baseOffset: number }[];
  }[];
}

function errors(call: FakeCall): unknown[] {
  expect(call.end).toBe('answered');
  return (call.body as Responses).responses.map(({ name, partitionResponses }) => [
    name,
    partitionResponses.map(({ index, errorCode, baseOffset }) => [index, errorCode, baseOffset]),
  ]);
}

describe('produce', () => {
  test('asks each owner for its part and answers in the order of the request when all have answered', () => {
    const call = ask(
      request([
        ['a', [1, 0]],
        ['b', [0]],
      ]),
    );
    expect(floor.asked.map(({ slot, offset, length, flags }) => [slot, offset, length, flags])).toEqual([
      [1, 100, 51, 0],
      [0, 0, 50, 0],
      [2, 1_000, 50, 0],
    ]);
    expect(floor.payloads.size, 'its bytes stay while owners use them').toBe(1);
    answer(2, ERROR.NONE, 30, 5, 1);
    answer(0, ERROR.NONE, 10);
    expect(call.end).toBe('');
    answer(0, ERROR.CORRUPT_MESSAGE);
    expect(errors(call)).toEqual([
      [
        'a',
        [
          [1, ERROR.NONE, 10],
          [0, ERROR.CORRUPT_MESSAGE, -1],
        ],
      ],
      ['b', [[0, ERROR.NONE, 30]]],
    ]);
    expect((call.body as Responses).responses[1]?.partitionResponses[0]).toEqual({
      index: 0,
      errorCode: 0,
      baseOffset: 30,
      logAppendTimeMs: 5,
      logStartOffset: 1,
      recordErrors: [],
      errorMessage: null,
    });
    floor.expectRest();
  });

  test('acks=all is told to the owners', () => {
    ask(request([['a', [0]]], { acks: -1 }));
    expect(floor.asked[0]?.flags).toBe(1);
  });

  test('refuses what nobody owns or nothing is in, and lets the rest through', () => {
    const one = request([
      ['a', [0, 1, 2, -1]],
      ['c', [0]],
    ]);
    const parts = one.topicData[0]?.partitionData as { index: number; records: unknown }[];
    const call = ask({
      ...one,
      topicData: [
        {
          ...(one.topicData[0] as Request['topicData'][0]),
          partitionData: [{ index: 0, records: null }, ...parts.slice(1)] as never,
        },
        ...one.topicData.slice(1),
        { name: 'b', topicId: ZERO_UUID, partitionData: [{ index: 0, records: { offset: 1, length: 0 } }] },
      ],
    });
    expect(floor.asked.length).toBe(1);
    answer(0, ERROR.NONE, 4);
    expect(errors(call)).toEqual([
      [
        'a',
        [
          [0, ERROR.INVALID_RECORD, -1],
          [1, ERROR.NONE, 4],
          [2, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1],
          [-1, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1],
        ],
      ],
      ['c', [[0, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1]]],
      ['b', [[0, ERROR.INVALID_RECORD, -1]]],
    ]);
    floor.expectRest();
  });

  test.each([
    [{ acks: 2 }, ERROR.INVALID_REQUIRED_ACKS],
    [{ acks: -2 }, ERROR.INVALID_REQUIRED_ACKS],
    [{ transactionalId: 't' }, ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED],
  ])('refuses all of it at once: %j', (more, error) => {
    const call = ask(request([['a', [0, 1]]], more));
    expect(floor.asked).toEqual([]);
    expect(errors(call)).toEqual([
      [
        'a',
        [
          [0, error, -1],
          [1, error, -1],
        ],
      ],
    ]);
    floor.expectRest();
  });

  test('by id from version 13', () => {
    const call = ask(
      request(
        [
          ['a', [0, 5]],
          ['c', [0]],
        ],
        {},
        true,
      ),
      13,
    );
    expect(floor.asked.map(({ slot }) => slot)).toEqual([0]);
    answer(0, ERROR.NONE, 1);
    expect(errors(call)).toEqual([
      [
        '',
        [
          [0, ERROR.NONE, 1],
          [5, ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1],
        ],
      ],
      ['', [[0, ERROR.UNKNOWN_TOPIC_ID, -1]]],
    ]);
    expect((call.body as Responses).responses.map(({ topicId }) => topicId)).toEqual([
      'a'.padEnd(16, '#'),
      'c'.padEnd(16, '#'),
    ]);
  });

  test('acks=0 is silent, and hangs up when anything failed', () => {
    const silent = ask(request([['a', [0]]], { acks: 0 }));
    answer(0, ERROR.NONE, 1);
    expect(silent.end).toBe('silent');
    const failed = ask(request([['a', [0, 1]]], { acks: 0 }));
    answer(1, ERROR.NONE, 1);
    answer(0, ERROR.CORRUPT_MESSAGE);
    expect(failed.end).toBe('closed');
    expect(ask(request([['c', [0]]], { acks: 0 })).end).toBe('closed');
    floor.expectRest();
  });

  test('names the record that a batch was refused for, and says why', () => {
    const call = ask(request([['a', [0, 1]]]));
    answer(1, ERROR.INVALID_TIMESTAMP, -1, -1, 0, RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE, -1);
    answer(0, ERROR.INVALID_RECORD, -1, -1, 0, RECORD_FAULT.NO_KEY, 4);
    expect((call.body as Responses).responses[0]?.partitionResponses).toMatchObject([
      {
        errorCode: ERROR.INVALID_RECORD,
        errorMessage: expect.stringMatching(/key/),
        recordErrors: [{ batchIndex: 4 }],
      },
      { errorCode: ERROR.INVALID_TIMESTAMP, errorMessage: expect.stringMatching(/timestamp/), recordErrors: [] },
    ]);
    floor.expectRest();
  });

  test('tells the owners of versions that are older than zstd', () => {
    ask(request([['a', [0]]], { acks: 1 }), 6);
    ask(request([['a', [0]]], { acks: -1 }), 7);
    expect(floor.asked.map(({ flags }) => flags)).toEqual([FLAG_NO_ZSTD, FLAG_ACKS_ALL]);
  });

  test('nothing to do is done at once', () => {
    expect(errors(ask(request([])))).toEqual([]);
    floor.expectRest();
  });
});
