/** As which member a heartbeat speaks: a known one, a new one, or a static one that comes back under another member id. */
import { ERROR } from '../../../wire/errors.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, JOINS, LEAVES_FOR_A_WHILE, newMember, UNASSIGNED } from './member.ts';
import { ownsOnly } from './owned-partitions.ts';
import { type ConsumerWorld, type HeartbeatRequest, type Refusal, refused } from './world.ts';

export interface Admitted {
  readonly member: ConsumerMember;
  /** What the group knew of it. */
  readonly before: ConsumerMember | null;
  /** The static member whose place it takes. */
  readonly replaced: ConsumerMember | null;
}

export function admit(
  group: ConsumerGroup,
  request: HeartbeatRequest,
  memberId: string,
  world: ConsumerWorld,
): Admitted | Refusal {
  return request.memberEpoch === JOINS ? join(group, request, memberId, world) : stay(group, request);
}

function join(
  group: ConsumerGroup,
  { instanceId }: HeartbeatRequest,
  memberId: string,
  { settings }: ConsumerWorld,
): Admitted | Refusal {
  const known = group.members.get(memberId);
  if (known !== undefined && known.instanceId === instanceId) return { member: known, before: known, replaced: null };
  const still = instanceId === null ? undefined : group.ofInstance(instanceId);
  if (still !== undefined) {
    // A member of the classic protocol does not say that it leaves for a while.
    if (still.memberEpoch !== LEAVES_FOR_A_WHILE && still.classicMemberMetadata === null) {
      return refused(ERROR.UNRELEASED_INSTANCE_ID, `the instance ${instanceId} is still there, as ${still.memberId}`);
    }
    return inPlaceOf(still, memberId);
  }
  if (known === undefined && group.members.size >= settings.membersMax) {
    return refused(ERROR.GROUP_MAX_SIZE_REACHED, `the group has ${settings.membersMax} members already`);
  }
  return { member: { ...(known ?? newMember(memberId)), instanceId }, before: known ?? null, replaced: null };
}

/** Under another id, with what the static member owns. */
export function inPlaceOf(still: ConsumerMember, memberId: string): Admitted {
  const { assigned } = still;
  return { member: { ...still, memberId, ...UNASSIGNED, assigned }, before: still, replaced: still };
}

function stay(group: ConsumerGroup, request: HeartbeatRequest): Admitted | Refusal {
  const found = identified(group, request);
  if ('errorCode' in found) return found;
  const { memberEpoch, previousMemberEpoch, assigned } = found;
  if (request.memberEpoch !== memberEpoch) {
    // The answer that told of the new epoch was lost: what it gave is not owned yet.
    const isLate =
      request.memberEpoch === previousMemberEpoch &&
      request.topicPartitions !== null &&
      ownsOnly(request.topicPartitions, assigned);
    if (!isLate) return refused(ERROR.FENCED_MEMBER_EPOCH, `the member is in epoch ${memberEpoch}`);
  }
  return { member: found, before: found, replaced: null };
}

/** The member that the request names, if its instance id is its own. */
export function identified(
  group: ConsumerGroup,
  { memberId, instanceId }: Pick<HeartbeatRequest, 'memberId' | 'instanceId'>,
): ConsumerMember | Refusal {
  const known = group.members.get(memberId);
  const still = instanceId === null ? undefined : group.ofInstance(instanceId);
  if (still !== undefined && still.memberId !== memberId) {
    return refused(ERROR.FENCED_INSTANCE_ID, `the instance ${instanceId} is ${still.memberId} now`);
  }
  if (known === undefined || (instanceId !== null && still === undefined)) {
    return refused(ERROR.UNKNOWN_MEMBER_ID, `${memberId} is not in the group`);
  }
  return known;
}
