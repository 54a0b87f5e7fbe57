/** Topics of any number of partitions, on whatever broker a client is connected to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { CreatePartitions } from '../../src/wire/messages/create-partitions.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { LIST_OFFSETS_TIMESTAMP, ListOffsets } from '../../src/wire/messages/list-offsets.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { RawClient } from '../../test/kit/client.ts';

const POLL_MS = 20;
/** So many times as long as an answer took. */
const POLL_SHARE = 10;

/** However long many partitions take. */
const TIMEOUT_MS = 600_000;

interface Outcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

function expectDone(what: string, outcome: Outcome | undefined): void {
  if (outcome?.errorCode !== 0)
    throw new Error(`${what}: ${outcome?.errorCode ?? 'no answer'} ${outcome?.errorMessage ?? ''}`.trim());
}

/** Kafka takes fewer than 10,000 partitions in one request: with `atOnce` the topic grows to its size by so many at a time. */
export async function createTopic(
  client: RawClient,
  name: string,
  partitions: number,
  atOnce = partitions,
  progress: (line: string) => void = () => {},
): Promise<void> {
  const numPartitions = Math.min(atOnce, partitions);
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] };
  const created = await client.call(CreateTopics, 7, { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false });
  expectDone(`create ${name}`, created.topics[0]);
  for (let count = numPartitions; count < partitions; ) {
    count = Math.min(count + atOnce, partitions);
    const grown = { name, count, assignments: null };
    const { results } = await client.call(CreatePartitions, 3, {
      topics: [grown],
      timeoutMs: TIMEOUT_MS,
      validateOnly: false,
    });
    expectDone(`grow ${name} to ${count} partitions`, results[0]);
    progress(`${name}: ${count} of ${partitions} partitions`);
  }
}

/** Until each of its partitions takes requests: a broker may tell of a leader before it knows that it is the one. */
async function untilLed(
  client: RawClient,
  name: string,
  partitions: number,
  progress: (line: string) => void,
): Promise<void> {
  for (const untilMs = performance.now() + TIMEOUT_MS; ; ) {
    const askedMs = performance.now();
    const led = await ledPartitions(client, name);
    if (led === partitions) return;
    const line = `${name}: ${led} of ${partitions} partitions are led`;
    if (performance.now() > untilMs) throw new Error(line);
    progress(line);
    // Asking about thousands keeps the broker from making them.
    await sleep(Math.max(POLL_MS, (performance.now() - askedMs) * POLL_SHARE));
  }
}

async function ledPartitions(client: RawClient, name: string): Promise<number> {
  const told = await client.call(Metadata, 12, {
    topics: [{ topicId: ZERO_UUID, name }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
  const partitions = (told.topics[0]?.partitions ?? []).map(({ partitionIndex }) => ({
    partitionIndex,
    currentLeaderEpoch: -1,
    timestamp: LIST_OFFSETS_TIMESTAMP.LATEST,
  }));
  const topics = [{ name, partitions }];
  const listed = await client.call(ListOffsets, 7, { replicaId: -1, isolationLevel: 0, topics, timeoutMs: TIMEOUT_MS });
  return listed.topics[0]?.partitions.filter(({ errorCode }) => errorCode === 0).length ?? 0;
}

/** A topic that may be used at once. */
export async function makeTopic(
  port: number,
  name: string,
  partitions = 1,
  atOnce = partitions,
  progress: (line: string) => void = () => {},
): Promise<void> {
  const client = await RawClient.connect(port);
  await createTopic(client, name, partitions, atOnce, progress);
  await untilLed(client, name, partitions, progress);
  await client.close();
}
