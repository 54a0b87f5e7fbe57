/** Heartbeat and LeaveGroup of the classic protocol: members that say they are there, and that they go. */
import { ERROR } from '../../wire/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { ClassicMembers } from './consumer/classic-members.ts';
import type { Desk } from './desk.ts';
import { NO_MEMBER } from './group.ts';
import type { Groups } from './groups.ts';
import type { Caller, HeartbeatRequest, HeartbeatResponse, LeaveRequest, LeaveResponse, Respond } from './messages.ts';
import type { Rebalances } from './rebalances.ts';

const MANY_LEAVE_SINCE = 3;

type Leaver = LeaveRequest['members'][number];

export class Membership {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #rebalances: Rebalances;
  readonly #classicMembers: ClassicMembers;

  constructor(desk: Desk, groups: Groups, rebalances: Rebalances, classicMembers: ClassicMembers) {
    this.#desk = desk;
    this.#groups = groups;
    this.#rebalances = rebalances;
    this.#classicMembers = classicMembers;
  }

  heartbeat(request: HeartbeatRequest, respond: Respond<HeartbeatResponse>): void {
    respond({ throttleTimeMs: 0, errorCode: this.#beat(request) });
  }

  #beat(request: HeartbeatRequest): number {
    const { groupId, memberId, groupInstanceId, generationId } = request;
    if (groupId === '') return ERROR.INVALID_GROUP_ID;
    const group = this.#groups.get(groupId);
    if (group === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    if (group.kind === 'consumer') return this.#classicMembers.beat(group, request);
    if (group.state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE;
    const problem = group.roster.identityProblem(memberId, groupInstanceId);
    const member = group.roster.get(memberId);
    if (problem !== ERROR.NONE || member === undefined) return problem;
    if (generationId !== group.generation) return ERROR.ILLEGAL_GENERATION;
    this.#rebalances.heardOf(member);
    return group.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  leave(request: LeaveRequest, caller: Caller, respond: Respond<LeaveResponse>): void {
    const { groupId } = request;
    const { version } = caller;
    if (groupId === '') {
      respond({ throttleTimeMs: 0, errorCode: ERROR.INVALID_GROUP_ID, members: [] });
      return;
    }
    const single = { memberId: request.memberId, groupInstanceId: null, reason: null };
    const leavers = version < MANY_LEAVE_SINCE ? [single] : request.members;
    const answer = (members: LeaveResponse['members']) => {
      const errorCode = version < MANY_LEAVE_SINCE ? (members[0]?.errorCode ?? ERROR.NONE) : ERROR.NONE;
      respond({ throttleTimeMs: 0, errorCode, members: version < MANY_LEAVE_SINCE ? [] : members });
    };
    const there = this.#groups.get(groupId);
    if (there?.kind === 'consumer' && !there.isRemoving) {
      return this.#classicMembers.leave(there, leavers, answer, () => this.leave(request, caller, respond));
    }
    const group = this.#groups.classic(groupId);
    if (there?.stateName === 'Dead') {
      respond({ throttleTimeMs: 0, errorCode: ERROR.COORDINATOR_NOT_AVAILABLE, members: [] });
      return;
    }
    const sizeBefore = group?.roster.size ?? 0;
    const members = leavers.map((leaver) => ({
      memberId: leaver.memberId,
      groupInstanceId: leaver.groupInstanceId,
      errorCode: group === undefined ? ERROR.UNKNOWN_MEMBER_ID : this.#letGo(group, leaver),
    }));
    answer(members);
    if (group === undefined) return;
    const gone = sizeBefore - group.roster.size;
    if (gone > 0) this.#rebalances.changed(group, `${gone} members left`);
    // Those who had only been given an id are not missed, but may have been waited for.
    else this.#rebalances.completeIfAllJoined(group);
  }

  #letGo(group: ClassicGroup, { memberId, groupInstanceId, reason }: Leaver): number {
    const { roster } = group;
    if (roster.pendingJoins.has(memberId)) {
      group.forgetPending(memberId);
      return ERROR.NONE;
    }
    // Administrators know the name of a static member, not its id.
    const byName = memberId === NO_MEMBER && groupInstanceId !== null;
    const id = byName ? (roster.holderOf(groupInstanceId) ?? NO_MEMBER) : memberId;
    const problem = roster.identityProblem(id, byName ? null : groupInstanceId);
    const member = roster.get(id);
    if (problem !== ERROR.NONE || member === undefined) return problem;
    this.#desk.logger.info('member leaves', { group: group.id, member: id, reason: reason ?? 'not told' });
    group.expel(member, ERROR.UNKNOWN_MEMBER_ID);
    return ERROR.NONE;
  }
}
