/**
 * SyncGroup of the classic protocol: members wait for the plan, the leader brings it. Nobody is told before it is stored, so
 * what a member was assigned survives the coordinator.
 */
import { ERROR } from '../../wire/errors.ts';
import { answerSync, type ClassicGroup } from './classic-group.ts';
import { type ClassicMember, NO_BYTES } from './classic-member.ts';
import type { ClassicMembers } from './consumer/classic-members.ts';
import type { Desk } from './desk.ts';
import type { Groups } from './groups.ts';
import type { Caller, Respond, SyncRequest, SyncResponse } from './messages.ts';
import type { Rebalances } from './rebalances.ts';
import { refusedSync } from './refusals.ts';
import { groupWriteError } from './write-errors.ts';

/** From here on members must say what they believe the group has agreed on. */
const PROTOCOL_TOLD_SINCE = 5;

export class Syncing {
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

  sync(request: SyncRequest, { version }: Caller, respond: Respond<SyncResponse>): void {
    const { groupId, memberId } = request;
    const refuse = (error: number) => respond(refusedSync(error));
    if (version >= PROTOCOL_TOLD_SINCE && (request.protocolType === null || request.protocolName === null)) {
      return refuse(ERROR.INCONSISTENT_GROUP_PROTOCOL);
    }
    if (groupId === '') return refuse(ERROR.INVALID_GROUP_ID);
    const group = this.#groups.get(groupId);
    if (group === undefined) return refuse(ERROR.UNKNOWN_MEMBER_ID);
    if (group.kind === 'consumer') return respond(this.#classicMembers.sync(group, request));
    const problem = syncProblem(group, request);
    const member = group.roster.get(memberId);
    if (problem !== ERROR.NONE || member === undefined) return refuse(problem);
    this.#rebalances.synced(group, memberId);
    if (group.state === 'Stable') {
      respond(syncAnswer(group, member));
      return;
    }
    // One that waited before has been given up by its client.
    answerSync(member, refusedSync(ERROR.REBALANCE_IN_PROGRESS));
    member.syncing = respond;
    // A plan is taken once: a second one would be what is stored, the first what members are told.
    const isPlanned = group.planGeneration === group.generation;
    if (group.roster.leaderId === memberId && !isPlanned) this.#takePlan(group, request);
  }

  #takePlan(group: ClassicGroup, { assignments, memberId }: SyncRequest): void {
    const { generation } = group;
    const plan = new Map(assignments.map((one) => [one.memberId, one.assignment]));
    const assigned = (member: ClassicMember) => plan.get(member.id) ?? NO_BYTES;
    group.isStored = true;
    group.planGeneration = generation;
    this.#desk.writes.write([group.asRecord(assigned)], (error) => {
      // Another join may have begun the next rebalance meanwhile: everybody was told of that.
      if (group.state !== 'CompletingRebalance' || group.generation !== generation) return;
      if (error !== ERROR.NONE) {
        group.failSyncs(groupWriteError(error));
        this.#rebalances.changed(group, `the plan of ${memberId} was not stored, error ${error}`);
        return;
      }
      for (const member of group.roster.members()) {
        member.assignment = assigned(member);
        member.replaces = null;
      }
      group.become('Stable', this.#desk.clock.now());
      group.answerSyncs((member) => syncAnswer(group, member));
    });
  }
}

function syncProblem(group: ClassicGroup, request: SyncRequest): number {
  const { memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
  if (group.state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE;
  const problem = group.roster.identityProblem(memberId, groupInstanceId);
  if (problem !== ERROR.NONE) return problem;
  if (generationId !== group.generation) return ERROR.ILLEGAL_GENERATION;
  const isOther = (told: string | null, ours: string | null) => told !== null && told !== ours;
  if (isOther(protocolType, group.protocolType) || isOther(protocolName, group.protocol)) {
    return ERROR.INCONSISTENT_GROUP_PROTOCOL;
  }
  return group.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
}

function syncAnswer({ protocolType, protocol }: ClassicGroup, { assignment }: ClassicMember): SyncResponse {
  return { throttleTimeMs: 0, errorCode: ERROR.NONE, protocolType, protocolName: protocol, assignment };
}
