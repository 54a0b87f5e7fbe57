/**
 * Who holds which partitions while an assignment is being made: at first what each member was assigned before and may keep;
 * the rest is free. A partition has at most one holder.
 */
import type { Uuid } from '../../../base/uuid.ts';
import { type AssignedGroup, type AssignedMember, compare, type GroupAssignment } from './assignor.ts';

export class Holding {
  readonly memberId: string;
  /** What was kept stands before what was taken. */
  readonly byTopic = new Map<Uuid, number[]>();
  readonly #kept = new Map<Uuid, number>();
  load = 0;

  constructor(memberId: string) {
    this.memberId = memberId;
  }

  of(topicId: Uuid): number {
    return this.byTopic.get(topicId)?.length ?? 0;
  }

  /** Whether there is one to give, of those that were taken or of all. */
  canGive(topicId: Uuid, onlyTaken: boolean): boolean {
    const held = this.of(topicId);
    return held > 0 && !(onlyTaken && held <= (this.#kept.get(topicId) ?? 0));
  }

  /** What is held now was held before. */
  keepAll(): void {
    for (const [topicId, partitions] of this.byTopic) this.#kept.set(topicId, partitions.length);
  }

  take(topicId: Uuid, partition: number): void {
    const partitions = this.byTopic.get(topicId);
    if (partitions === undefined) this.byTopic.set(topicId, [partition]);
    else partitions.push(partition);
    this.load += 1;
  }

  /** Gives the partition that came last. */
  give(topicId: Uuid): number {
    const partition = this.byTopic.get(topicId)?.pop();
    if (partition === undefined) throw new RangeError(`${this.memberId} holds nothing of the topic`);
    this.load -= 1;
    return partition;
  }
}

export class Holdings {
  readonly #group: AssignedGroup;
  /** In the order of the members. */
  readonly all: readonly Holding[];
  readonly #taken = new Map<Uuid, Uint8Array>();

  /** `topics` are those that exist and are subscribed to. */
  constructor(group: AssignedGroup, members: readonly AssignedMember[], topics: Iterable<Uuid>) {
    this.#group = group;
    for (const topicId of topics) this.#taken.set(topicId, new Uint8Array(group.partitionsOf(topicId)));
    this.all = members.map((member) => this.#kept(member));
  }

  #kept({ memberId, topicIds, assigned }: AssignedMember): Holding {
    const holding = new Holding(memberId);
    for (const [topicId, partitions] of assigned) {
      const taken = this.#taken.get(topicId);
      if (taken === undefined || !topicIds.has(topicId)) continue;
      for (const partition of partitions) {
        if (taken[partition] !== 0) continue;
        taken[partition] = 1;
        holding.take(topicId, partition);
      }
    }
    holding.keepAll();
    return holding;
  }

  /** Frees what the member holds beyond `load`, of the topics that it names last first. */
  trim(holding: Holding, load: number): void {
    for (const topicId of [...holding.byTopic.keys()].reverse()) {
      while (holding.load > load && holding.of(topicId) > 0) {
        const partition = holding.give(topicId);
        (this.#taken.get(topicId) as Uint8Array)[partition] = 0;
      }
    }
  }

  /** The partitions of the topic that nobody holds, ascending; whoever asks gives each of them away. */
  free(topicId: Uuid): number[] {
    const taken = this.#taken.get(topicId) ?? new Uint8Array(this.#group.partitionsOf(topicId));
    const free: number[] = [];
    for (let partition = 0; partition < taken.length; partition++) if (taken[partition] === 0) free.push(partition);
    return free;
  }

  assignment(): GroupAssignment {
    return new Map(
      this.all.map(({ memberId, byTopic }) => [
        memberId,
        new Map(
          [...byTopic]
            .filter(([, partitions]) => partitions.length > 0)
            .toSorted(([left], [right]) => compare(left, right))
            .map(([topicId, partitions]) => [topicId, partitions.toSorted((left, right) => left - right)]),
        ),
      ]),
    );
  }
}
