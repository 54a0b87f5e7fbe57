/** DescribeTopicPartitions: pages of partitions by topic name, and where the next page begins. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { createTopic } from '../kit/requests.ts';
import { describePartitions } from '../kit/topics.ts';

const OPERATIONS = 3576;
const NOT_ASKED = -0x80000000;
const home = new BrokerHome(ONE_THREAD, { settings: { 'max.request.partition.size.limit': '6' } });
let client: RawClient;

beforeAll(async () => {
  await home.start();
  client = await home.connect();
  for (const [name, partitions] of [
    ['a', 2],
    ['c', 3],
    ['__consumer_offsets', 1],
    ['Z', 1],
  ] as const)
    await createTopic(client, { name, partitions });
});

afterAll(() => home.end());

/** Error, name and partitions of each topic, and the cursor. */
async function page(names: readonly string[], limit: number, cursor: [string, number] | null = null) {
  const wanted = cursor === null ? null : { topicName: cursor[0], partitionIndex: cursor[1] };
  const { topics, nextCursor } = await describePartitions(client, names, { limit, cursor: wanted });
  return [
    ...topics.map(({ errorCode, name, partitions }) => [
      errorCode,
      name,
      ...partitions.map((one) => one.partitionIndex),
    ]),
    nextCursor === null ? null : `${nextCursor.topicName} ${nextCursor.partitionIndex}`,
  ];
}

const UNKNOWN = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
const INVALID = ERROR.INVALID_REQUEST;

test('topics come sorted and once, with leaders, replicas and what may be done', async () => {
  const { topics, nextCursor } = await describePartitions(client, ['c', 'a', 'a']);
  expect(nextCursor).toBeNull();
  expect(topics).toMatchObject([
    { name: 'a', isInternal: false, topicAuthorizedOperations: OPERATIONS },
    { name: 'c', isInternal: false, topicAuthorizedOperations: OPERATIONS },
  ]);
  const partition = { errorCode: ERROR.NONE, leaderId: 0, leaderEpoch: 0, replicaNodes: [0], isrNodes: [0] };
  const rest = { eligibleLeaderReplicas: [], lastKnownElr: [], offlineReplicas: [] };
  expect(topics[0]?.partitions).toEqual([
    { ...partition, partitionIndex: 0, ...rest },
    { ...partition, partitionIndex: 1, ...rest },
  ]);
  expect((await describePartitions(client, ['__consumer_offsets'])).topics).toMatchObject([{ isInternal: true }]);
});

test('a page ends at its limit, and the cursor names the first partition that is left', async () => {
  expect(await page(['c', 'a'], 1)).toEqual([[0, 'a', 0], 'a 1']);
  expect(await page(['c', 'a'], 2)).toEqual([[0, 'a', 0, 1], 'c 0']);
  expect(await page(['c', 'a'], 3)).toEqual([[0, 'a', 0, 1], [0, 'c', 0], 'c 1']);
  expect(await page(['c', 'a'], 5)).toEqual([[0, 'a', 0, 1], [0, 'c', 0, 1, 2], null]);
  expect(await page(['c', 'a'], 0)).toEqual([[0, 'a', 0], 'a 1']);
  expect(await page(['c', 'a'], -1)).toEqual([[0, 'a', 0], 'a 1']);
  expect(await page(['c', 'a', 'd'], 5)).toEqual([[0, 'a', 0, 1], [0, 'c', 0, 1, 2], 'd 0']);
  // The broker's own limit counts, too.
  expect(await page([], 2_000)).toEqual([
    [0, 'Z', 0],
    [0, '__consumer_offsets', 0],
    [0, 'a', 0, 1],
    [0, 'c', 0, 1],
    'c 2',
  ]);
});

test('the next page begins at the cursor, also when its topic has gone', async () => {
  expect(await page(['c', 'a'], 2, ['a', 1])).toEqual([[0, 'a', 1], [0, 'c', 0], 'c 1']);
  expect(await page(['c', 'a'], 5, ['c', 1])).toEqual([[0, 'c', 1, 2], null]);
  expect(await page(['c', 'a'], 1, ['a', 2])).toEqual([[0, 'a'], [0, 'c', 0], 'c 1']);
  expect(await page(['c', 'a'], 5, ['c', 99])).toEqual([[0, 'c'], null]);
  expect(await page([], 2, ['b', 7])).toEqual([[0, 'c', 0, 1], 'c 2']);
  expect(await page(['c', 'a', 'b'], 2, ['b', 7])).toEqual([[UNKNOWN, 'b'], [0, 'c', 0, 1], 'c 2']);
});

test('every partition is seen once, whatever the size of the page', async () => {
  for (const limit of [1, 2, 3, 4]) {
    const seen: string[] = [];
    let cursor: [string, number] | null = null;
    do {
      const answer = await page([], limit, cursor);
      const next = answer.pop() as string | null;
      for (const [, name, ...partitions] of answer as [number, string, ...number[]][])
        for (const index of partitions) seen.push(`${name} ${index}`);
      const [name, index] = (next ?? '').split(' ');
      cursor = next === null ? null : [name as string, Number(index)];
    } while (cursor !== null);
    expect(seen).toEqual(['Z 0', '__consumer_offsets 0', 'a 0', 'a 1', 'c 0', 'c 1', 'c 2']);
  }
});

test('unknown and impossible names, cursors that fit nothing', async () => {
  expect(await page(['x', 'bad name', 'a'], 9)).toEqual([
    [0, 'a', 0, 1],
    [ERROR.INVALID_TOPIC_EXCEPTION, 'bad name'],
    [UNKNOWN, 'x'],
    null,
  ]);
  expect(await page(['c', 'a'], 9, ['a', -1])).toEqual([[INVALID, 'c'], [INVALID, 'a'], null]);
  expect(await page(['c'], 9, ['a', 0])).toEqual([[INVALID, 'c'], null]);
  expect(await page([], 9, ['a', -1])).toEqual([null]);
  const refused = await describePartitions(client, ['c'], { cursor: { topicName: 'a', partitionIndex: 0 } });
  expect(refused.topics[0]?.topicAuthorizedOperations).toBe(NOT_ASKED);
});
