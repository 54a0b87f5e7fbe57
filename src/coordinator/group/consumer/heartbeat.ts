/**
 * ConsumerGroupHeartbeat: the whole consumer protocol in one question. It changes no state that lasts: it says which records
 * do, and what to answer once they are committed. A heartbeat of a group in which nothing is new has no records.
 */
import { ERROR } from '../../../wire/errors.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import { TopicPattern } from '../topic-pattern.ts';
import { type Admitted, admit, identified } from './admission.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { absence, epochRecord, removal, tombstones } from './leaving.ts';
import {
  assignmentRecord,
  type ConsumerMember,
  isDescribedAlike,
  isSubscribedAlike,
  JOINS,
  LEAVES,
  LEAVES_FOR_A_WHILE,
  metadataRecord,
  newMember,
} from './member.ts';
import { isSameOwned, topicPartitionsOf } from './owned-partitions.ts';
import { reconcile } from './reconciliation.ts';
import { Subscriptions } from './subscriptions.ts';
import { newTarget, targetRecord } from './targets.ts';
import { requestProblem } from './validity.ts';
import {
  type ConsumerWorld,
  type HeartbeatCaller,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type Refusal,
  refused,
  type Taken,
} from './world.ts';

/** Of a group in which nobody has subscribed to anything yet. */
const FIRST_EPOCH = 1;

export function consumerHeartbeat(
  group: ConsumerGroup,
  request: HeartbeatRequest,
  caller: HeartbeatCaller,
  world: ConsumerWorld,
): Taken | Refusal {
  const problem = requestProblem(request, caller.version, world);
  if (problem !== null) return problem;
  if (request.memberEpoch === LEAVES || request.memberEpoch === LEAVES_FOR_A_WHILE) return leave(group, request, world);
  const admitted = admit(group, request, request.memberId === '' ? caller.newMemberId() : request.memberId, world);
  if ('errorCode' in admitted) return admitted;
  const member = described(admitted.member, request, caller);
  const pattern = patternProblem(member, admitted.before);
  return pattern ?? take(group, request, admitted, member, world);
}

function leave(group: ConsumerGroup, request: HeartbeatRequest, world: ConsumerWorld): Taken | Refusal {
  const member = identified(group, request);
  if ('errorCode' in member) return member;
  const { memberEpoch } = request;
  const records = memberEpoch === LEAVES ? removal(group, [member], world) : [absence(group, member)];
  return { records, response: answer({ ...member, memberEpoch }, 0, false) };
}

/** What the request leaves out is as it was. */
function described(
  member: ConsumerMember,
  request: HeartbeatRequest,
  { clientId, clientHost }: HeartbeatCaller,
): ConsumerMember {
  const names = request.subscribedTopicNames;
  const said = {
    ...member,
    clientId,
    clientHost,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: names === null ? member.subscribedTopicNames : [...new Set(names)].sort(),
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    classicMemberMetadata: null,
  };
  return isDescribedAlike(said, member) ? member : said;
}

function patternProblem(member: ConsumerMember, before: ConsumerMember | null): Refusal | null {
  const { subscribedTopicRegex: pattern } = member;
  if (pattern === null || pattern === '' || pattern === before?.subscribedTopicRegex) return null;
  const compiled = TopicPattern.compile(pattern);
  return compiled instanceof TopicPattern ? null : refused(ERROR.INVALID_REGULAR_EXPRESSION, compiled.refused);
}

function take(
  group: ConsumerGroup,
  request: HeartbeatRequest,
  { before, replaced }: Admitted,
  member: ConsumerMember,
  world: ConsumerWorld,
): Taken {
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
  const after = reconcile(member, { epoch: targetEpoch, assignment, isOwned }, request.topicPartitions);
  if (after !== member || replaced !== null) records.push(assignmentRecord(group.id, after));
  const isTold = isFull(request) || !isSameOwned(after.assigned, member.assigned);
  return { records, response: answer(after, world.settings.heartbeatIntervalMs, isTold) };
}

/** Whoever joins, or says everything again, is told everything again. */
function isFull(request: HeartbeatRequest): boolean {
  const saysTopics = request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null;
  return (
    request.memberEpoch === JOINS ||
    (request.rebalanceTimeoutMs !== -1 && saysTopics && request.topicPartitions !== null)
  );
}

function answer(member: ConsumerMember, heartbeatIntervalMs: number, isTold: boolean): HeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ERROR.NONE,
    errorMessage: null,
    memberId: member.memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs,
    assignment: isTold ? { topicPartitions: topicPartitionsOf(member.assigned) } : null,
  };
}
