/**
 * A group of the classic protocol: its state, generation and what its members agreed on. Owns this state and says what it
 * allows; what follows from a change, and when, is decided in rebalances.ts.
 *
 *   Empty ──join──▶ PreparingRebalance ──all joined, or time is up──▶ CompletingRebalance ──plan is stored──▶ Stable
 *     ▲                     │  ▲ ▲                                          │                                  │
 *     └───nobody joined─────┘  │ └───────a join, a leave, silence───────────┘                                  │
 *                              └──────────────────a join, a leave, silence─────────────────────────────────────┘
 *   Dead: its removal is being written.
 */
import { type Deadlines, Timer } from '../../base/timers.ts';
import { ERROR } from '../../wire/errors.ts';
import { ClassicMember, type Identity, type Joined, NO_BYTES } from './classic-member.ts';
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './consumer-protocol.ts';
import { type Committer, type Group, NO_MEMBER } from './group.ts';
import type { SyncResponse } from './messages.ts';
import type { GroupMetadataRecord, GroupMetadataValue, GroupRecord, OffsetCommitValue } from './records.ts';
import { refusedJoin, refusedSync } from './refusals.ts';
import { Roster } from './roster.ts';

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** Told when a time of a group has run out, or begins anew. */
export interface Alarms {
  readonly timers: Deadlines;
  joinIsDue(group: ClassicGroup): void;
  syncIsDue(group: ClassicGroup): void;
  sessionIsOver(group: ClassicGroup, memberId: string): void;
  heardOf(member: ClassicMember): void;
}

const UNKNOWN_TIME = -1;

export class ClassicGroup implements Group {
  readonly kind = 'classic';
  readonly id: string;
  readonly roster = new Roster();
  readonly joinTimer: Timer;
  readonly syncTimer: Timer;
  readonly #alarms: Alarms;
  #state: ClassicState = 'Empty';
  #stateTimestamp: number;
  /** Its state when it was suspended. */
  #suspended: ClassicState = 'Empty';
  generation = 0;
  /** The generation whose plan has been handed to the log. */
  planGeneration = -1;
  protocolType: string | null = null;
  protocol: string | null = null;
  /** Null when not known: no consumers, or one whose metadata says nothing readable. */
  #topics: ReadonlySet<string> | null = null;
  /** A group that was empty gives others the time to come: until then it is not completed, however many have joined. */
  initialUntil: number | null = null;
  newMemberAdded = false;
  isStored = false;

  constructor(id: string, alarms: Alarms, now: number) {
    this.id = id;
    this.#alarms = alarms;
    this.#stateTimestamp = now;
    this.joinTimer = new Timer(() => alarms.joinIsDue(this));
    this.syncTimer = new Timer(() => alarms.syncIsDue(this));
  }

  get state(): ClassicState {
    return this.#state;
  }

  get stateName(): string {
    return this.#state;
  }

  get listedProtocolType(): string {
    return this.protocolType ?? '';
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty';
  }

  get isBusy(): boolean {
    return this.roster.size > 0 || this.roster.pendingJoins.size > 0;
  }

  become(state: ClassicState, now: number): void {
    this.#state = state;
    this.#stateTimestamp = now;
  }

  /** What all who have joined come to: with members a plan is wanted, without any the group is empty. */
  beginGeneration(now: number): void {
    this.generation = this.generation === 0x7fff_ffff ? 1 : this.generation + 1;
    this.protocol = this.roster.size > 0 ? this.roster.chooseProtocol() : null;
    this.initialUntil = null;
    this.newMemberAdded = false;
    this.roster.pendingSyncs.clear();
    for (const member of this.roster.members()) member.readsOn = false;
    this.#readTopics();
    this.become(this.roster.size > 0 ? 'CompletingRebalance' : 'Empty', now);
  }

  /** As it was stored; members are heard of from now on only when `heardOf` is told of them. */
  restore(value: GroupMetadataValue): void {
    this.generation = value.generation;
    this.protocolType = value.protocolType === '' ? null : value.protocolType;
    this.protocol = value.protocol;
    this.isStored = true;
    for (const stored of value.members) {
      const member = this.newMember(
        {
          id: stored.memberId,
          instanceId: stored.groupInstanceId,
          clientId: stored.clientId,
          clientHost: stored.clientHost,
        },
        {
          rebalanceTimeoutMs: stored.rebalanceTimeout < 0 ? stored.sessionTimeout : stored.rebalanceTimeout,
          sessionTimeoutMs: stored.sessionTimeout,
          protocols: [{ name: value.protocol ?? '', metadata: stored.subscription }],
        },
      );
      member.assignment = stored.assignment;
      member.readsOn = value.leader === null;
      this.roster.add(member);
    }
    this.roster.lead(value.leader);
    this.#readTopics();
    this.become(this.roster.size > 0 ? 'Stable' : 'Empty', value.currentStateTimestamp);
  }

  /**
   * As a group of the consumer protocol leaves it: members with all that they can do and what they have. Where they have to come
   * together anew nobody leads them, and by that the log says so.
   */
  adopt(generation: number, members: readonly ClassicMember[], now: number): void {
    this.generation = generation;
    this.protocolType = CONSUMER_PROTOCOL_TYPE;
    for (const member of members) this.roster.add(member);
    if (members.some(({ readsOn }) => readsOn)) this.roster.lead(null);
    this.protocol = this.roster.chooseProtocol();
    this.isStored = true;
    this.#readTopics();
    this.become('Stable', now);
  }

