/**
 * A member of the classic protocol on a raw connection that lives as clients do: it joins, shares the partitions out when it
 * leads, beats, commits one more for each of its partitions, joins again when it is told to. It checks what must always
 * hold: what was acknowledged is committed, whoever owns a partition then.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ERROR } from '../../src/wire/errors.ts';
import { committed, RawMember } from './group-calls.ts';

/** What all members of a group know together. */
export interface Shared {
  readonly topic: string;
  readonly partitions: number;
  /** The highest acknowledged commit of each partition. */
  readonly acknowledged: number[];
  /** Owners by generation: who had which partitions. */
  readonly owned: Map<number, Map<string, readonly number[]>>;
}

export function shared(topic: string, partitions: number): Shared {
  return { topic, partitions, acknowledged: Array.from({ length: partitions }, () => 0), owned: new Map() };
}

/** Partitions that two members had in one generation, as `generation: partition`. */
export function ownedTwice({ owned }: Shared): string[] {
  return Array.from(owned).flatMap(([generation, members]) => {
    const all = Array.from(members.values()).flat();
    return all.filter((partition, at) => all.indexOf(partition) !== at).map((twice) => `${generation}: ${twice}`);
  });
}

const PACE_MS = 20;
/** The shard is elsewhere for a moment. */
const AGAIN: readonly number[] = [ERROR.COORDINATOR_LOAD_IN_PROGRESS, ERROR.NOT_COORDINATOR];

export class SteadyMember {
  readonly #member: RawMember;
  readonly #shared: Shared;
  #owned: readonly number[] = [];
  #settled = false;
  #going = true;
  readonly #ended: Promise<void>;
  /** What ended its life, if it was not told to; whoever stops it is told, too. */
  failure: Error | null = null;
  /** Times that its id was not known any more. */
  lost = 0;
  /** What it did, in rounds of beat and commits. */
  rounds = 0;

  private constructor(member: RawMember, shared: Shared) {
    this.#member = member;
    this.#shared = shared;
    this.#ended = this.#live();
    this.#ended.catch((problem: Error) => {
      this.failure = problem;
    });
  }

  static async join(port: number, group: string, shared: Shared, sessionMs = 6_000): Promise<SteadyMember> {
    return new SteadyMember(await RawMember.connect(port, group, { sessionMs, rebalanceMs: sessionMs }), shared);
  }

  get id(): string {
    return this.#member.id;
  }

  get generation(): number {
    return this.#member.generation;
  }

  /** Its partitions; none while it is between generations. */
  get owned(): readonly number[] {
    return this.#settled ? this.#owned : [];
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Leaves, and says what went wrong in its life. */
  async leave(): Promise<void> {
    await this.#end();
    await this.#member.leave();
    await this.#member.close();
  }

  /** Stops beating, without a word. */
  async vanish(): Promise<void> {
    await this.#end();
    await this.#member.close();
  }

  async #end(): Promise<void> {
    this.#going = false;
    this.#settled = false;
    await this.#ended;
  }

  async #live(): Promise<void> {
    while (this.#going) {
      if (!this.#settled) await this.#begin();
      else await this.#round();
      await pause(PACE_MS);
    }
  }

  async #begin(): Promise<void> {
    const member = this.#member;
    const joined = await member.join();
    if (!this.#goesOn(joined.errorCode)) return;
    const { leader, members, memberId, generationId: generation } = joined;
    const ids = members.map((one) => one.memberId).sort();
    const plan = leader === memberId ? Object.fromEntries(ids.map((id, at) => [id, this.#share(at, ids.length)])) : {};
    const { errorCode, assignment } = await member.sync(plan);
    if (!this.#goesOn(errorCode)) return;
    const owned = Array.from(assignment);
    const owners = this.#shared.owned.get(generation) ?? new Map<string, readonly number[]>();
    this.#shared.owned.set(generation, owners);
    owners.set(memberId, owned);
    this.#owned = owned;
    this.#settled = await this.#findsWhatWasAcknowledged();
  }

  /** The partitions of the member at this place, a byte each. */
  #share(at: number, count: number): Uint8Array {
    const all = Array.from({ length: this.#shared.partitions }, (_, partition) => partition);
    return Uint8Array.from(all.filter((partition) => partition % count === at));
  }

  async #findsWhatWasAcknowledged(): Promise<boolean> {
    const { topic, acknowledged } = this.#shared;
    const before = acknowledged.slice();
    const found = await committed(this.#member.client, this.#member.group, topic, this.#owned).catch(() => null);
    if (found === null) return false;
    for (const { partitionIndex, committedOffset } of found) {
      const promised = before[partitionIndex] as number;
      if (Math.max(committedOffset, 0) < promised)
        throw new Error(`partition ${partitionIndex} is at ${committedOffset}, where ${promised} was acknowledged`);
    }
    return true;
  }

  async #round(): Promise<void> {
    if (!this.#goesOn(await this.#member.beat())) return;
    const { topic, acknowledged } = this.#shared;
    for (const partition of this.#owned) {
      const next = (acknowledged[partition] as number) + 1;
      const error = await this.#member.commit(topic, next, { partition });
      if (!this.#goesOn(error)) return;
      if (error === ERROR.NONE) acknowledged[partition] = Math.max(next, acknowledged[partition] as number);
    }
    this.rounds += 1;
  }

  /** False when it has to join anew, or to ask again. */
  #goesOn(error: number): boolean {
    if (error === ERROR.NONE) return true;
    if (AGAIN.includes(error)) return false;
    this.#settled = false;
    if (error === ERROR.UNKNOWN_MEMBER_ID) {
      this.lost += 1;
      this.#member.id = '';
    } else if (error !== ERROR.REBALANCE_IN_PROGRESS && error !== ERROR.ILLEGAL_GENERATION)
      throw new Error(`a member was told error ${error}`);
    return false;
  }
}
