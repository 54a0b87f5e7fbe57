/**
 * JoinGroup of a member of the classic protocol in a group of the consumer protocol: for the group it is a heartbeat that says
 * everything, subscription and owned partitions out of the client's bytes. It waits for nobody, and nobody leads.
 */
import { ERROR } from '../../../wire/errors.ts';
import { CONSUMER_PROTOCOL_TYPE, readSubscription } from '../consumer-protocol.ts';
import { NO_MEMBER } from '../group.ts';
import type { JoinRequest } from '../messages.ts';
import { type Admitted, inPlaceOf } from './admission.ts';
import { type Advance, advance } from './advance.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { newMember } from './member.ts';
import { identified } from './named-partitions.ts';
import type { ConsumerWorld, HeartbeatCaller } from './world.ts';

export interface ClassicJoin extends Advance, Pick<Admitted, 'replaced'> {
  /** The first that it offers: there is nothing to agree on with others. */
  readonly protocolName: string;
}

export interface JoinProblem {
  readonly error: number;
  readonly memberId: string;
}

const KNOWN_MEMBER_ID_SINCE = 4;

export function classicJoin(
  group: ConsumerGroup,
  request: JoinRequest,
  rebalanceTimeoutMs: number,
  { version, clientId, clientHost, newMemberId }: HeartbeatCaller,
  world: ConsumerWorld,
): ClassicJoin | JoinProblem {
  const { groupInstanceId: instanceId, sessionTimeoutMs, protocols } = request;
  const no = (error: number, memberId: string = NO_MEMBER) => ({ error, memberId });
  if (!group.members.has(request.memberId) && isFull(group, instanceId, world)) return no(ERROR.GROUP_MAX_SIZE_REACHED);
  const [first] = protocols;
  if (first === undefined || !isSupported(group, request)) return no(ERROR.INCONSISTENT_GROUP_PROTOCOL);
  const subscription = readSubscription(first.metadata);
  if (subscription === null) return no(ERROR.INCONSISTENT_GROUP_PROTOCOL);
  const isNew = request.memberId === NO_MEMBER;
  const memberId = isNew ? newMemberId() : request.memberId;
  if (isNew && instanceId === null && version >= KNOWN_MEMBER_ID_SINCE) return no(ERROR.MEMBER_ID_REQUIRED, memberId);
  const admitted = admitClassic(group, instanceId, memberId, isNew);
  if (typeof admitted === 'number') return no(admitted);
  const member = {
    ...admitted.member,
    instanceId: instanceId ?? admitted.member.instanceId,
    rackId: subscription.rackId ?? admitted.member.rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    subscribedTopicNames: [...new Set(subscription.topics)].sort(),
    subscribedTopicRegex: '',
    classicMemberMetadata: { sessionTimeoutMs, supportedProtocols: protocols },
  };
  const owned = identified(subscription.ownedPartitions, world.topics);
  const said = Array.from(owned, ([topicId, partitions]) => ({ topicId, partitions }));
  const { replaced } = admitted;
  return { ...advance(group, { ...admitted, member }, said, world), replaced, protocolName: first.name };
}

/** A static member that comes back takes a place that there is. */
function isFull(group: ConsumerGroup, instanceId: string | null, { settings }: ConsumerWorld): boolean {
  if (group.members.size < settings.membersMax) return false;
  return instanceId === null || group.ofInstance(instanceId) === undefined;
}

/** An id that was given out is taken whenever it comes; a static member that names one must be the one that stands for it. */
function admitClassic(
  group: ConsumerGroup,
  instanceId: string | null,
  memberId: string,
  isNew: boolean,
): Admitted | number {
  const still = instanceId === null ? undefined : group.ofInstance(instanceId);
  if (still !== undefined && isNew) return inPlaceOf(still, memberId);
  if (instanceId !== null && !isNew) {
    if (still === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    if (still.memberId !== memberId) return ERROR.FENCED_INSTANCE_ID;
  }
  const before = group.members.get(memberId) ?? null;
  return { member: before ?? newMember(memberId), before, replaced: null };
}

/** Members of the classic protocol have one protocol in common, so that the group can be a classic one again. */
function isSupported({ members }: ConsumerGroup, { memberId, protocolType, protocols }: JoinRequest): boolean {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return false;
  const others = [...members.values()].flatMap((member) =>
    member.classicMemberMetadata === null || member.memberId === memberId ? [] : [member.classicMemberMetadata],
  );
  return protocols.some(({ name }) =>
    others.every(({ supportedProtocols }) => supportedProtocols.some((other) => other.name === name)),
  );
}
