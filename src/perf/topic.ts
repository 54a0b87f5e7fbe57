/** The topic under load: made when asked, and where the leader of each of its partitions is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ZERO_UUID } from '../base/uuid.ts';
import { ERROR, errorName, isRetriable } from '../wire/errors.ts';
import { CreateTopics } from '../wire/messages/create-topics.ts';
import { LIST_OFFSETS_TIMESTAMP, ListOffsets } from '../wire/messages/list-offsets.ts';
import { Metadata } from '../wire/messages/metadata.ts';
import { type Address, Connection } from './connection.ts';
import { EXIT_CONNECTION, EXIT_REFUSED, PerfProblem } from './problem.ts';

/** How long a new topic may take to have leaders. */
const READY_MS = 30_000;
const RETRY_MS = 50;
const CREATE_TIMEOUT_MS = 30_000;
/** Says that the broker chooses, from version 4 of CreateTopics on. */
const BROKERS_CHOICE = -1;

export interface LedPartition {
  readonly partition: number;
  readonly leader: Address;
}

export interface Creation {
  readonly partitions: number | null;
}

/** The first of these that answers. */
export async function openFirst(addresses: readonly Address[]): Promise<Connection> {
  const problems: string[] = [];
  for (const address of addresses) {
    try {
      return await Connection.open(address);
    } catch (problem) {
      if (!(problem instanceof PerfProblem)) throw problem;
      problems.push(problem.message);
    }
  }
  throw new PerfProblem(EXIT_CONNECTION, problems.join('\n'));
}

/** One that exists already is left as it is. */
export async function createTopic(connection: Connection, topic: string, creation: Creation): Promise<void> {
  const version = connection.version(CreateTopics);
  const wanted = {
    name: topic,
    numPartitions: creation.partitions ?? (version < 4 ? 1 : BROKERS_CHOICE),
    replicationFactor: version < 4 ? 1 : BROKERS_CHOICE,
    assignments: [],
    configs: [],
  };
  const { topics } = await connection.call(CreateTopics, version, {
    topics: [wanted],
    timeoutMs: CREATE_TIMEOUT_MS,
    validateOnly: false,
  });
  const { errorCode = ERROR.UNKNOWN_SERVER_ERROR, errorMessage } = topics[0] ?? {};
  if (errorCode === ERROR.NONE || errorCode === ERROR.TOPIC_ALREADY_EXISTS) return;
  throw new PerfProblem(
    EXIT_REFUSED,
    `The topic ${topic} was not created: ${errorName(errorCode)}${errorMessage ? `, ${errorMessage}` : ''}.`,
  );
}

/** All partitions with their leaders, in order; waits for those that have none yet. */
export async function leadersOf(connection: Connection, topic: string, isNew: boolean): Promise<LedPartition[]> {
  const version = connection.version(Metadata, 12);
  const untilMs = performance.now() + READY_MS;
  for (;;) {
    const answer = await connection.call(Metadata, version, {
      topics: [{ topicId: ZERO_UUID, name: topic }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    const found = answer.topics[0];
    const error = found?.errorCode ?? ERROR.UNKNOWN_TOPIC_OR_PARTITION;
    if (error === ERROR.UNKNOWN_TOPIC_OR_PARTITION && !isNew) {
      throw new PerfProblem(EXIT_REFUSED, `There is no topic ${topic}: --create makes it.`);
    }
    const brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const led = (found?.partitions ?? []).flatMap(({ partitionIndex, leaderId }) => {
      const leader = brokers.get(leaderId);
      return leader === undefined ? [] : [{ partition: partitionIndex, leader }];
    });
    if (error === ERROR.NONE && led.length > 0 && led.length === found?.partitions.length)
      return led.sort((a, b) => a.partition - b.partition);
    if (error !== ERROR.NONE && !isRetriable(error))
      throw new PerfProblem(EXIT_REFUSED, `The topic ${topic} cannot be used: ${errorName(error)}.`);
    if (performance.now() > untilMs) {
      const why = error === ERROR.NONE ? 'some of its partitions have no leader' : errorName(error);
      throw new PerfProblem(EXIT_REFUSED, `The topic ${topic} is not ready after ${READY_MS / 1000} s: ${why}.`);
    }
    await sleep(RETRY_MS);
  }
}

/** The first or the end offset of each partition, in the order given; the connection's broker leads them all. */
export async function offsetsOf(
  connection: Connection,
  topic: string,
  partitions: readonly number[],
  place: 'EARLIEST' | 'LATEST',
): Promise<number[]> {
  const answer = await connection.call(ListOffsets, connection.version(ListOffsets), {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: topic,
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          currentLeaderEpoch: -1,
          timestamp: LIST_OFFSETS_TIMESTAMP[place],
        })),
      },
    ],
    timeoutMs: CREATE_TIMEOUT_MS,
  });
  const offsets = new Map<number, number>();
  for (const { partitionIndex, errorCode, offset } of answer.topics[0]?.partitions ?? []) {
    if (errorCode !== ERROR.NONE)
      throw new PerfProblem(EXIT_REFUSED, `Offsets of ${topic}-${partitionIndex}: ${errorName(errorCode)}.`);
    offsets.set(partitionIndex, offset);
  }
  return partitions.map((partition) => {
    const offset = offsets.get(partition);
    if (offset === undefined) throw new PerfProblem(EXIT_REFUSED, `No offset came for ${topic}-${partition}.`);
    return offset;
  });
}
