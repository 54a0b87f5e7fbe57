/**
 * A consumer of the classic protocol as clients are, eager or cooperative: it reads what it was assigned until it joins again, or
 * for as long as nobody takes that from it; when it leads it shares out what nobody claims. One request at a time.
 */
import { readSubscription, writeAssignment } from '../../src/coordinator/group/consumer-protocol.ts';
import type { JoinRequest, JoinResponse, SyncRequest, SyncResponse } from '../../src/coordinator/group/messages.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { subscription, type TopicsByCount } from './world.ts';

type Identity = Pick<JoinRequest, 'groupId' | 'memberId' | 'groupInstanceId'>;
type Phase = 'out' | 'joined' | 'in';

const NO_GENERATION = -1;
/** No version of the topics: another plan has to follow. */
const INCOMPLETE = -1;

export class SimulatedClassic {
  readonly group: string;
  readonly instanceId: string | null;
  readonly isEager: boolean;
  readonly #topics: TopicsByCount;
  names: readonly string[];
  /** `t-0`: it reads these. */
  readonly owned = new Set<string>();
  memberId = '';
  #phase: Phase = 'out';
  #generation = NO_GENERATION;
  #told: JoinResponse | null = null;
  /** Of the topics that it has shared out as the leader. */
  #plannedAt: number | null = null;
  /** What it has told the group last. */
  #joinedWith: readonly string[];

  constructor(
    group: string,
    instanceId: string | null,
    isEager: boolean,
    names: readonly string[],
    topics: TopicsByCount,
  ) {
    this.group = group;
    this.instanceId = instanceId;
    this.isEager = isEager;
    this.names = names;
    this.#joinedWith = names;
    this.#topics = topics;
  }

  get isIn(): boolean {
    return this.#phase === 'in';
  }

  get generation(): number {
    return this.#generation;
  }

  /** What it has to ask next; a leader looks for topics that have changed. */
  get next(): 'join' | 'sync' | 'beat' {
    if (this.#phase === 'in' && this.#plannedAt !== null && this.#plannedAt !== this.#topics.version) return 'join';
    // It has subscribed to others while a join or a sync was under way.
    if (this.#phase === 'in' && this.#joinedWith !== this.names) return 'join';
    return this.#phase === 'out' ? 'join' : this.#phase === 'joined' ? 'sync' : 'beat';
  }

  subscribe(names: readonly string[]): void {
    this.names = names;
    if (this.#phase === 'in') this.#phase = 'out';
  }

  identity(): Identity {
    return { groupId: this.group, memberId: this.memberId, groupInstanceId: this.instanceId };
  }

  joinRequest(sessionTimeoutMs: number, rebalanceTimeoutMs: number): JoinRequest {
    if (this.isEager) this.owned.clear();
    this.#phase = 'out';
    this.#plannedAt = null;
    this.#joinedWith = this.names;
    const metadata = subscription(this.names, this.isEager ? null : placed(this.owned));
    const times = { sessionTimeoutMs, rebalanceTimeoutMs };
    const protocols = [{ name: 'range', metadata }];
    return { ...this.identity(), ...times, protocolType: 'consumer', protocols, reason: null };
  }

  joined(body: JoinResponse): void {
    if (body.errorCode === ERROR.MEMBER_ID_REQUIRED) this.memberId = body.memberId;
    if (body.errorCode !== ERROR.NONE) return this.refused(body.errorCode);
    this.memberId = body.memberId;
    this.#generation = body.generationId;
    this.#told = body;
    this.#phase = 'joined';
  }

  syncRequest(): SyncRequest {
    const told = this.#told;
    const leads = told !== null && told.leader === this.memberId && !told.skipAssignment;
    if (leads) this.#plannedAt = this.#topics.version;
    const assignments = leads ? this.#plan(told) : [];
    const agreed = { protocolType: 'consumer', protocolName: 'range' };
    return { ...this.identity(), generationId: this.#generation, ...agreed, assignments };
  }

  synced({ errorCode }: SyncResponse, assigned: readonly string[]): void {
    if (errorCode !== ERROR.NONE) return this.refused(errorCode);
    this.#phase = 'in';
    const wanted = new Set(assigned);
    // What it has to give up it says by joining again without it.
    if (Array.from(this.owned).some((partition) => !wanted.has(partition))) this.#phase = 'out';
    this.owned.clear();
    for (const partition of wanted) this.owned.add(partition);
  }

  refused(error: number): void {
    if (error === ERROR.UNKNOWN_MEMBER_ID || error === ERROR.FENCED_INSTANCE_ID) this.fenced();
    else if (error === ERROR.ILLEGAL_GENERATION) this.#lose();
    else if (error === ERROR.REBALANCE_IN_PROGRESS) this.#phase = 'out';
  }

  /** It is out, and comes back as another member. */
  fenced(): void {
    this.memberId = '';
    this.#lose();
  }

  #lose(): void {
    this.owned.clear();
    this.#phase = 'out';
    this.#generation = NO_GENERATION;
  }

  #plan({ members }: JoinResponse): SyncRequest['assignments'] {
    const plan = members.map(({ memberId, metadata }) => {
      const said = readSubscription(metadata);
      return {
        memberId,
        metadata,
        topics: said?.topics ?? [],
        claims: said?.ownedPartitions ?? [],
        owned: [] as string[],
      };
    });
    for (const topic of this.#topics.names()) {
      const takers = plan.filter(({ topics }) => topics.includes(topic));
      for (let partition = 0; this.#topics.hasPartition(topic, partition); partition++) {
        const claimed = plan.find(({ claims }) =>
          claims.some((claim) => claim.topic === topic && claim.partitions.includes(partition)),
        );
        const taker = claimed === undefined ? takers[partition % Math.max(takers.length, 1)] : claimed;
        if (taker !== undefined && takers.includes(taker)) taker.owned.push(`${topic}-${partition}`);
        // What is claimed and not wanted any more is free once its owner has joined without it, or is not there any more.
        else if (takers.length > 0) this.#plannedAt = INCOMPLETE;
      }
    }
    return plan.map(({ memberId, metadata, owned }) => {
      return { memberId, assignment: writeAssignment(placed(new Set(owned)), metadata) };
    });
  }
}

function placed(owned: ReadonlySet<string>): { topic: string; partitions: number[] }[] {
  const places = new Map<string, number[]>();
  for (const name of owned) {
    const at = name.lastIndexOf('-');
    const topic = name.slice(0, at);
    places.set(topic, [...(places.get(topic) ?? []), Number(name.slice(at + 1))]);
  }
  return Array.from(places, ([topic, partitions]) => ({ topic, partitions }));
}
