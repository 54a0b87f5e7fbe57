/** What must hold of everything the shard said in a simulation, whoever heard it: remembered here, and checked as it is said. */
import { assert } from '../../src/base/assert.ts';
import type { JoinResponse } from '../../src/coordinator/group/messages.ts';
import { ERROR } from '../../src/wire/errors.ts';

interface Who {
  readonly name: string;
  readonly group: string;
}

interface CommittedFacts {
  /** The highest that was answered with success; what is fetched is no older. */
  acknowledged: number;
  /** The highest that was ever asked for. */
  asked: number;
  /** What was asked up to here may have been deleted. */
  doubtfulTo: number;
  /** What was asked up to here has been. */
  deletedTo: number;
}

export class GroupFacts {
  readonly #open = new Set<string>();
  /** By group, life of the shard and generation. */
  readonly #leaders = new Map<string, string>();
  /** By group, generation and partition. */
  readonly #owners = new Map<string, string>();
  readonly #committed = new Map<string, CommittedFacts>();
  /** A group that was removed begins with generation 1 again. */
  readonly #restarts = new Map<string, number>();
  #offset = 0;
  #requests = 0;
  #answers = 0;
  #plans = 0;
  #commits = 0;
  life = 0;

  get openCount(): number {
    return this.#open.size;
  }

  /** How much has happened, to see that a simulation is worth its name. */
  get counts() {
    return { answers: this.#answers, plans: this.#plans, commits: this.#commits };
  }

  expectAnswer<Body>(what: string, then: (body: Body) => void): (body: Body) => void {
    this.#requests += 1;
    const request = `${this.#requests}: ${what}`;
    this.#open.add(request);
    return (body) => {
      assert(this.#open.delete(request), 'a request is answered once', { request });
      this.#answers += 1;
      then(body);
    };
  }

  mayRestart(group: string): void {
    this.#restarts.set(group, (this.#restarts.get(group) ?? 0) + 1);
  }

  #named(group: string): string {
    return `${group} after ${this.#restarts.get(group) ?? 0} removals`;
  }

  joined({ name, group }: Who, { errorCode, generationId, leader, members }: JoinResponse): void {
    if (errorCode !== ERROR.NONE) return;
    const key = `${this.#named(group)} in life ${this.life}, generation ${generationId}`;
    const led = nameOf(leader);
    assert((this.#leaders.get(key) ?? led) === led, 'a generation has one leader', { key, leader });
    assert(members.length === 0 || led === name, 'only the leader is told the members', { key, leader, name });
    this.#leaders.set(key, led);
  }

  assigned({ name, group }: Who, generation: number, assignment: string): void {
    this.#plans += 1;
    for (const partition of assignment.split(' ').filter((word) => word !== '')) {
      const key = `${this.#named(group)} generation ${generation}, partition ${partition}`;
      const owner = this.#owners.get(key) ?? name;
      assert(owner === name, 'a partition has one owner in a generation', { key, owner, name });
      this.#owners.set(key, name);
    }
  }

  /** Offsets grow in the order in which commits reach the shard. */
  nextOffset(): number {
    this.#offset += 1;
    return this.#offset;
  }

  #of(group: string, partition: number): CommittedFacts {
    const key = `${group} ${partition}`;
    const there = this.#committed.get(key);
    if (there !== undefined) return there;
    const fresh = { acknowledged: -1, asked: -1, doubtfulTo: -1, deletedTo: -1 };
    this.#committed.set(key, fresh);
    return fresh;
  }

  committing(group: string, partition: number, offset: number): (error: number) => void {
    const facts = this.#of(group, partition);
    facts.asked = offset;
    return (error) => {
      if (error !== ERROR.NONE) return;
      this.#commits += 1;
      if (offset > facts.doubtfulTo) facts.acknowledged = Math.max(facts.acknowledged, offset);
    };
  }

  /** From now on all that is there may be gone; it is when that is answered with success. */
  deleting(group: string, partitions: readonly number[]): (error: number) => void {
    const asked = partitions.map((partition) => {
      const facts = this.#of(group, partition);
      facts.acknowledged = -1;
      facts.doubtfulTo = facts.asked;
      return { facts, to: facts.asked };
    });
    return (error) => {
      if (error !== ERROR.NONE) return;
      for (const { facts, to } of asked) facts.deletedTo = Math.max(facts.deletedTo, to);
    };
  }

  fetched(group: string, partition: number, offset: number): void {
    const { acknowledged, asked, deletedTo } = this.#of(group, partition);
    const seen = { group, partition, offset, acknowledged, asked, deletedTo };
    assert(offset >= acknowledged && offset <= asked, 'what was acknowledged is there', seen);
    assert(offset === -1 || offset > deletedTo, 'what was deleted is gone', seen);
  }
}

/** Ids begin with what the member calls itself. */
function nameOf(memberId: string): string {
  return memberId.replace(/^instance-/, '').replace(/-[0-9a-f]{8}-[0-9a-f-]{27}$/, '');
}
