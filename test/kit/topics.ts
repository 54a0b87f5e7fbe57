/** The requests that manage topics, in few words. */
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { CreatePartitions } from '../../src/wire/messages/create-partitions.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { DeleteTopics } from '../../src/wire/messages/delete-topics.ts';
import { DescribeTopicPartitions } from '../../src/wire/messages/describe-topic-partitions.ts';
import type { RequestInput, ResponseOf } from '../../src/wire/schema.ts';
import type { RawClient } from './client.ts';

type NewTopic = RequestInput<typeof CreateTopics>['topics'][number];
type Grown = RequestInput<typeof CreatePartitions>['topics'][number];

export function newTopic(name: string, more: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...more };
}

export async function createTopics(
  client: RawClient,
  topics: readonly NewTopic[],
  validateOnly = false,
): Promise<ResponseOf<typeof CreateTopics>['topics']> {
  return (await client.call(CreateTopics, 7, { topics: topics.slice(), timeoutMs: 10_000, validateOnly })).topics;
}

export type Deleted = ResponseOf<typeof DeleteTopics>['responses'];

export async function deleteByName(client: RawClient, names: readonly string[], version = 6): Promise<Deleted> {
  const topics = version >= 6 ? names.map((name) => ({ name, topicId: ZERO_UUID })) : [];
  const topicNames = version >= 6 ? [] : names.slice();
  return (await client.call(DeleteTopics, version, { topics, topicNames, timeoutMs: 10_000 })).responses;
}

export async function deleteById(client: RawClient, ids: readonly string[]): Promise<Deleted> {
  const topics = ids.map((topicId) => ({ name: null, topicId }));
  return (await client.call(DeleteTopics, 6, { topics, topicNames: [], timeoutMs: 10_000 })).responses;
}

/** Errors by topic. */
export async function grow(
  client: RawClient,
  topics: readonly (Pick<Grown, 'name' | 'count'> & Partial<Grown>)[],
  options: { version?: number; validateOnly?: boolean } = {},
): Promise<[name: string, error: number][]> {
  const { version = 3, validateOnly = false } = options;
  const wanted = topics.map((topic) => ({ assignments: null, ...topic }));
  const body = await client.call(CreatePartitions, version, { topics: wanted, timeoutMs: 10_000, validateOnly });
  return body.results.map(({ name, errorCode }) => [name, errorCode]);
}

export async function describePartitions(
  client: RawClient,
  names: readonly string[],
  options: { limit?: number; cursor?: RequestInput<typeof DescribeTopicPartitions>['cursor'] } = {},
): Promise<ResponseOf<typeof DescribeTopicPartitions>> {
  const { limit = 2_000, cursor = null } = options;
  return client.call(DescribeTopicPartitions, 0, {
    topics: names.map((name) => ({ name })),
    responsePartitionLimit: limit,
    cursor,
  });
}
