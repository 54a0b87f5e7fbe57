/** The partitions that a fetch request names, and what it changes in those of its session. */
import { ZERO_UUID } from '../base/uuid.ts';
import { type FetchedPartition, type FetchSession, partitionKey } from '../replica/fetch-session.ts';
import type { Fetch } from '../wire/messages/fetch.ts';
import type { RequestOf } from '../wire/schema.ts';

type Request = RequestOf<typeof Fetch>;

/** What the last answer said of a partition, when there was none. */
export const NOTHING_SENT = -2;

function fetchedPartition(
  topic: Request['topics'][number],
  partition: Request['topics'][number]['partitions'][number],
  byId: boolean,
): FetchedPartition {
  const topicId = byId ? topic.topicId : ZERO_UUID;
  const name = byId ? '' : topic.topic;
  return {
    key: partitionKey(name, topicId, partition.partition, byId),
    topic: name,
    topicId,
    partition: partition.partition,
    fetchOffset: partition.fetchOffset,
    bytesMax: partition.partitionMaxBytes,
    leaderEpoch: partition.currentLeaderEpoch,
    sentHighWatermark: NOTHING_SENT,
    sentLogStart: NOTHING_SENT,
  };
}

function* requested(request: Request, byId: boolean): Generator<FetchedPartition> {
  for (const topic of request.topics) {
    for (const partition of topic.partitions) yield fetchedPartition(topic, partition, byId);
  }
}

/** Each once: of a partition that is named again, what was said last counts. */
export function requestedOnce(request: Request, byId: boolean): Iterable<FetchedPartition> {
  const named = new Map<string, FetchedPartition>();
  for (const fetched of requested(request, byId)) named.set(fetched.key, fetched);
  return named.values();
}

export function updateSession(session: FetchSession, request: Request, byId: boolean): void {
  for (const next of requested(request, byId)) {
    const known = session.partitions.get(next.key);
    if (known === undefined) session.partitions.set(next.key, next);
    else {
      known.fetchOffset = next.fetchOffset;
      known.bytesMax = next.bytesMax;
      known.leaderEpoch = next.leaderEpoch;
    }
  }
  for (const topic of request.forgottenTopicsData) {
    for (const partition of topic.partitions) {
      const id = byId ? topic.topicId : ZERO_UUID;
      session.partitions.delete(partitionKey(byId ? '' : topic.topic, id, partition, byId));
    }
  }
}
