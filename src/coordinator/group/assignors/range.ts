/**
 * The assignor `range`: each topic by itself is cut into consecutive ranges, one for each subscriber in order, the first ones
 * larger by one partition. Topics with as many partitions and the same subscribers are cut alike, so that a member gets the
 * same partitions of each. What was assigned before does not matter.
 */
import type { Uuid } from '../../../base/uuid.ts';
import { type Assignor, inOrder, subscribersByTopic } from './assignor.ts';

export const RANGE: Assignor = {
  name: 'range',
  assign(group) {
    const members = inOrder(group.members);
    const assignment = new Map(members.map(({ memberId }) => [memberId, new Map<Uuid, number[]>()]));
    for (const [topicId, subscribers] of subscribersByTopic(group, members)) {
      const partitions = group.partitionsOf(topicId);
      const least = Math.floor(partitions / subscribers.length);
      const larger = partitions % subscribers.length;
      let next = 0;
      for (const [index, { memberId }] of subscribers.entries()) {
        const length = least + (index < larger ? 1 : 0);
        if (length === 0) break;
        const first = next;
        assignment.get(memberId)?.set(
          topicId,
          Array.from({ length }, (_, at) => first + at),
        );
        next += length;
      }
    }
    return assignment;
  },
};
