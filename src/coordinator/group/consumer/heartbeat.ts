/**
 * ConsumerGroupHeartbeat: the whole consumer protocol in one question. It changes no state that lasts: it says which records
 * do, and what to answer once they are committed. A heartbeat of a group in which nothing is new has no records.
 */
import { ERROR } from '../../../wire/errors.ts';
import { TopicPattern } from '../topic-pattern.ts';
import { admit, identified } from './admission.ts';
import { advance } from './advance.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { absence, removal } from './leaving.ts';
import { type ConsumerMember, isDescribedAlike, JOINS, LEAVES, LEAVES_FOR_A_WHILE } from './member.ts';
import { isSameOwned, topicPartitionsOf } from './owned-partitions.ts';
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
  if (pattern !== null) return pattern;
  const { records, after } = advance(group, { ...admitted, member }, request.topicPartitions, world);
  const isTold = isFull(request) || !isSameOwned(after.assigned, member.assigned);
  return { records, response: answer(after, world.settings.heartbeatIntervalMs, isTold), gone: [] };
}

function leave(group: ConsumerGroup, request: HeartbeatRequest, world: ConsumerWorld): Taken | Refusal {
  const member = identified(group, request);
  if ('errorCode' in member) return member;
  const { memberEpoch } = request;
  const response = answer({ ...member, memberEpoch }, 0, false);
  if (memberEpoch === LEAVES) return { records: removal(group, [member], world), response, gone: [member] };
  return { records: [absence(group, member)], response, gone: [] };
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
