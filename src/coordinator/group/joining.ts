/**
 * JoinGroup of the classic protocol. A dynamic member that has no id yet is given one and told to come back with it (from v4
 * on), so that clients that give up leave nothing behind; a static member takes the place of the one that had its name.
 */

import { Timer } from '../../base/timers.ts';
import { randomUuid } from '../../base/uuid.ts';
import { ERROR } from '../../wire/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { ClassicMember, Joined } from './classic-member.ts';
import type { ClassicMembers } from './consumer/classic-members.ts';
import type { LiveConsumerGroup } from './consumer/live-group.ts';
import type { Desk } from './desk.ts';
import { NO_MEMBER } from './group.ts';
import type { Groups } from './groups.ts';
import type { Caller, JoinRequest, JoinResponse, Respond } from './messages.ts';
import { joinAnswer, type Rebalances } from './rebalances.ts';
import { refusedJoin } from './refusals.ts';
import { groupWriteError } from './write-errors.ts';

const KNOWN_MEMBER_ID_SINCE = 4;
const NULL_PROTOCOL_SINCE = 7;
const SKIP_ASSIGNMENT_SINCE = 9;
/** The id must still be a string of the protocol, whatever the client calls itself. */
const ID_PREFIX_MAX = 10_000;

/** One join on its way. */
interface Join {
  readonly request: JoinRequest;
  readonly caller: Caller;
  readonly joined: Joined;
  readonly respond: Respond<JoinResponse>;
}

export class Joining {
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

