/** DescribeProducers: what owners remember, and a sentence where there is nothing to remember. */
import { expect, test } from 'vitest';
import type { ControllerDesk, RememberedProducers } from '../../src/api/controller-desk.ts';
import { describeProducers } from '../../src/api/describe-producers.ts';
import { ERROR } from '../../src/wire/errors.ts';

const producer = {
  producerId: 7,
  producerEpoch: 2,
  lastSequence: 11,
  lastTimestamp: 1_000,
  coordinatorEpoch: -1,
  currentTxnStartOffset: -1,
};

function desk(known: Record<string, readonly (RememberedProducers | null)[]>): ControllerDesk {
  const producersOf = async (topic: string, partitions: readonly number[]) =>
    partitions.map((index) => known[topic]?.[index] ?? null);
  return { producersOf } as unknown as ControllerDesk;
}

test('each partition once, as its owner says, in the order of the request', async () => {
  const known = desk({
    a: [
      { errorCode: ERROR.NONE, producers: [producer] },
      { errorCode: ERROR.KAFKA_STORAGE_ERROR, producers: [] },
    ],
  });
  const { topics } = await describeProducers({ topics: [{ name: 'a', partitionIndexes: [1, 0, 1] }] }, known);
  const failed = { errorCode: ERROR.KAFKA_STORAGE_ERROR, errorMessage: expect.any(String), activeProducers: [] };
  expect(topics).toEqual([
    {
      name: 'a',
      partitions: [
        { partitionIndex: 1, ...failed },
        { partitionIndex: 0, errorCode: ERROR.NONE, errorMessage: null, activeProducers: [producer] },
      ],
    },
  ]);
});

test.each([
  ['nowhere', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
  ['a b', ERROR.INVALID_TOPIC_EXCEPTION],
])('%s is refused with a sentence', async (name, errorCode) => {
  const { topics } = await describeProducers({ topics: [{ name, partitionIndexes: [0] }] }, desk({}));
  const partition = { partitionIndex: 0, errorCode, errorMessage: expect.stringMatching(/\.$/), activeProducers: [] };
  expect(topics).toEqual([{ name, partitions: [partition] }]);
});
