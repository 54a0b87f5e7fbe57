/** What a heartbeat must be to be looked at, whatever the state of the group. */
import { ERROR } from '../../../wire/errors.ts';
import { JOINS, LEAVES_FOR_A_WHILE } from './member.ts';
import { type ConsumerWorld, type HeartbeatRequest, type Refusal, refused } from './world.ts';

/** The first version in which members name themselves. */
const SELF_NAMED = 1;

export function requestProblem(request: HeartbeatRequest, version: number, world: ConsumerWorld): Refusal | null {
  const { memberId, memberEpoch, serverAssignor } = request;
  const invalid = (what: string) => refused(ERROR.INVALID_REQUEST, what);
  if (request.groupId === '') return invalid('the group id is empty');
  if (memberId === '' && (version >= SELF_NAMED || memberEpoch !== JOINS)) return invalid('the member id is empty');
  if (request.instanceId === '') return invalid('the instance id is empty');
  if (request.rackId === '') return invalid('the rack id is empty');
  if (memberEpoch < LEAVES_FOR_A_WHILE) return invalid(`${memberEpoch} is no member epoch`);
  if (memberEpoch === LEAVES_FOR_A_WHILE && request.instanceId === null) {
    return invalid('only a member with an instance id leaves for a while');
  }
  if (memberEpoch === JOINS) {
    const joining = joinProblem(request);
    if (joining !== null) return invalid(joining);
  }
  if (serverAssignor !== null && !world.assignors.some(({ name }) => name === serverAssignor)) {
    const names = world.assignors.map(({ name }) => name).join(', ');
    return refused(ERROR.UNSUPPORTED_ASSIGNOR, `there is no assignor ${serverAssignor}, only ${names}`);
  }
  return null;
}

function joinProblem(request: HeartbeatRequest): string | null {
  if (request.rebalanceTimeoutMs === -1) return 'whoever joins says its rebalance timeout';
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    return 'whoever joins says that it owns no partitions';
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    return 'whoever joins says what it subscribes to';
  }
  return null;
}
