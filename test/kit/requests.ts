/** The requests that most tests send, in few words: create a topic, produce to and fetch from one partition. */
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { InitProducerId } from '../../src/wire/messages/init-producer-id.ts';
import { ListOffsets } from '../../src/wire/messages/list-offsets.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import type { RequestInput, ResponseOf } from '../../src/wire/schema.ts';
import type { Answer, RawClient } from './client.ts';
import { type ReadBatch, readBatches } from './records.ts';

export const PRODUCE_VERSION = 9;
export const FETCH_VERSION = 12;
export const BYTES_MAX = 52_428_800;

let topics = 0;

/** A name that no other test of this process uses. */
export function freshTopic(about = 'topic'): string {
  topics += 1;
  return `${about}-${topics}`;
}

export async function createTopic(
  client: RawClient,
  options: { name?: string; partitions?: number; configs?: Record<string, string> } = {},
): Promise<{ name: string; id: string }> {
  const { name = freshTopic(), partitions = 1, configs = {} } = options;
  const answer = await client.call(CreateTopics, 7, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 10_000,
    validateOnly: false,
  });
  const topic = answer.topics[0];
  if (topic === undefined || topic.errorCode !== 0)
    throw new Error(`create ${name}: ${topic?.errorCode} ${topic?.errorMessage}`);
  return { name, id: topic.topicId };
}

export function produceRequest(
  topic: string,
  records: Uint8Array | null,
  options: { partition?: number; acks?: number; topicId?: string } = {},
): RequestInput<typeof Produce> {
  const { partition = 0, acks = -1, topicId = ZERO_UUID } = options;
  const partitionData = [{ index: partition, records }];
  return { transactionalId: null, acks, timeoutMs: 10_000, topicData: [{ name: topic, topicId, partitionData }] };
}

export type Produced = ResponseOf<typeof Produce>['responses'][number]['partitionResponses'][number];

/** The answer of the only partition. */
export function producedOf(body: ResponseOf<typeof Produce>): Produced {
  return body.responses[0]?.partitionResponses[0] as Produced;
}

export async function produce(
  client: RawClient,
  topic: string,
  records: Uint8Array | null,
  options: { partition?: number; acks?: number; version?: number; topicId?: string } = {},
): Promise<Produced> {
  return producedOf(
    await client.call(Produce, options.version ?? PRODUCE_VERSION, produceRequest(topic, records, options)),
  );
}

export interface FetchOptions {
  readonly partition?: number;
  /** Several in one request, in place of the one. */
  readonly partitions?: readonly number[];
  readonly offset?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly minBytes?: number;
  readonly maxWaitMs?: number;
  readonly leaderEpoch?: number;
  readonly isolationLevel?: number;
  readonly topicId?: string;
}

export function fetchRequest(topic: string, options: FetchOptions = {}): RequestInput<typeof Fetch> {
  return {
    replicaId: -1,
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 0,
    maxBytes: options.maxBytes ?? BYTES_MAX,
    isolationLevel: options.isolationLevel ?? 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic,
        topicId: options.topicId ?? ZERO_UUID,
        partitions: (options.partitions ?? [options.partition ?? 0]).map((partition) => ({
          partition,
          currentLeaderEpoch: options.leaderEpoch ?? -1,
          fetchOffset: options.offset ?? 0,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: options.partitionMaxBytes ?? BYTES_MAX,
        })),
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  };
}

export interface Fetched {
  readonly partition: number;
  readonly topic: string;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly bytes: number;
  readonly batches: readonly ReadBatch[];
}

/** All partitions of an answer, their batches read. */
export function fetchedOf({ body, memory }: Answer<ResponseOf<typeof Fetch>>): Fetched[] {
  return body.responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, highWatermark, logStartOffset, records }) => ({
      partition: partitionIndex,
      topic,
      errorCode,
      highWatermark,
      logStartOffset,
      bytes: records?.length ?? 0,
      batches: records === null ? [] : readBatches(memory, records.offset, records.length),
    })),
  );
}

export async function fetch(
  client: RawClient,
  topic: string,
  options: FetchOptions & { version?: number } = {},
): Promise<Fetched> {
  const version = options.version ?? FETCH_VERSION;
  return fetchedOf(await client.ask(Fetch, version, fetchRequest(topic, options)))[0] as Fetched;
}

/** The record bytes of the answer's only partition, as they came. */
export async function fetchBytes(client: RawClient, topic: string, options: FetchOptions = {}): Promise<Uint8Array> {
  const { body, memory } = await client.ask(Fetch, FETCH_VERSION, fetchRequest(topic, options));
  const partition = body.responses[0]?.partitions[0];
  if (partition?.errorCode !== 0) throw new Error(`fetch: error ${partition?.errorCode}`);
  const { records } = partition;
  return records === null ? new Uint8Array(0) : memory.bytes.slice(records.offset, records.offset + records.length);
}

/** All batches from `offset` to the end, by as many fetches as it takes. */
export async function readAll(client: RawClient, topic: string, options: FetchOptions = {}): Promise<ReadBatch[]> {
  const batches: ReadBatch[] = [];
  for (let offset = options.offset ?? 0; ; ) {
    const got = await fetch(client, topic, { ...options, offset });
    if (got.errorCode !== 0) throw new Error(`fetch at ${offset}: error ${got.errorCode}`);
    const last = got.batches.at(-1);
    if (last === undefined) return batches;
    batches.push(...got.batches);
    offset = last.lastOffset + 1;
  }
}

export interface Listed {
  readonly errorCode: number;
  readonly timestamp: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}

export async function listOffset(
  client: RawClient,
  topic: string,
  timestamp: number,
  options: { partition?: number; version?: number; leaderEpoch?: number } = {},
): Promise<Listed> {
  const { partition = 0, version = 11, leaderEpoch = -1 } = options;
  const body = await client.call(ListOffsets, version, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp }] }],
    timeoutMs: 5_000,
  });
  return body.topics[0]?.partitions[0] as Listed;
}

export async function initProducer(client: RawClient): Promise<{ producerId: number; producerEpoch: number }> {
  const body = await client.call(InitProducerId, 4, {
    transactionalId: null,
    transactionTimeoutMs: 0,
    producerId: -1,
    producerEpoch: -1,
  });
  if (body.errorCode !== 0) throw new Error(`InitProducerId: error ${body.errorCode}`);
  return { producerId: body.producerId, producerEpoch: body.producerEpoch };
}

/** Topics by name, or all of them. */
export function metadata(
  client: RawClient,
  names: readonly string[] | null,
  options: { version?: number; autoCreate?: boolean } = {},
): Promise<ResponseOf<typeof Metadata>> {
  const { version = 12, autoCreate = false } = options;
  return client.call(Metadata, version, {
    topics: names === null ? null : names.map((name) => ({ topicId: ZERO_UUID, name })),
    // Before it could be said, it was meant.
    allowAutoTopicCreation: version < 4 || autoCreate,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
}

/** Every error code in an answer, wherever it stands. */
export function errorCodesOf(value: unknown): number[] {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'errorCode' ? [inner as number] : errorCodesOf(inner),
  );
}
