/**
 * A group of the consumer protocol on the shard that coordinates it: what its log says (`state`), and beside it what is of this
 * moment: who waits for a turn, and until when members may be silent or hold on to what they are to give up.
 */
import { type Deadlines, Timer } from '../../../base/timers.ts';
import { ZERO_UUID } from '../../../base/uuid.ts';
import { ERROR } from '../../../wire/errors.ts';
import type { ClassicGroup } from '../classic-group.ts';
import { CONSUMER_PROTOCOL_TYPE } from '../consumer-protocol.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { Committer, Fetcher, Group } from '../group.ts';
import type { Place } from '../offsets.ts';
import type { GroupRecord, OffsetCommitValue } from '../records.ts';
import type { Topics } from '../topics.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, MEMBER_STATE } from './member.ts';
import type { OwnedPartitions } from './owned-partitions.ts';
import { Turns } from './turns.ts';

/** The first version of OffsetCommit in which members of this protocol can be told that their epoch is old. */
const COMMITS_SINCE = 9;

/** Told when a time of a member has run out. */
export interface ConsumerAlarms {
  readonly timers: Deadlines;
  readonly topics: Topics;
  sessionTimeoutMs(group: string): number;
  /** On the timers' time. */
  now(): number;
  sessionIsOver(group: LiveConsumerGroup, memberId: string): void;
  rebalanceIsOver(group: LiveConsumerGroup, memberId: string): void;
}

/** The times of a member: until when it may be silent, and until when it may owe what it has to do in a rebalance. */
interface Watch {
  readonly session: Timer;
  readonly rebalance: Timer;
  /** It has to give partitions up, or to join or sync when it speaks the classic protocol. */
  isOwing: boolean;
}

export type WatchedTime = 'session' | 'rebalance';

export class LiveConsumerGroup implements Group {
  readonly kind = 'consumer';
  readonly id: string;
  readonly state: ConsumerGroup;
  readonly turns = new Turns();
  /** The classic group whose place it takes, until that is in the log; and what the log is told of that. */
  displaced: ClassicGroup | null;
  readonly prelude: readonly ConsumerGroupRecord[];
  readonly #alarms: ConsumerAlarms;
  readonly #watches = new Map<string, Watch>();
  /** Members that go with what is on its way into the log, and what they are told meanwhile. */
  readonly #leaving = new Map<string, number>();
  #isRemoving = false;

  constructor(
    id: string,
    alarms: ConsumerAlarms,
    displaced: ClassicGroup | null = null,
    prelude: readonly ConsumerGroupRecord[] = [],
  ) {
    this.id = id;
    this.state = new ConsumerGroup(id);
    this.displaced = displaced;
    this.prelude = prelude;
    this.#alarms = alarms;
    for (const record of prelude) this.state.apply(record);
  }

  get stateName(): string {
    return this.#isRemoving ? 'Dead' : this.state.state;
  }

  get listedProtocolType(): string {
    return CONSUMER_PROTOCOL_TYPE;
  }

  get isEmpty(): boolean {
    return !this.#isRemoving && this.state.members.size === 0;
  }

  get isBusy(): boolean {
    return this.turns.isBusy || this.state.members.size > 0;
  }

  get isRemoving(): boolean {
    return this.#isRemoving;
  }

  /** Nothing of it is in the log. */
  get isVoid(): boolean {
    return this.displaced !== null || (this.state.epoch === 0 && this.state.members.size === 0);
  }

  /** What was written is in the log. */
  apply(records: readonly ConsumerGroupRecord[]): void {
    for (const record of records) this.state.apply(record);
    for (const record of records) {
      if (record.kind === 'consumer-group-current-member-assignment') this.#watchRevocation(record.memberId);
      else if (record.kind === 'consumer-group-member-metadata') this.#forgetDebt(record.memberId);
    }
  }

  /** After a load: whoever is in it has all its time again. */
  resume(): void {
    for (const memberId of this.state.members.keys()) {
      this.heardOf(memberId);
      this.#watchRevocation(memberId);
    }
  }

