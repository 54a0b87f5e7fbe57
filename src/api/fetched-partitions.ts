/** The partitions that a fetch request names, and what it changes in those of its session. */
import { ZERO_UUID } from '../base/uuid.ts';
import { type FetchedPartition, type FetchSession, NOTHING_SENT, partitionKey } from '../replica/fetch-session.ts';
import type { Fetch } from '../wire/messages/fetch.ts';
import type { RequestOf } from '../wire/schema.ts';

type Request = RequestOf<typeof Fetch>;

function requested(request: Request, byId: boolean): FetchedPartition[] {
  const all: FetchedPartition[] = [];
  for (const topic of request.topics) {
    const topicId = byId ? topic.topicId : ZERO_UUID;
    const name = byId ? '' : topic.topic;
    for (const { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch } of topic.partitions)
      all.push({
        topic: name,
        topicId,
        partition,
        fetchOffset,
        bytesMax: partitionMaxBytes,
        leaderEpoch: currentLeaderEpoch,
        sentHighWatermark: NOTHING_SENT,
        sentLogStart: NOTHING_SENT,
      });
  }
  return all;
}

function keyOf({ topic, topicId, partition }: FetchedPartition): string {
  return partitionKey(topic, topicId, partition);
}

/** Each once: of a partition that is named again, what was said last counts. */
export function requestedOnce(request: Request, byId: boolean): FetchedPartition[] {
  const all = requested(request, byId);
  // Most fetches without a session name one partition, and need no keys.
  if (all.length <= 1) return all;
  return Array.from(new Map(all.map((fetched) => [keyOf(fetched), fetched])).values());
}

export function updateSession(session: FetchSession, request: Request, byId: boolean): void {
  for (const next of requested(request, byId)) {
    const key = keyOf(next);
    const known = session.partitions.get(key);
    if (known === undefined) session.partitions.set(key, next);
    else {
      known.fetchOffset = next.fetchOffset;
      known.bytesMax = next.bytesMax;
      known.leaderEpoch = next.leaderEpoch;
    }
  }
  for (const topic of request.forgottenTopicsData) {
    for (const partition of topic.partitions) {
      const id = byId ? topic.topicId : ZERO_UUID;
      session.partitions.delete(partitionKey(byId ? '' : topic.topic, id, partition));
    }
  }
}
