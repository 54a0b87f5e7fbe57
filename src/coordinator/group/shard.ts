/**
 * The groups and offsets of one partition of `__consumer_offsets`: replays that log, then answers for it, alone. Whatever must last
 * goes to the journal first; every request is answered exactly once, at the latest when the shard is unloaded.
 */
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Deadlines } from '../../base/timers.ts';
import type { GroupOverrides } from '../../config/group-settings.ts';
import { ERROR } from '../../wire/errors.ts';
import type { Journal } from '../journal.ts';
import { Committing } from './committing.ts';
import { ClassicMembers } from './consumer/classic-members.ts';
import { describeConsumerGroup } from './consumer/description.ts';
import { Heartbeats } from './consumer/heartbeats.ts';
import { LiveConsumerGroup } from './consumer/live-group.ts';
import { Transitions } from './consumer/transitions.ts';
import type { ConsumerGroupRecord } from './consumer-records.ts';
import { describeGroup, type ListFilters, listGroups } from './descriptions.ts';
import type { Desk, GroupSettings } from './desk.ts';
import { fetchOffsets } from './fetching.ts';
import { Groups } from './groups.ts';
import { Joining } from './joining.ts';
import { Membership } from './membership.ts';
import type * as messages from './messages.ts';
import type { Caller, Respond } from './messages.ts';
import { OffsetDeletion } from './offset-deletion.ts';
import { Offsets } from './offsets.ts';
import { Rebalances } from './rebalances.ts';
import type { GroupRecord } from './records.ts';
import { Removal } from './removal.ts';
import { Syncing } from './syncing.ts';
import type { Topics } from './topics.ts';
import { groupWriteError } from './write-errors.ts';
import { Writes } from './writes.ts';

export interface ShardParts {
  readonly journal: Journal<GroupRecord>;
  /** On the clock's monotonic time. */
  readonly timers: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: GroupSettings;
  readonly overrides: (group: string) => GroupOverrides;
  readonly topics: Topics;
  readonly logger: Logger;
}

export class GroupShard {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #offsets = new Offsets();
  readonly #rebalances: Rebalances;
  readonly #heartbeats: Heartbeats;
  readonly #joining: Joining;
  readonly #syncing: Syncing;
  readonly #membership: Membership;
  readonly #committing: Committing;
  readonly #offsetDeletion: OffsetDeletion;
  readonly #removal: Removal;

