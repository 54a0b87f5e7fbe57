/**
 * The assignor `uniform`: members own as many partitions as each other, give or take one, and keep what they have as far as
 * that allows. Where subscriptions differ, `uniform-mixed.ts` comes as near to that as they let it.
 */
import {
  type AssignedGroup,
  type AssignedMember,
  type Assignor,
  compare,
  type GroupAssignment,
  inOrder,
  isSubscribedAlike,
  subscribersByTopic,
} from './assignor.ts';
import { type Holding, Holdings } from './holdings.ts';
import { assignMixed } from './uniform-mixed.ts';

export const UNIFORM: Assignor = {
  name: 'uniform',
  assign(group) {
    const members = inOrder(group.members);
    return isSubscribedAlike(members) ? assignAlike(group, members) : assignMixed(group, members);
  },
};

/** Everybody may own everything: nothing moves that need not. */
function assignAlike(group: AssignedGroup, members: readonly AssignedMember[]): GroupAssignment {
  const topics = [...subscribersByTopic(group, members).keys()].sort(compare);
  const holdings = new Holdings(group, members, topics);
  if (members.length === 0) return holdings.assignment();
  const total = topics.reduce((sum, topicId) => sum + group.partitionsOf(topicId), 0);
  const least = Math.floor(total / members.length);
  let larger = total % members.length;
  const quotas = new Map<Holding, number>();
  for (const holding of holdings.all) {
    if (holding.load > least && larger > 0) {
      quotas.set(holding, least + 1);
      larger -= 1;
    }
  }
  for (const holding of holdings.all) {
    if (quotas.has(holding)) continue;
    quotas.set(holding, larger > 0 ? least + 1 : least);
    if (larger > 0) larger -= 1;
  }
  for (const [holding, quota] of quotas) holdings.trim(holding, quota);
  const wanting = holdings.all.values();
  let next = wanting.next();
  for (const topicId of topics) {
    for (const partition of holdings.free(topicId)) {
      while (next.value !== undefined && next.value.load === quotas.get(next.value)) next = wanting.next();
      next.value?.take(topicId, partition);
    }
  }
  return holdings.assignment();
}