  join(request: JoinRequest, caller: Caller, answer: Respond<JoinResponse>): void {
    const respond = caller.version < NULL_PROTOCOL_SINCE ? withProtocolName(answer) : answer;
    const { groupId, memberId, sessionTimeoutMs, protocols } = request;
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#desk.settings;
    const refuse = (error: number, toldId = memberId) => respond(refusedJoin(toldId, error));
    if (groupId === '') return refuse(ERROR.INVALID_GROUP_ID);
    if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
      return refuse(ERROR.INVALID_SESSION_TIMEOUT);
    }
    const there = this.#groups.get(groupId);
    // Version 0 knows one time for both.
    const rebalanceTimeoutMs = caller.version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs;
    if (there?.kind === 'consumer') {
      if (there.isRemoving) return refuse(ERROR.COORDINATOR_NOT_AVAILABLE);
      const again = () => this.join(request, caller, answer);
      if (there.isBusy) return this.#classicMembers.join(there, request, rebalanceTimeoutMs, caller, respond, again);
    }
    if (there?.kind !== 'classic' && memberId !== NO_MEMBER) return refuse(ERROR.UNKNOWN_MEMBER_ID);
    if (there?.kind === 'consumer') {
      if (!isOffered(request)) return refuse(ERROR.INCONSISTENT_GROUP_PROTOCOL);
      this.#displace(there);
    }
    const group = this.#groups.classicOrNew(groupId);
    if (!this.#hasRoomFor(group, memberId)) {
      this.#turnAway(group, memberId);
      return refuse(ERROR.GROUP_MAX_SIZE_REACHED, NO_MEMBER);
    }
    if (group.state === 'Dead') return refuse(ERROR.COORDINATOR_NOT_AVAILABLE);
    if (!accepts(group, request)) return refuse(ERROR.INCONSISTENT_GROUP_PROTOCOL);
    const join = { request, caller, joined: { rebalanceTimeoutMs, sessionTimeoutMs, protocols }, respond };
    if (memberId === NO_MEMBER) this.#joinNew(group, join);
    else this.#joinAgain(group, join);
  }

  /** A group of the other kind that nobody is in. When this is lost, the record of the classic one still comes after it. */
  #displace(group: LiveConsumerGroup): void {
    const { id } = group;
    const tombstones = group.tombstones();
    this.#groups.remove(id, ERROR.UNKNOWN_MEMBER_ID);
    if (tombstones.length === 0) return;
    this.#desk.writes.write(tombstones, (error) => {
      if (error !== ERROR.NONE) this.#desk.logger.warn('group was not removed', { group: id, error });
    });
  }

  /** Members beyond the limit get in only by being faster than others in a rebalance, so a group that is too large shrinks. */
  #hasRoomFor({ state, roster }: ClassicGroup, memberId: string): boolean {
    const { groupMaxSize } = this.#desk.settings;
    const member = roster.get(memberId);
    if (state === 'Empty' || state === 'Dead') return true;
    if (state === 'PreparingRebalance') return (member?.joining ?? null) !== null || roster.waiting < groupMaxSize;
    return member !== undefined || roster.size < groupMaxSize;
  }

  #turnAway(group: ClassicGroup, memberId: string): void {
    const member = group.roster.get(memberId);
    group.forgetPending(memberId);
    if (member !== undefined) group.expel(member, ERROR.GROUP_MAX_SIZE_REACHED);
    this.#rebalances.completeIfAllJoined(group);
  }

  #joinNew(group: ClassicGroup, join: Join): void {
    const { request, caller, respond } = join;
    const { groupInstanceId: instanceId } = request;
    const memberId = this.#newId(instanceId ?? caller.clientId);
    if (instanceId !== null) {
      const holder = group.roster.get(group.roster.holderOf(instanceId) ?? NO_MEMBER);
      if (holder === undefined) this.#add(group, memberId, join);
      else this.#replace(group, holder, memberId, join);
      return;
    }
    if (caller.version < KNOWN_MEMBER_ID_SINCE) {
      this.#add(group, memberId, join);
      return;
    }
    const timer = new Timer(() => this.#rebalances.sessionIsOver(group, memberId));
    group.roster.pendingJoins.set(memberId, timer);
    this.#desk.timers.set(timer, this.#desk.clock.monotonic() + request.sessionTimeoutMs);
    respond(refusedJoin(memberId, ERROR.MEMBER_ID_REQUIRED));
  }

  #joinAgain(group: ClassicGroup, join: Join): void {
    const { request, joined, respond } = join;
    const { memberId, groupInstanceId } = request;
    if (group.roster.pendingJoins.has(memberId)) {
      // Only dynamic members are told to come back.
      if (groupInstanceId !== null) respond(refusedJoin(memberId, ERROR.UNKNOWN_MEMBER_ID));
      else this.#add(group, memberId, join);
      return;
    }
    const problem = group.roster.identityProblem(memberId, groupInstanceId);
    const member = group.roster.get(memberId);
    if (problem !== ERROR.NONE || member === undefined) {
      respond(refusedJoin(memberId, problem));
      return;
    }
    const unchanged = member.hasJoinedWith(joined.protocols);
    const leads = group.roster.leaderId === memberId;
    // It may have missed the answer. A leader that joins again in a stable group wants a new plan.
    if (unchanged && (group.state === 'CompletingRebalance' || (group.state === 'Stable' && !leads))) {
      respond(joinAnswer(group, member));
      return;
    }
    group.roster.update(member, joined);
    group.roster.park(member, respond);
    this.#rebalances.changed(group, unchanged ? `leader ${memberId} joined again` : `member ${memberId} has changed`);
  }

  #add(group: ClassicGroup, memberId: string, { request, caller, joined, respond }: Join): void {
    const { clientId, clientHost } = caller;
    const instanceId = request.groupInstanceId;
    group.forgetPending(memberId);
    const member = group.newMember({ id: memberId, instanceId, clientId, clientHost }, joined);
    if (group.roster.size === 0) group.protocolType = request.protocolType;
    group.newMemberAdded = group.initialUntil !== null;
    group.roster.add(member);
    group.roster.park(member, respond);
    this.#rebalances.isNew(member);
    this.#rebalances.changed(group, `member ${memberId} joins`);
  }

  /** The member id of a static member changes hands; as long as the protocol stays, nobody else notices. */
  #replace(group: ClassicGroup, before: ClassicMember, memberId: string, join: Join): void {
    const { roster } = group;
    const { clientId, clientHost } = join.caller;
    const identity = { id: memberId, instanceId: before.instanceId, clientId, clientHost };
    const member = group.newMember(identity, join.joined);
    member.assignment = before.assignment;
    member.replaces = before;
    const leaderBefore = roster.leaderId ?? '';
    this.#rebalances.synced(group, before.id);
    group.expel(before, ERROR.FENCED_INSTANCE_ID, before.id);
    roster.add(member);
    if (leaderBefore === before.id) roster.lead(memberId);
    roster.park(member, join.respond);
    this.#rebalances.heardOf(member);
    const keepsPlan = group.state === 'Stable' && roster.chooseProtocol() === group.protocol;
    if (keepsPlan) this.#storeReplaced(group, member, leaderBefore, join);
    // A plan that is being made names the id that has gone.
    else this.#rebalances.changed(group, `static member ${before.id} is now ${memberId}`);
  }

  #storeReplaced(group: ClassicGroup, member: ClassicMember, leaderBefore: string, { caller }: Join): void {
    const { roster, generation } = group;
    this.#desk.writes.write([group.asRecord(({ assignment }) => assignment)], (error) => {
      if (error === ERROR.NONE) member.replaces = null;
      // A rebalance that began meanwhile answers all who wait, whatever became of this.
      const isCurrent = group.state === 'Stable' && group.generation === generation;
      if (!isCurrent || roster.get(member.id) !== member) return;
      if (error === ERROR.NONE) {
        const leads = roster.leaderId === member.id;
        const told = joinAnswer(group, member);
        // Before clients knew of skipAssignment, one that led was told of its old id as leader, so it made no plan.
        const older = { ...told, leader: leaderBefore, members: [] };
        roster.answerJoin(member, caller.version >= SKIP_ASSIGNMENT_SINCE ? { ...told, skipAssignment: leads } : older);
        this.#rebalances.heardOf(member);
        return;
      }
      const before = member.stored;
      this.#desk.logger.warn('static member was not replaced', { group: group.id, member: before.id, error });
      const led = roster.leaderId === member.id;
      group.expel(member, groupWriteError(error));
      roster.add(before);
      if (led) roster.lead(before.id);
      this.#rebalances.heardOf(before);
    });
  }

  /** As Kafka makes them: who it is, and a random id in the usual hexadecimal form. */
  #newId(name: string): string {
    const hex = Array.from(randomUuid(this.#desk.random), (one) => one.charCodeAt(0).toString(16).padStart(2, '0'));
    const parts = [hex.slice(0, 4), hex.slice(4, 6), hex.slice(6, 8), hex.slice(8, 10), hex.slice(10)];
    const prefix = name.length > ID_PREFIX_MAX ? name.slice(0, ID_PREFIX_MAX).replace(/[\ud800-\udbff]$/, '') : name;
    return `${prefix}-${parts.map((part) => part.join('')).join('-')}`;
  }
}

function withProtocolName(respond: Respond<JoinResponse>): Respond<JoinResponse> {
  return (body) => respond({ ...body, protocolName: body.protocolName ?? '' });
}

/** An empty group takes anybody who names a type and a protocol, another one whoever fits to its members. */
function accepts(group: ClassicGroup, { protocolType, protocols }: JoinRequest): boolean {
  if (group.isEmpty) return isOffered({ protocolType, protocols });
  return group.protocolType === protocolType && group.roster.sharesOne(protocols);
}

function isOffered({ protocolType, protocols }: Pick<JoinRequest, 'protocolType' | 'protocols'>): boolean {
  return protocolType !== '' && protocols.length > 0;
}
