/** Partitions by the names of their topics, as the classic protocol has them, and by topic ids, as this protocol does. */
import type { Uuid } from '../../../base/uuid.ts';
import type { MemberAssignment } from '../assignors/assignor.ts';
import type { NamedPartitions } from '../consumer-protocol.ts';
import type { TopicCatalogue, Topics } from '../topics.ts';

/** Of the partitions that there are, each once, whatever the client says. */
export function identified(named: readonly NamedPartitions[], topics: TopicCatalogue): MemberAssignment {
  const assignment = new Map<Uuid, readonly number[]>();
  for (const { topic, partitions } of named) {
    const id = topics.idOf(topic);
    if (id === null) continue;
    const count = topics.partitionsOf(id);
    const there = [...(assignment.get(id) ?? []), ...partitions].filter((one) => one >= 0 && one < count);
    if (there.length > 0)
      assignment.set(
        id,
        [...new Set(there)].sort((left, right) => left - right),
      );
  }
  return assignment;
}

/** Topics that are gone are left out. */
export function named(
  partitions: Iterable<readonly [Uuid, Iterable<number>]>,
  topics: Pick<Topics, 'nameOf'>,
): NamedPartitions[] {
  return Array.from(partitions).flatMap(([topicId, numbers]) => {
    const topic = topics.nameOf(topicId);
    return topic === null ? [] : [{ topic, partitions: Array.from(numbers).sort((left, right) => left - right) }];
  });
}
