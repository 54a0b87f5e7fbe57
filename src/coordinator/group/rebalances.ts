/**
 * How a classic group gets from one generation to the next: everybody is waited for until the slowest member's rebalance
 * timeout, whoever has not joined is dropped, the rest are told. A group that was empty waits a little for others to come.
 */
import type { Deadlines } from '../../base/timers.ts';
import { ERROR } from '../../wire/errors.ts';
import type { Alarms, ClassicGroup } from './classic-group.ts';
import { type ClassicMember, NO_BYTES } from './classic-member.ts';
import type { Desk } from './desk.ts';
import type { JoinResponse } from './messages.ts';

/** Who has never been told of a generation and is not told of one for this long is taken for gone, as in Kafka. */
const NEW_MEMBER_TIMEOUT_MS = 300_000;

export class Rebalances implements Alarms {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get timers(): Deadlines {
    return this.#desk.timers;
  }

  /** Members, or what they can do, have changed: a rebalance begins, or one that is under way may be complete. */
  changed(group: ClassicGroup, reason: string): void {
    if (group.state === 'PreparingRebalance') this.completeIfAllJoined(group);
    else this.begin(group, reason);
  }

  begin(group: ClassicGroup, reason: string): void {
    const { timers, clock, settings, logger } = this.#desk;
    if (group.state === 'CompletingRebalance') group.failSyncs(ERROR.REBALANCE_IN_PROGRESS);
    timers.cancel(group.syncTimer);
    const wasEmpty = group.isEmpty;
    const { generation } = group;
    group.become('PreparingRebalance', clock.now());
    logger.info('group rebalances', { group: group.id, generation, members: group.roster.size, reason });
    if (wasEmpty) {
      const now = clock.monotonic();
      const delayMs = settings.groupInitialRebalanceDelayMs;
      group.initialUntil = now + Math.max(group.roster.rebalanceTimeoutMs, delayMs);
      timers.set(group.joinTimer, now + delayMs);
    } else if (group.roster.everyoneWaits) this.#complete(group);
    else this.#waitForAll(group);
  }

  completeIfAllJoined(group: ClassicGroup): void {
    if (group.state !== 'PreparingRebalance' || group.initialUntil !== null) return;
    if (group.roster.everyoneWaits) this.#complete(group);
  }

  joinIsDue(group: ClassicGroup): void {
    const now = this.#desk.clock.monotonic();
    if (group.initialUntil !== null && group.newMemberAdded && now < group.initialUntil) {
      group.newMemberAdded = false;
      const delayMs = this.#desk.settings.groupInitialRebalanceDelayMs;
      this.timers.set(group.joinTimer, Math.min(now + delayMs, group.initialUntil));
    } else this.#complete(group);
  }

  /** Members that know of the generation and never asked for their assignment. */
  syncIsDue(group: ClassicGroup): void {
    const missing = [...group.roster.pendingSyncs];
    for (const memberId of missing) {
      const member = group.roster.get(memberId);
      if (member !== undefined) group.expel(member, ERROR.UNKNOWN_MEMBER_ID);
    }
    this.#desk.logger.info('members did not ask for their assignment', { group: group.id, members: missing });
    this.begin(group, 'members did not sync in time');
  }

  synced(group: ClassicGroup, memberId: string): void {
    group.roster.pendingSyncs.delete(memberId);
    if (group.roster.pendingSyncs.size === 0) this.timers.cancel(group.syncTimer);
  }

  sessionIsOver(group: ClassicGroup, memberId: string): void {
    if (group.roster.pendingJoins.has(memberId)) {
      group.forgetPending(memberId);
      this.completeIfAllJoined(group);
      return;
    }
    const member = group.roster.get(memberId);
    if (member === undefined) return;
    // Whoever waits for an answer of ours is not silent; its session begins anew with the answer.
    if (!member.isNew && (member.joining !== null || member.syncing !== null)) return;
    this.#desk.logger.info('member has failed', { group: group.id, member: memberId });
    group.expel(member, ERROR.UNKNOWN_MEMBER_ID);
    this.changed(group, `member ${memberId} was not heard of in time`);
  }