  newMember(identity: Identity, joined: Joined): ClassicMember {
    return new ClassicMember(identity, joined, () => this.#alarms.sessionIsOver(this, identity.id));
  }

  /** It was given back by a group of the consumer protocol, and nobody has made a plan since. */
  get isUnled(): boolean {
    return this.roster.size > 0 && this.roster.leaderId === null;
  }

  asRecord(assignmentOf: (member: ClassicMember) => Uint8Array): GroupMetadataRecord {
    const members = Array.from(this.roster.members(), (member) => member.asStored(this.protocol, assignmentOf(member)));
    return {
      kind: 'group-metadata',
      group: this.id,
      value: {
        protocolType: this.listedProtocolType,
        generation: this.generation,
        protocol: this.protocol,
        leader: this.roster.leaderId,
        currentStateTimestamp: this.#stateTimestamp,
        members,
      },
    };
  }

  /** Everybody who waits for an assignment gets this answer, and has its session anew. */
  answerSyncs(bodyFor: (member: ClassicMember) => SyncResponse): void {
    for (const member of this.roster.members()) {
      if (answerSync(member, bodyFor(member))) this.#alarms.heardOf(member);
    }
  }

  failSyncs(error: number): void {
    for (const member of this.roster.members()) member.assignment = NO_BYTES;
    this.answerSyncs(() => refusedSync(error));
  }

  /** The member is no more; whatever it waits for is answered with this error. */
  expel(member: ClassicMember, error: number, toldId = NO_MEMBER): void {
    this.#alarms.timers.cancel(member.session);
    answerSync(member, refusedSync(error));
    this.roster.answerJoin(member, refusedJoin(toldId, error));
    this.roster.remove(member);
  }

  /** Another group is to take its place: whoever waits is told this error, and nothing of it happens any more. */
  suspend(error: number): void {
    const { timers } = this.#alarms;
    for (const member of this.roster.members()) {
      answerSync(member, refusedSync(error));
      this.roster.answerJoin(member, refusedJoin(member.id, error));
      timers.cancel(member.session);
    }
    for (const memberId of [...this.roster.pendingJoins.keys()]) this.forgetPending(memberId);
    timers.cancel(this.joinTimer);
    timers.cancel(this.syncTimer);
    this.#suspended = this.#state;
    this.#state = 'Dead';
  }

  /** The other one did not come. False when its members have to come together anew. */
  revive(): boolean {
    this.#state = this.#suspended;
    return this.isEmpty || (this.#state === 'Stable' && [...this.roster.members()].every(({ replaces }) => !replaces));
  }

  forgetPending(memberId: string): void {
    const timer = this.roster.pendingJoins.get(memberId);
    if (timer === undefined) return;
    this.#alarms.timers.cancel(timer);
    this.roster.pendingJoins.delete(memberId);
  }

  tombstones(): GroupRecord[] {
    return this.isStored ? [{ kind: 'group-metadata', group: this.id, value: null }] : [];
  }

  commitProblem({ memberId, groupInstanceId, generation }: Committer): number {
    if (this.#state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE;
    // Whoever assigns partitions by hand, or an administrator: fine as long as nobody is in the group.
    if (generation < 0 && this.#state === 'Empty') return ERROR.NONE;
    if (generation < 0 && memberId === NO_MEMBER && groupInstanceId === null) return ERROR.UNKNOWN_MEMBER_ID;
    const problem = this.roster.identityProblem(memberId, groupInstanceId);
    if (problem !== ERROR.NONE) return problem;
    if (generation !== this.generation) return ERROR.ILLEGAL_GENERATION;
    return this.#state === 'CompletingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  fetchProblem(): number {
    return ERROR.NONE;
  }

  committed(memberId: string): void {
    const member = this.roster.get(memberId);
    if (member !== undefined) this.#alarms.heardOf(member);
  }

  offsetDeleteProblem(): number {
    if (this.#state === 'Dead') return ERROR.GROUP_ID_NOT_FOUND;
    return this.#state === 'Empty' || this.#hasConsumers ? ERROR.NONE : ERROR.NON_EMPTY_GROUP;
  }

  deleteProblem(): number {
    if (this.#state === 'Dead') return ERROR.GROUP_ID_NOT_FOUND;
    return this.#state === 'Empty' ? ERROR.NONE : ERROR.NON_EMPTY_GROUP;
  }

  isSubscribedTo(topic: string): boolean {
    return this.#topics?.has(topic) ?? this.#hasConsumers;
  }

  retentionStart(offset: OffsetCommitValue): number | null {
    if (this.protocolType === null) return offset.commitTimestamp;
    if (this.#state === 'Empty') {
      return this.#stateTimestamp === UNKNOWN_TIME ? offset.commitTimestamp : this.#stateTimestamp;
    }
    return this.#state === 'Stable' && this.#topics !== null ? offset.commitTimestamp : null;
  }

  beginRemoval(): void {
    this.#state = 'Dead';
  }

  endRemoval(): void {
    this.#state = 'Empty';
  }

  dispose(error: number): void {
    for (const member of [...this.roster.members()]) this.expel(member, error, member.id);
    for (const memberId of [...this.roster.pendingJoins.keys()]) this.forgetPending(memberId);
    this.#alarms.timers.cancel(this.joinTimer);
    this.#alarms.timers.cancel(this.syncTimer);
  }

  get #hasConsumers(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  #readTopics(): void {
    this.#topics = null;
    if (!this.#hasConsumers) return;
    const topics = new Set<string>();
    for (const member of this.roster.members()) {
      const named = subscribedTopics(member.metadataOf(this.protocol));
      if (named === null) return;
      for (const topic of named) topics.add(topic);
    }
    this.#topics = topics;
  }
}

/** False when the member did not wait. */
export function answerSync(member: ClassicMember, body: SyncResponse): boolean {
  const respond = member.syncing;
  if (respond === null) return false;
  member.syncing = null;
  respond(body);
  return true;
}