  /** From now on whoever is not among these is told that it is out: what it has may be another's when the log has that. */
  reduce(staying: readonly Pick<ConsumerMember, 'memberId' | 'instanceId'>[]): void {
    const ids = new Set(staying.map(({ memberId }) => memberId));
    const instances = new Set(staying.map(({ instanceId }) => instanceId));
    for (const { memberId, instanceId } of this.state.members.values()) {
      const isReplaced = instanceId !== null && instances.has(instanceId);
      if (!ids.has(memberId)) {
        this.#leaving.set(memberId, isReplaced ? ERROR.FENCED_INSTANCE_ID : ERROR.UNKNOWN_MEMBER_ID);
      }
    }
  }

  /** Those have gone, or stay after all. */
  reduced(): void {
    this.#leaving.clear();
  }

  /** NONE for one that does not go. */
  leavingError(memberId: string): number {
    return this.#leaving.get(memberId) ?? ERROR.NONE;
  }

  heardOf(memberId: string): void {
    const classic = this.state.members.get(memberId)?.classicMemberMetadata ?? null;
    const sessionMs = classic?.sessionTimeoutMs ?? this.#alarms.sessionTimeoutMs(this.id);
    this.#alarms.timers.set(this.#watch(memberId).session, this.#alarms.now() + sessionMs);
  }

  /** A member of the classic protocol is to join or to ask for its assignment: from now on it has its rebalance timeout for that. */
  owes(memberId: string): void {
    const watch = this.#watch(memberId);
    watch.isOwing = true;
    const told = this.state.members.get(memberId)?.rebalanceTimeoutMs ?? -1;
    const rebalanceMs = told < 0 ? this.#alarms.sessionTimeoutMs(this.id) : told;
    this.#alarms.timers.set(watch.rebalance, this.#alarms.now() + rebalanceMs);
  }

  isOwing(memberId: string): boolean {
    return this.#watches.get(memberId)?.isOwing ?? false;
  }

  owesNothing(memberId: string): void {
    const watch = this.#watch(memberId);
    watch.isOwing = false;
    this.#alarms.timers.cancel(watch.rebalance);
  }

  /** Its time was over, and the log has not taken that. */
  lookAgain(memberId: string, time: WatchedTime, afterMs: number): void {
    this.#alarms.timers.set(this.#watch(memberId)[time], this.#alarms.now() + afterMs);
  }

  /** Null when there is no such member, or it was heard of since. */
  silent(memberId: string): ConsumerMember | null {
    const isHeardOf = this.#watches.get(memberId)?.session.waiting ?? false;
    return isHeardOf ? null : (this.state.members.get(memberId) ?? null);
  }

  /** Null when there is no such member, or it has done what it was to do. */
  lingering(memberId: string): ConsumerMember | null {
    const watch = this.#watches.get(memberId);
    const isLate = watch?.isOwing === true && !watch.rebalance.waiting;
    return isLate ? (this.state.members.get(memberId) ?? null) : null;
  }

  tombstones(): GroupRecord[] {
    if (this.isVoid) return [];
    const group = this.id;
    const members = [...this.state.members.keys()];
    return [
      ...members.map((memberId): GroupRecord => {
        return { kind: 'consumer-group-current-member-assignment', group, memberId, value: null };
      }),
      ...Array.from(this.state.targets.keys(), (memberId): GroupRecord => {
        return { kind: 'consumer-group-target-assignment-member', group, memberId, value: null };
      }),
      ...members.map((memberId): GroupRecord => {
        return { kind: 'consumer-group-member-metadata', group, memberId, value: null };
      }),
      ...Array.from(this.state.patterns.keys(), (regularExpression): GroupRecord => {
        return { kind: 'consumer-group-regular-expression', group, regularExpression, value: null };
      }),
      { kind: 'consumer-group-target-assignment-metadata', group, value: null },
      { kind: 'consumer-group-partition-metadata', group, value: null },
      { kind: 'consumer-group-metadata', group, value: null },
    ];
  }

