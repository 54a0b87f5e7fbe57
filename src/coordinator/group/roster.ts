/**
 * Who is in a classic group, and who is about to be: members, the one that leads, the holders of static ids, ids that were given
 * out and have not come back. Keeps the counts that make every question about them cheap; they always agree with the members.
 */
import { assert } from '../../base/assert.ts';
import type { Timer } from '../../base/timers.ts';
import { ERROR } from '../../wire/errors.ts';
import type { ClassicMember, Joined, MemberProtocol } from './classic-member.ts';
import type { JoinResponse, Respond } from './messages.ts';
import { refusedJoin } from './refusals.ts';

export class Roster {
  readonly #members = new Map<string, ClassicMember>();
  /** Member ids by group instance id. */
  readonly #holders = new Map<string, string>();
  /** How many members can do a protocol. */
  readonly #supporters = new Map<string, number>();
  #waiting = 0;
  #leaderId: string | null = null;
  /** Ids that were given out, with the time until which they may be used to join. */
  readonly pendingJoins = new Map<string, Timer>();
  /** Members that have been told of the generation and have not asked for their assignment. */
  readonly pendingSyncs = new Set<string>();

  get size(): number {
    return this.#members.size;
  }

  /** Members whose join waits for its answer. */
  get waiting(): number {
    return this.#waiting;
  }

  get everyoneWaits(): boolean {
    return this.#waiting === this.#members.size && this.pendingJoins.size === 0;
  }

  get leaderId(): string | null {
    return this.#leaderId;
  }

  get(id: string): ClassicMember | undefined {
    return this.#members.get(id);
  }

  members(): IterableIterator<ClassicMember> {
    return this.#members.values();
  }

  /** The member id that goes by a static id at the moment. */
  holderOf(instanceId: string): string | undefined {
    return this.#holders.get(instanceId);
  }

  /** The time that a rebalance may take: the slowest member's. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.#members.values()) longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }

  /** NONE when the id is a member's, and the static id, where one is told, its own. */
  identityProblem(id: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const holder = this.#holders.get(instanceId);
      if (holder === undefined) return ERROR.UNKNOWN_MEMBER_ID;
      if (holder !== id) return ERROR.FENCED_INSTANCE_ID;
    }
    return this.#members.has(id) ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID;
  }

  add(member: ClassicMember): void {
    assert(!this.#members.has(member.id), 'a member is added once', { member: member.id });
    if (member.instanceId !== null) {
      assert(!this.#holders.has(member.instanceId), 'a static id has one holder', { instance: member.instanceId });
      this.#holders.set(member.instanceId, member.id);
    }
    this.#members.set(member.id, member);
    this.#count(member, 1);
    this.#leaderId ??= member.id;
  }

  remove(member: ClassicMember): void {
    assert(this.#members.get(member.id) === member, 'only a member is removed', { member: member.id });
    assert(member.joining === null, 'a member is answered before it goes', { member: member.id });
    this.#members.delete(member.id);
    this.#count(member, -1);
    if (member.instanceId !== null) this.#holders.delete(member.instanceId);
    this.pendingSyncs.delete(member.id);
    if (this.#leaderId === member.id) this.#leaderId = this.#members.keys().next().value ?? null;
  }

  update(member: ClassicMember, joined: Joined): void {
    this.#count(member, -1);
    member.readsOn = false;
    member.protocols = joined.protocols;
    member.rebalanceTimeoutMs = joined.rebalanceTimeoutMs;
    member.sessionTimeoutMs = joined.sessionTimeoutMs;
    this.#count(member, 1);
  }

  /** Null when nobody is to, until members have joined. */
  lead(id: string | null): void {
    this.#leaderId = id === null || this.#members.has(id) ? id : this.#leaderId;
  }

  /** The member waits for the answer of its join. One that waited before has been given up by its client. */
  park(member: ClassicMember, respond: Respond<JoinResponse>): void {
    this.answerJoin(member, refusedJoin(member.id, ERROR.REBALANCE_IN_PROGRESS));
    member.joining = respond;
    this.#waiting += 1;
  }

  /** False when it did not wait. */
  answerJoin(member: ClassicMember, body: JoinResponse): boolean {
    const respond = member.joining;
    if (respond === null) return false;
    member.joining = null;
    this.#waiting -= 1;
    respond(body);
    return true;
  }

  /** When there is no leader that has joined, the first member that has leads; false when nobody has. */
  electWaitingLeader(): boolean {
    const leader = this.#leaderId === null ? undefined : this.#members.get(this.#leaderId);
    if (leader !== undefined && leader.joining !== null) return true;
    for (const member of this.#members.values()) {
      if (member.joining === null) continue;
      this.#leaderId = member.id;
      return true;
    }
    return false;
  }

  /** Whether somebody with these protocols has one in common with all members. */
  sharesOne(protocols: readonly MemberProtocol[]): boolean {
    return protocols.some(({ name }) => this.#isShared(name));
  }

  /** Of the protocols that all can do, the one that most members like best; the first among equals. */
  chooseProtocol(): string {
    const votes = new Map<string, number>();
    for (const { protocols } of this.#members.values()) {
      const vote = protocols.find(({ name }) => this.#isShared(name));
      assert(vote !== undefined, 'all members share a protocol');
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    let chosen = '';
    let most = 0;
    for (const [name, count] of votes) {
      if (count <= most) continue;
      chosen = name;
      most = count;
    }
    return chosen;
  }

  #isShared(protocol: string): boolean {
    return (this.#supporters.get(protocol) ?? 0) === this.#members.size;
  }

  #count(member: ClassicMember, by: 1 | -1): void {
    for (const name of member.protocolNames()) {
      const count = (this.#supporters.get(name) ?? 0) + by;
      if (count === 0) this.#supporters.delete(name);
      else this.#supporters.set(name, count);
    }
  }
}
