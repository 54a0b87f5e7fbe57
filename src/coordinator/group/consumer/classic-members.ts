/**
 * Members of the classic protocol in groups of the consumer protocol: their joins and leaves take their turn like heartbeats do,
 * heartbeats and syncs are answered from what the group has come to. Told to join again, a member has its rebalance timeout
 * for that, and as long again to ask for what it was assigned.
 */
import { formatUuid, randomUuid } from '../../../base/uuid.ts';
import { ERROR } from '../../../wire/errors.ts';
import { NO_BYTES } from '../classic-member.ts';
import { CONSUMER_PROTOCOL_TYPE, writeAssignment } from '../consumer-protocol.ts';
import type { Desk } from '../desk.ts';
import { NO_MEMBER } from '../group.ts';
import type {
  Caller,
  HeartbeatRequest,
  JoinRequest,
  JoinResponse,
  LeaveRequest,
  LeaveResponse,
  Respond,
  SyncRequest,
  SyncResponse,
} from '../messages.ts';
import { refusedJoin, refusedSync } from '../refusals.ts';
import { groupWriteError } from '../write-errors.ts';
import { identified } from './admission.ts';
import { hasOtherTopics } from './advance.ts';
import { type ClassicJoin, classicJoin } from './classic-join.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { LiveConsumerGroup } from './live-group.ts';
import { type ConsumerMember, MEMBER_STATE } from './member.ts';
import { named } from './named-partitions.ts';
import type { Transitions } from './transitions.ts';
import { consumerWorld } from './worlds.ts';

export type Leaver = LeaveRequest['members'][number];

interface Identity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

export class ClassicMembers {
  readonly #desk: Desk;
  readonly #transitions: Transitions;

  constructor(desk: Desk, transitions: Transitions) {
    this.#desk = desk;
    this.#transitions = transitions;
  }

  /** `again` joins the group that is in the place of this one by then. */
  join(
    group: LiveConsumerGroup,
    request: JoinRequest,
    rebalanceTimeoutMs: number,
    caller: Caller,
    respond: Respond<JoinResponse>,
    again: () => void,
  ): void {
    const run = (done: () => void) => {
      if (group.isEmpty) {
        // Whoever was in it has gone while this one waited: then it is for a group of its own kind.
        const waiting = group.turns.leave();
        done();
        again();
        for (const turn of waiting) turn.again();
        return;
      }
      const newMemberId = () => formatUuid(randomUuid(this.#desk.random));
      const from = { ...caller, newMemberId };
      const joined = classicJoin(group.state, request, rebalanceTimeoutMs, from, consumerWorld(this.#desk, group.id));
      if ('error' in joined) {
        respond(refusedJoin(joined.memberId, joined.error));
        return done();
      }
      this.#joined(group, joined, (error) => {
        if (error === ERROR.NONE) respond(joinAnswer(joined));
        else respond(refusedJoin(request.memberId, groupWriteError(error)));
        done();
      });
    };
    group.turns.take({ run, refuse: (error) => respond(refusedJoin(request.memberId, error)), again });
  }

  #joined(group: LiveConsumerGroup, joined: ClassicJoin, done: (error: number) => void): void {
    const { after: member, replaced, epoch, records } = joined;
    if (replaced !== null && this.#transitions.replace(group, { member, replaced, epoch }, done)) return;
    this.#transitions.write(group, records, (error) => {
      if (error === ERROR.NONE) {
        group.heardOf(member.memberId);
        group.owes(member.memberId);
      }
      done(error);
    });
  }