  heardOf(member: ClassicMember): void {
    this.timers.set(member.session, this.#desk.clock.monotonic() + member.sessionTimeoutMs);
  }

  isNew(member: ClassicMember): void {
    member.isNew = true;
    this.timers.set(member.session, this.#desk.clock.monotonic() + NEW_MEMBER_TIMEOUT_MS);
  }

  /** After a load: members have their whole session again, and a group that is too large or has no leader starts over. */
  resume(group: ClassicGroup): void {
    for (const member of group.roster.members()) this.heardOf(member);
    if (group.roster.size > this.#desk.settings.groupMaxSize) this.begin(group, 'more members than group.max.size');
    else if (group.isUnled) this.begin(group, 'its last member of the consumer protocol had gone');
  }

  /** A group that was suspended goes on: its members have their whole session again. */
  revive(group: ClassicGroup): void {
    for (const member of group.roster.members()) this.heardOf(member);
    if (!group.revive()) this.begin(group, 'the group did not change its protocol');
  }

  #waitForAll(group: ClassicGroup): void {
    // Once all are there nobody waits for others any more.
    group.initialUntil = null;
    this.timers.set(group.joinTimer, this.#desk.clock.monotonic() + group.roster.rebalanceTimeoutMs);
  }

  #complete(group: ClassicGroup): void {
    const { timers, clock, logger } = this.#desk;
    timers.cancel(group.joinTimer);
    this.#dropAbsent(group);
    // Static members may be away for as long as their session lasts, but a plan needs somebody who makes it.
    if (!group.roster.electWaitingLeader() && group.roster.size > 0) {
      logger.warn('nobody rejoined the group', { group: group.id, members: group.roster.size });
      this.#waitForAll(group);
      return;
    }
    group.beginGeneration(clock.now());
    const { id, generation } = group;
    if (group.isEmpty) {
      logger.info('group is empty', { group: id, generation });
      this.#store(group);
      return;
    }
    logger.info('generation begins', { group: id, generation, members: group.roster.size });
    for (const member of group.roster.members()) {
      group.roster.pendingSyncs.add(member.id);
      group.roster.answerJoin(member, joinAnswer(group, member));
      member.isNew = false;
      this.heardOf(member);
    }
    timers.set(group.syncTimer, clock.monotonic() + group.roster.rebalanceTimeoutMs);
  }

  #dropAbsent(group: ClassicGroup): void {
    const absent = [...group.roster.members()].filter(
      ({ joining, instanceId }) => joining === null && instanceId === null,
    );
    if (absent.length === 0) return;
    for (const member of absent) group.expel(member, ERROR.UNKNOWN_MEMBER_ID);
    const members = absent.map(({ id }) => id);
    this.#desk.logger.info('members did not rejoin', { group: group.id, members });
  }

  /** When this fails the generation before may come back with the log; its members would be found silent then. */
  #store(group: ClassicGroup): void {
    group.isStored = true;
    this.#desk.writes.write([group.asRecord(() => NO_BYTES)], (error) => {
      if (error !== ERROR.NONE) this.#desk.logger.warn('empty group was not stored', { group: group.id, error });
    });
  }
}

/** The current generation as a member is told of it; only the leader is told the members. */
export function joinAnswer(group: ClassicGroup, member: ClassicMember): JoinResponse {
  const { roster, protocol } = group;
  const leads = roster.leaderId === member.id;
  const told = leads ? Array.from(roster.members()) : [];
  return {
    throttleTimeMs: 0,
    errorCode: ERROR.NONE,
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: protocol ?? '',
    leader: roster.leaderId ?? '',
    skipAssignment: false,
    memberId: member.id,
    members: told.map((one) => ({
      memberId: one.id,
      groupInstanceId: one.instanceId,
      metadata: one.metadataOf(protocol),
    })),
  };
}
