/** Partitions that a member owns or is to give up, each with the member epoch at which it was assigned. Never changed in place. */
import type { Uuid } from '../../../base/uuid.ts';
import type { OwnedTopicPartitions, TopicPartitions } from '../consumer-records.ts';

export type OwnedPartitions = ReadonlyMap<Uuid, ReadonlyMap<number, number>>;

export const NOTHING: OwnedPartitions = new Map();

/** `epoch` stands for what an older record does not say. */
export function ownedOf(records: readonly OwnedTopicPartitions[], epoch: number): OwnedPartitions {
  return new Map(
    records.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((partition, at) => [partition, assignmentEpochs?.[at] ?? epoch])),
    ]),
  );
}

export function recordsOf(owned: OwnedPartitions): OwnedTopicPartitions[] {
  return Array.from(owned, ([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()],
    assignmentEpochs: [...epochs.values()],
  }));
}

/** In the shape of requests and answers. */
export function topicPartitionsOf(owned: OwnedPartitions): { topicId: Uuid; partitions: number[] }[] {
  return Array.from(owned, ([topicId, epochs]) => ({ topicId, partitions: [...epochs.keys()] }));
}

/** Whether some of the partitions are among those that the client says it owns. */
export function ownsAny(said: readonly TopicPartitions[], owned: OwnedPartitions): boolean {
  return said.some(({ topicId, partitions }) => {
    const epochs = owned.get(topicId);
    return epochs !== undefined && partitions.some((partition) => epochs.has(partition));
  });
}

/** Whether the client says that it owns nothing but what it was given. */
export function ownsOnly(said: readonly TopicPartitions[], owned: OwnedPartitions): boolean {
  return said.every(({ topicId, partitions }) => {
    const epochs = owned.get(topicId);
    return partitions.every((partition) => epochs?.has(partition));
  });
}

/** The partitions, whatever their epochs. */
export function isSameOwned(left: OwnedPartitions, right: OwnedPartitions): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, epochs] of left) {
    const others = right.get(topicId);
    if (others?.size !== epochs.size) return false;
    for (const partition of epochs.keys()) if (!others.has(partition)) return false;
  }
  return true;
}