  sync(group: LiveConsumerGroup, request: SyncRequest): SyncResponse {
    const member = this.#heard(group, request);
    if (typeof member === 'number') return refusedSync(member);
    const [protocol] = member.classicMemberMetadata?.supportedProtocols ?? [];
    const { protocolType, protocolName } = request;
    const isOther = (told: string | null, ours: string | undefined) => told !== null && told !== ours;
    if (isOther(protocolType, CONSUMER_PROTOCOL_TYPE) || isOther(protocolName, protocol?.name)) {
      return refusedSync(ERROR.INCONSISTENT_GROUP_PROTOCOL);
    }
    // One that has partitions to give up has joined this epoch, and learns here what stays.
    if (member.memberEpoch < group.state.epoch && member.state !== MEMBER_STATE.UNREVOKED_PARTITIONS) {
      if (!group.isOwing(member.memberId)) group.owes(member.memberId);
      return refusedSync(ERROR.REBALANCE_IN_PROGRESS);
    }
    group.heardOf(member.memberId);
    group.owesNothing(member.memberId);
    const partitions = Array.from(member.assigned, ([topicId, epochs]) => [topicId, epochs.keys()] as const);
    const assignment = writeAssignment(named(partitions, this.#desk.topics), protocol?.metadata ?? NO_BYTES);
    return {
      throttleTimeMs: 0,
      errorCode: ERROR.NONE,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: protocol?.name ?? null,
      assignment,
    };
  }

  beat(group: LiveConsumerGroup, request: HeartbeatRequest): number {
    const member = this.#heard(group, request);
    if (typeof member === 'number') return member;
    group.heardOf(member.memberId);
    const isNews =
      isToJoinAgain(group.state, member) || hasOtherTopics(group.state, consumerWorld(this.#desk, group.id));
    if (!isNews) return ERROR.NONE;
    if (!group.isOwing(member.memberId)) group.owes(member.memberId);
    return ERROR.REBALANCE_IN_PROGRESS;
  }

  /** A member of this protocol may be told to go as well, which is how administrators do it. */
  leave(
    group: LiveConsumerGroup,
    leavers: readonly Leaver[],
    respond: Respond<LeaveResponse['members']>,
    again: () => void,
  ): void {
    const answer = (errors: readonly number[]) =>
      respond(
        leavers.map(({ memberId, groupInstanceId }, at) => {
          return { memberId, groupInstanceId, errorCode: errors[at] as number };
        }),
      );
    const run = (done: () => void) => {
      const found = leavers.map((leaver) => leaving(group.state, leaver));
      const gone = new Set(found.filter((one) => typeof one !== 'number'));
      const end = (error: number) => {
        answer(found.map((one) => (typeof one === 'number' ? one : groupWriteError(error))));
        done();
      };
      if (gone.size === 0) end(ERROR.NONE);
      else this.#transitions.depart(group, [...gone], end);
    };
    group.turns.take({ run, refuse: (error) => answer(leavers.map(() => error)), again });
  }

  /** The member, if it is of the classic protocol and knows its generation, or why it is not listened to. */
  #heard(group: LiveConsumerGroup, { memberId, groupInstanceId, generationId }: Identity): ConsumerMember | number {
    if (group.isRemoving) return ERROR.COORDINATOR_NOT_AVAILABLE;
    const member = identified(group.state, { memberId, instanceId: groupInstanceId });
    if ('errorCode' in member) return member.errorCode;
    if (member.classicMemberMetadata === null) return ERROR.UNKNOWN_MEMBER_ID;
    const leaving = group.leavingError(memberId);
    if (leaving !== ERROR.NONE) return leaving;
    return generationId === member.memberEpoch ? member : ERROR.ILLEGAL_GENERATION;
  }
}

/** There is another epoch, it has partitions to give up, or what it waits for is free. */
function isToJoinAgain(group: ConsumerGroup, member: ConsumerMember): boolean {
  if (member.memberEpoch < group.epoch || member.state === MEMBER_STATE.UNREVOKED_PARTITIONS) return true;
  if (member.state !== MEMBER_STATE.UNRELEASED_PARTITIONS) return false;
  for (const [topicId, partitions] of group.targetOf(member.memberId)) {
    const mine = member.assigned.get(topicId);
    for (const partition of partitions) {
      if (!mine?.has(partition) && group.ownerOf(topicId, partition) !== undefined) return false;
    }
  }
  return true;
}

/** Administrators know the name of a static member, not its id. */
function leaving(group: ConsumerGroup, { memberId, groupInstanceId }: Leaver): ConsumerMember | number {
  const byName = memberId === NO_MEMBER && groupInstanceId !== null;
  const id = byName ? group.ofInstance(groupInstanceId)?.memberId : memberId;
  if (id === undefined) return ERROR.UNKNOWN_MEMBER_ID;
  const member = identified(group, { memberId: id, instanceId: groupInstanceId });
  return 'errorCode' in member ? member.errorCode : member;
}

function joinAnswer({ after, protocolName }: ClassicJoin): JoinResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ERROR.NONE,
    generationId: after.memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName,
    leader: NO_MEMBER,
    skipAssignment: false,
    memberId: after.memberId,
    members: [],
  };
}