  commitProblem({ memberId, generation, version }: Committer, places: readonly Place[]): number {
    if (this.#isRemoving) return ERROR.COORDINATOR_NOT_AVAILABLE;
    if (generation < 0 && this.state.members.size === 0) return ERROR.NONE;
    const member = this.state.members.get(memberId);
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    const leaving = this.leavingError(memberId);
    if (leaving !== ERROR.NONE) return leaving;
    const isClassic = member.classicMemberMetadata !== null;
    if (!isClassic && version < COMMITS_SINCE) return ERROR.UNSUPPORTED_VERSION;
    if (generation === member.memberEpoch) return ERROR.NONE;
    if (isClassic) return ERROR.ILLEGAL_GENERATION;
    return places.every((place) => this.#ownedSince(member, place) <= generation) && generation < member.memberEpoch
      ? ERROR.NONE
      : ERROR.STALE_MEMBER_EPOCH;
  }

  fetchProblem({ memberId, memberEpoch }: Fetcher): number {
    if (memberId === null && memberEpoch < 0) return ERROR.NONE;
    const member = memberId === null ? undefined : this.state.members.get(memberId);
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID;
    if (memberEpoch === member.memberEpoch) return ERROR.NONE;
    return member.classicMemberMetadata === null ? ERROR.STALE_MEMBER_EPOCH : ERROR.ILLEGAL_GENERATION;
  }

  /** Members of this protocol say by heartbeats alone that they are there. */
  committed(): void {}

  offsetDeleteProblem(): number {
    return this.#isRemoving ? ERROR.GROUP_ID_NOT_FOUND : ERROR.NONE;
  }

  /** A group whose first member is on its way into the log is not empty any more. */
  deleteProblem(): number {
    if (this.#isRemoving) return ERROR.GROUP_ID_NOT_FOUND;
    return this.isBusy ? ERROR.NON_EMPTY_GROUP : ERROR.NONE;
  }

  isSubscribedTo(topic: string): boolean {
    for (const { subscribedTopicNames, subscribedTopicRegex } of this.state.members.values()) {
      if (subscribedTopicNames.includes(topic)) return true;
      const resolved = subscribedTopicRegex === null ? undefined : this.state.patterns.get(subscribedTopicRegex);
      if (resolved?.topics.includes(topic)) return true;
    }
    return false;
  }

  retentionStart({ commitTimestamp }: OffsetCommitValue): number {
    return commitTimestamp;
  }

  beginRemoval(): void {
    this.#isRemoving = true;
  }

  endRemoval(): void {
    this.#isRemoving = false;
  }

  dispose(error: number): void {
    this.turns.refuse(error);
    this.stop();
  }

  /** No time of it runs any more. */
  stop(): void {
    for (const memberId of [...this.#watches.keys()]) this.#unwatch(memberId);
  }

  /** In which epoch the member was given the partition, which it may be about to give up; Infinity when it does not own it. */
  #ownedSince({ assigned, pendingRevocation }: ConsumerMember, { topic, partition }: Place): number {
    const topicId = this.#alarms.topics.idOf(topic) ?? ZERO_UUID;
    const epochOf = (owned: OwnedPartitions) => owned.get(topicId)?.get(partition);
    return epochOf(assigned) ?? epochOf(pendingRevocation) ?? Number.POSITIVE_INFINITY;
  }

  #watch(memberId: string): Watch {
    const there = this.#watches.get(memberId);
    if (there !== undefined) return there;
    const watch = {
      session: new Timer(() => this.#alarms.sessionIsOver(this, memberId)),
      rebalance: new Timer(() => this.#alarms.rebalanceIsOver(this, memberId)),
      isOwing: false,
    };
    this.#watches.set(memberId, watch);
    return watch;
  }

  #watchRevocation(memberId: string): void {
    const member = this.state.members.get(memberId);
    if (member === undefined) return this.#unwatch(memberId);
    // A classic one owes its next request, whatever it has to give up; whoever answers it says so.
    if (member.classicMemberMetadata !== null) return;
    if (member.state === MEMBER_STATE.UNREVOKED_PARTITIONS) this.owes(memberId);
    else this.owesNothing(memberId);
  }

  /** One that speaks this protocol from now on owes no request of the other one. */
  #forgetDebt(memberId: string): void {
    const member = this.state.members.get(memberId);
    if (member === undefined || member.classicMemberMetadata !== null || !this.isOwing(memberId)) return;
    if (member.state !== MEMBER_STATE.UNREVOKED_PARTITIONS) this.owesNothing(memberId);
  }

  #unwatch(memberId: string): void {
    const watch = this.#watches.get(memberId);
    if (watch === undefined) return;
    this.#alarms.timers.cancel(watch.session);
    this.#alarms.timers.cancel(watch.rebalance);
    this.#watches.delete(memberId);
  }
}
