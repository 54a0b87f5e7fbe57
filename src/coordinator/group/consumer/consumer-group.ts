/**
 * A group of the consumer protocol: its members, their subscriptions, the target that the assignor made for an epoch and who
 * owns what on the way there. Its records alone change it (`apply`), in their order, be they new or read from the log.
 */
import type { Uuid } from '../../../base/uuid.ts';
import type { MemberAssignment } from '../assignors/assignor.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import { type ConsumerMember, MEMBER_STATE, newMember, UNASSIGNED, withAssignment, withMetadata } from './member.ts';
import type { OwnedPartitions } from './owned-partitions.ts';

/** Kafka's names. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

export interface ResolvedPattern {
  readonly topics: readonly string[];
}

const NO_TARGET: MemberAssignment = new Map();

export class ConsumerGroup {
  readonly id: string;
  readonly #members = new Map<string, ConsumerMember>();
  readonly #instances = new Map<string, string>();
  readonly #patterns = new Map<string, ResolvedPattern>();
  readonly #targets = new Map<string, MemberAssignment>();
  readonly #owners = new Map<Uuid, Map<number, string>>();
  /** Of the topics, when the subscriptions were last compared with them; not in the log, so at first unknown. */
  comparedAt = -1;
  #epoch = 0;
  #metadataHash = 0n;
  #targetEpoch = 0;

  constructor(id: string) {
    this.id = id;
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members;
  }

  get patterns(): ReadonlyMap<string, ResolvedPattern> {
    return this.#patterns;
  }

  /** Of the subscriptions and topics; a target of an older epoch is out of date. */
  get epoch(): number {
    return this.#epoch;
  }

  get metadataHash(): bigint {
    return this.#metadataHash;
  }

  get targetEpoch(): number {
    return this.#targetEpoch;
  }

  get targets(): ReadonlyMap<string, MemberAssignment> {
    return this.#targets;
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty';
    if (this.#epoch > this.#targetEpoch) return 'Assigning';
    for (const { state, memberEpoch } of this.#members.values()) {
      if (state !== MEMBER_STATE.STABLE || memberEpoch !== this.#targetEpoch) return 'Reconciling';
    }
    return 'Stable';
  }

  targetOf(memberId: string): MemberAssignment {
    return this.#targets.get(memberId) ?? NO_TARGET;
  }

  /** The member that stands for the instance. */
  ofInstance(instanceId: string): ConsumerMember | undefined {
    const memberId = this.#instances.get(instanceId);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  /** Who owns the partition, or has not yet given it up. */
  ownerOf(topicId: Uuid, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition);
  }

  apply(record: ConsumerGroupRecord): void {
    switch (record.kind) {
      case 'consumer-group-metadata':
        this.#epoch = record.value?.epoch ?? 0;
        this.#metadataHash = record.value?.metadataHash ?? 0n;
        return;
      case 'consumer-group-partition-metadata':
        return;
      case 'consumer-group-member-metadata':
        if (record.value === null) this.#remove(record.memberId);
        else this.#put(withMetadata(this.#memberOf(record.memberId), record.value));
        return;
      case 'consumer-group-target-assignment-metadata':
        this.#targetEpoch = record.value?.assignmentEpoch ?? 0;
        return;
      case 'consumer-group-target-assignment-member':
        if (record.value === null) this.#targets.delete(record.memberId);
        else {
          const topics = record.value.topicPartitions.map(({ topicId, partitions }) => [topicId, partitions] as const);
          this.#targets.set(record.memberId, new Map(topics));
        }
        return;
      case 'consumer-group-current-member-assignment':
        this.#assign(record.memberId, record.value);
        return;
      case 'consumer-group-regular-expression':
        if (record.value === null) this.#patterns.delete(record.regularExpression);
        else this.#patterns.set(record.regularExpression, record.value);
        return;
    }
  }

  #memberOf(memberId: string): ConsumerMember {
    return this.#members.get(memberId) ?? newMember(memberId);
  }

  #put(member: ConsumerMember): void {
    this.#members.set(member.memberId, member);
    if (member.instanceId !== null) this.#instances.set(member.instanceId, member.memberId);
  }

  #remove(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    this.#release(member);
    this.#members.delete(memberId);
    // A static member that came back under another id stands for the instance by now.
    const { instanceId } = member;
    if (instanceId !== null && this.#instances.get(instanceId) === memberId) this.#instances.delete(instanceId);
  }

  #assign(memberId: string, value: Parameters<typeof withAssignment>[1] | null): void {
    const before = this.#members.get(memberId);
    // What stands in the log of a member that is gone, between two tombstones of it.
    if (value === null && before === undefined) return;
    const member = before ?? newMember(memberId);
    this.#release(member);
    const after = value === null ? { ...member, ...UNASSIGNED } : withAssignment(member, value);
    this.#own(memberId, after.assigned);
    this.#own(memberId, after.pendingRevocation);
    this.#members.set(memberId, after);
  }

  #own(memberId: string, partitions: OwnedPartitions): void {
    for (const [topicId, epochs] of partitions) {
      let owners = this.#owners.get(topicId);
      if (owners === undefined) {
        owners = new Map();
        this.#owners.set(topicId, owners);
      }
      for (const partition of epochs.keys()) owners.set(partition, memberId);
    }
  }

  #release({ memberId, assigned, pendingRevocation }: ConsumerMember): void {
    for (const partitions of [assigned, pendingRevocation]) {
      for (const [topicId, epochs] of partitions) {
        const owners = this.#owners.get(topicId);
        if (owners === undefined) continue;
        for (const partition of epochs.keys()) if (owners.get(partition) === memberId) owners.delete(partition);
        if (owners.size === 0) this.#owners.delete(topicId);
      }
    }
  }
}
