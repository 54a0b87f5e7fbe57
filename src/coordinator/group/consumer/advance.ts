/**
 * A member of a group says something, in whichever protocol: its group comes to another epoch and target when there is something
 * new in that, and the member comes a step nearer to its target.
 */
import type { ConsumerGroupRecord, TopicPartitions } from '../consumer-records.ts';
import type { Admitted } from './admission.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { epochRecord, tombstones } from './leaving.ts';
import {
  assignmentRecord,
  type ConsumerMember,
  isDescribedAlike,
  isSubscribedAlike,
  metadataRecord,
  newMember,
} from './member.ts';
import { reconcile } from './reconciliation.ts';
import { Subscriptions } from './subscriptions.ts';
import { newTarget, targetRecord } from './targets.ts';
import type { ConsumerWorld } from './world.ts';

export interface Advance {
  readonly records: readonly ConsumerGroupRecord[];
  readonly after: ConsumerMember;
  /** Of the group. */
  readonly epoch: number;
}

/** Of a group in which nobody has subscribed to anything yet. */
const FIRST_EPOCH = 1;

/** Whether there are other topics for the subscriptions of the group than when its epoch began. */
export function hasOtherTopics(group: ConsumerGroup, { topics, now }: ConsumerWorld): boolean {
  if (group.comparedAt === topics.version) return false;
  const members = [...group.members.values()];
  const subscriptions = new Subscriptions(group, members, topics, now);
  const subscribed = new Set(members.flatMap((member) => [...subscriptions.topicIdsOf(member)]));
  if (subscriptions.records.length > 0 || subscriptions.hashOf(subscribed) !== group.metadataHash) return true;
  group.comparedAt = topics.version;
  return false;
}

/** `said` is what the member says it owns, null when it does not say. */
export function advance(
  group: ConsumerGroup,
  { member, before, replaced }: Admitted,
  said: readonly TopicPartitions[] | null,
  world: ConsumerWorld,
): Advance {
  const records: ConsumerGroupRecord[] = [];
  const members = new Map(group.members);
  const targets = new Map(group.targets);
  if (replaced !== null) {
    records.push(...tombstones(group.id, replaced.memberId));
    members.delete(replaced.memberId);
    const target = group.targetOf(replaced.memberId);
    targets.delete(replaced.memberId);
    targets.set(member.memberId, target);
    records.push(metadataRecord(group.id, member), targetRecord(group.id, member.memberId, target));
  } else if (before === null || !isDescribedAlike(before, member)) {
    records.push(metadataRecord(group.id, member));
  }
  members.set(member.memberId, member);

  let { targetEpoch } = group;
  let epoch = Math.max(group.epoch, FIRST_EPOCH);
  let assignment = targets.get(member.memberId) ?? new Map();
  const hasOtherWishes = !isSubscribedAlike(before ?? newMember(member.memberId), member);
  if (hasOtherWishes || epoch > targetEpoch || group.comparedAt !== world.topics.version) {
    const subscriptions = new Subscriptions(group, members.values(), world.topics, world.now);
    records.push(...subscriptions.records);
    const subscribed = new Set([...members.values()].flatMap((one) => [...subscriptions.topicIdsOf(one)]));
    const hash = subscriptions.hashOf(subscribed);
    if (hasOtherWishes || subscriptions.records.length > 0 || hash !== group.metadataHash) {
      epoch += 1;
    } else {
      group.comparedAt = world.topics.version;
    }
    if (epoch > group.epoch) records.push(epochRecord(group.id, epoch, hash));
    if (epoch > targetEpoch) {
      const target = newTarget(group, epoch, [...members.values()], targets, subscriptions, world);
      records.push(...target.records);
      assignment = target.assignment.get(member.memberId) ?? assignment;
      targetEpoch = epoch;
    }
  }
  const isOwned = (topicId: string, partition: number) => group.ownerOf(topicId, partition) !== undefined;
  const after = reconcile(member, { epoch: targetEpoch, assignment, isOwned }, said);
  if (after !== member || replaced !== null) records.push(assignmentRecord(group.id, after));
  return { records, after, epoch };
}