  constructor({ journal, ...parts }: ShardParts) {
    const desk = { ...parts, writes: new Writes(journal) };
    this.#desk = desk;
    this.#rebalances = new Rebalances(desk);
    this.#groups = new Groups(this.#rebalances, desk.clock);
    const transitions = new Transitions(desk, this.#groups, this.#rebalances);
    const classicMembers = new ClassicMembers(desk, transitions);
    this.#heartbeats = new Heartbeats(desk, this.#groups, transitions);
    this.#joining = new Joining(desk, this.#groups, this.#rebalances, classicMembers);
    this.#syncing = new Syncing(desk, this.#groups, this.#rebalances, classicMembers);
    this.#membership = new Membership(desk, this.#groups, this.#rebalances, classicMembers);
    this.#committing = new Committing(desk, this.#groups, this.#offsets);
    this.#removal = new Removal(desk, this.#groups, this.#offsets);
    this.#offsetDeletion = new OffsetDeletion(desk, this.#groups, this.#offsets, this.#removal);
  }

  /** One record of the log, from its start and in its order; before `loaded`. */
  replay(record: GroupRecord): void {
    if (record.kind === 'offset-commit') {
      this.#offsets.apply(record);
      return;
    }
    if (record.kind !== 'group-metadata') return this.#replayConsumer(record);
    // A group that has changed its kind has tombstones of the one it was.
    if (record.value !== null || this.#groups.classic(record.group) !== undefined) {
      this.#groups.remove(record.group, ERROR.UNKNOWN_MEMBER_ID);
    }
    if (record.value !== null) this.#groups.newClassic(record.group).restore(record.value);
  }

  #replayConsumer(record: ConsumerGroupRecord): void {
    const there = this.#groups.consumer(record.group);
    if (record.value === null && (there === undefined || record.kind === 'consumer-group-metadata')) {
      if (there !== undefined) this.#groups.remove(record.group, ERROR.UNKNOWN_MEMBER_ID);
      return;
    }
    const group = there ?? new LiveConsumerGroup(record.group, this.#heartbeats);
    if (there === undefined) this.#groups.put(group);
    group.state.apply(record);
  }

  /** The log has been replayed: from here on requests are taken. */
  loaded(): void {
    // Whoever commits without being in a group has no group in the log.
    for (const id of this.#offsets.groups()) if (this.#groups.get(id) === undefined) this.#groups.newClassic(id);
    for (const group of this.#groups.values()) {
      if (group.kind === 'classic') this.#rebalances.resume(group);
      else group.resume();
    }
  }

  /** Another owner takes over, or none: everybody is answered, nothing of this shard happens any more. */
  unload(error: number = ERROR.NOT_COORDINATOR): void {
    // Before the writes: what is under way may be in the log for the next owner, so nobody is told more by this one.
    for (const group of this.#groups.values()) if (group.kind === 'consumer') group.turns.refuse(error);
    this.#desk.writes.close(error);
    for (const { id } of [...this.#groups.values()]) this.#groups.remove(id, error);
  }

  joinGroup(request: messages.JoinRequest, caller: Caller, respond: Respond<messages.JoinResponse>): void {
    this.#joining.join(request, caller, respond);
  }

  syncGroup(request: messages.SyncRequest, caller: Caller, respond: Respond<messages.SyncResponse>): void {
    this.#syncing.sync(request, caller, respond);
  }

  heartbeat(request: messages.HeartbeatRequest, _caller: Caller, respond: Respond<messages.HeartbeatResponse>): void {
    this.#membership.heartbeat(request, respond);
  }

  leaveGroup(request: messages.LeaveRequest, caller: Caller, respond: Respond<messages.LeaveResponse>): void {
    this.#membership.leave(request, caller, respond);
  }

  consumerGroupHeartbeat(
    request: messages.ConsumerHeartbeatRequest,
    caller: Caller,
    respond: Respond<messages.ConsumerHeartbeatResponse>,
  ): void {
    this.#heartbeats.heartbeat(request, caller, respond);
  }

  offsetCommit(request: messages.CommitRequest, caller: Caller, respond: Respond<messages.CommitResponse>): void {
    this.#committing.commit(request, caller, respond);
  }

  /** One group, in the shape of v8 and later; older versions name their only group in other fields. */
  offsetFetch(
    group: messages.FetchedGroup,
    requireStable: boolean,
    caller: Caller,
    respond: Respond<messages.GroupOffsets>,
  ): void {
    const there = this.#groups.get(group.groupId);
    respond(fetchOffsets(group, requireStable, caller, there, this.#offsets, this.#desk.topics));
  }

  offsetDelete(
    request: messages.OffsetDeleteRequest,
    _caller: Caller,
    respond: Respond<messages.OffsetDeleteResponse>,
  ): void {
    this.#offsetDeletion.delete(request, respond);
  }

  listGroups(filters: ListFilters): messages.ListedGroup[] {
    return listGroups(this.#groups, filters);
  }

  describeGroup(id: string, { version }: Pick<Caller, 'version'>): messages.DescribedGroup {
    return describeGroup(this.#groups, id, version);
  }

  describeConsumerGroup(id: string): messages.DescribedConsumerGroup {
    const { settings, topics } = this.#desk;
    return describeConsumerGroup(id, this.#groups.get(id), settings.groupConsumerAssignors, topics);
  }

  /** Told the group's code of DeleteGroups. */
  deleteGroup(id: string, respond: Respond<number>): void {
    const group = this.#groups.get(id);
    const problem = group?.deleteProblem() ?? ERROR.GROUP_ID_NOT_FOUND;
    if (group === undefined || problem !== ERROR.NONE) respond(problem);
    else this.#removal.removeGroup(group, (error) => respond(groupWriteError(error)));
  }

  /** The topic has been deleted: what was committed for it goes. */
  topicDeleted(topic: string): void {
    this.#removal.topicDeleted(topic);
  }

  /** To be called now and then (`offsets.retention.check.interval.ms`), with the wall clock's time. */
  expire(now: number): void {
    this.#removal.expire(now);
  }
}
