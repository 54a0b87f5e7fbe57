/**
 * One run of the classic protocol from a seed: members of a few groups with requests and answers that come late or not at all, a
 * log that holds, loses and refuses, shards that are replaced at any moment. Everything said is checked as it is said; in the
 * end all is calm, and then everybody must be in, every partition owned and nothing left over.
 */
import { assert } from '../../src/base/assert.ts';
import type { Caller } from '../../src/coordinator/group/messages.ts';
import type { GroupShard } from '../../src/coordinator/group/shard.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { GroupFacts } from './group-facts.ts';
import { type Network, PARTITIONS, SimulatedMember } from './simulated-member.ts';
import { caller, textOf, World } from './world.ts';

const GROUPS = ['g', 'h'];
const STEPS = 600;
const CALM_ROUNDS = 300;
const CHECK_EVERY = 8;
const ASK: Caller = caller(9, 'admin');
const LOST = [ERROR.NOT_LEADER_OR_FOLLOWER, ERROR.NOT_ENOUGH_REPLICAS, ERROR.REQUEST_TIMED_OUT];
const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition);

export class Simulation implements Network {
  readonly #world: World;
  readonly #facts = new GroupFacts();
  readonly #members: SimulatedMember[] = [];
  readonly #underWay: (() => void)[] = [];
  #isCalm = false;

  constructor(seed: number) {
    this.#world = new World(seed);
    const { random, settings } = this.#world;
    settings.groupInitialRebalanceDelayMs = random.below(2) === 0 ? 0 : 3000;
    for (const group of GROUPS) {
      for (let at = 1 + random.below(3); at > 0; at--) this.#newMember(group, at);
    }
  }

  get facts(): GroupFacts {
    return this.#facts;
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#step(this.#world.random.below(100));
      if (step % CHECK_EVERY === 0) this.#check();
    }
    this.#calmDown();
    this.#expectOrder();
    this.#end();
  }

  send(deliver: (shard: GroupShard) => void): void {
    this.#underWay.push(() => deliver(this.#world.shard));
  }

  reply(deliver: () => void): void {
    if (this.#isCalm || this.#world.random.below(100) >= 4) this.#underWay.push(deliver);
  }

  #newMember(group: string, at: number): void {
    const { random } = this.#world;
    const isStatic = random.below(3) === 0;
    this.#members.push(new SimulatedMember(`${group}${at}`, group, isStatic, random, this, this.#facts));
  }

  #step(dice: number): void {
    const world = this.#world;
    const { random, journal } = world;
    if (dice < 40) this.#members[random.below(this.#members.length)]?.act();
    else if (dice < 73) for (let count = random.below(4); count >= 0; count--) this.#deliver();
    else if (dice < 81) world.pass(random.below(random.below(8) === 0 ? 30_000 : 1500));
    else if (dice < 90) journal.commit(1 + random.below(3));
    else if (dice < 91) journal.lose(LOST[random.below(LOST.length)] as number);
    else if (dice < 92) journal.refusal = random.below(3) === 0 ? ERROR.RECORD_LIST_TOO_LARGE : ERROR.NONE;
    else if (dice < 93) this.#reload();
    else this.#administer(random.below(6));
  }

  /** Requests and answers overtake each other. */
  #deliver(): void {
    const [deliver] = this.#underWay.splice(this.#world.random.below(this.#underWay.length || 1), 1);
    deliver?.();
  }

  #reload(): void {
    const { random, journal } = this.#world;
    this.#world.reload(random.below(journal.openCount + 1));
    this.#facts.life += 1;
  }

  #administer(what: number): void {
    const { shard, clock } = this.#world;
    const group = GROUPS[this.#world.random.below(GROUPS.length)] as string;
    const isEmpty = (one: string) => shard.describeGroup(one, ASK).groupState === 'Empty';
    if (what === 0) {
      if (isEmpty(group)) this.#facts.mayRestart(group);
      const told = this.#facts.deleting(group, ALL_PARTITIONS);
      shard.deleteGroup(group, this.#facts.expectAnswer(`delete ${group}`, told));
    } else if (what === 1) {
      // What members consume stays, which is told by the partition.
      const partition = this.#world.random.below(PARTITIONS);
      const told = this.#facts.deleting(group, [partition]);
      const topics = [{ name: 't', partitions: [{ partitionIndex: partition }] }];
      const answer = this.#facts.expectAnswer(`forget in ${group}`, told);
      shard.offsetDelete({ groupId: group, topics }, ASK, (body) =>
        answer(body.errorCode === ERROR.NONE ? (body.topics[0]?.partitions[0]?.errorCode as number) : body.errorCode),
      );
    } else if (what === 2) {
      for (const one of GROUPS.filter(isEmpty)) this.#facts.mayRestart(one);
      shard.expire(clock.now());
    } else this.#fetch(group);
  }

  #fetch(group: string): void {
    const topics = [{ name: 't', topicId: '', partitionIndexes: ALL_PARTITIONS }];
    this.#world.shard.offsetFetch({ groupId: group, memberId: null, memberEpoch: -1, topics }, false, ASK, (body) => {
      for (const { partitionIndex, committedOffset } of body.topics[0]?.partitions ?? []) {
        this.#facts.fetched(group, partitionIndex, committedOffset);
      }
    });
  }

  #check(): void {
    if (this.#world.journal.openCount === 0) this.#expectSameAsLoaded();
  }

  /** With nothing in flight, what another owner would load is what this one says. */
  #expectSameAsLoaded(): void {
    const loaded = this.#world.successor();
    for (const group of GROUPS) {
      const here = stableText(this.#world.shard, group);
      if (here === null) continue;
      const there = stableText(loaded, group);
      assert(here === there, 'a stable group is what the log says', { here, there });
    }
    for (const group of GROUPS) {
      const here = offsetsText(this.#world.shard, group);
      const there = offsetsText(loaded, group);
      assert(here === there, 'offsets are what the log says', { here, there });
    }
    loaded.unload();
  }

  #calmDown(): void {
    const { journal, random } = this.#world;
    this.#isCalm = true;
    journal.refusal = ERROR.NONE;
    for (const member of this.#members) {
      member.isGone = random.below(4) === 0;
      member.calmDown();
    }
    for (let round = 0; round < CALM_ROUNDS; round++) {
      for (const member of this.#members) member.act();
      for (let count = this.#underWay.length; count > 0; count--) this.#deliver();
      journal.commit();
      this.#world.pass(500);
      if (round % CHECK_EVERY === 0) this.#check();
    }
  }

  /** Whoever is there is in, whoever is gone is out, each partition has its owner. */
  #expectOrder(): void {
    for (const group of GROUPS) {
      this.#fetch(group);
      const there = this.#members.filter((member) => member.group === group && !member.isGone);
      const { groupState, members } = this.#world.shard.describeGroup(group, ASK);
      const seen = { group, groupState, members: members.map(({ memberId }) => memberId).join(' ') };
      assert(members.length === there.length, 'who is there is in the group', { ...seen, there: there.length });
      if (there.length === 0) continue;
      assert(groupState === 'Stable' && there.every((member) => member.isIn), 'a calm group is stable', seen);
      const owned = members.flatMap((one) =>
        textOf(one.memberAssignment)
          .split(' ')
          .filter((word) => word !== ''),
      );
      assert(owned.toSorted().join() === ALL_PARTITIONS.join(), 'every partition is owned', {
        ...seen,
        owned: owned.join(),
      });
    }
  }

  #end(): void {
    this.#world.unload();
    const open = this.#facts.openCount;
    assert(open === 0, 'every request is answered', { open });
  }
}

/** Null when it is not stable. */
function stableText(shard: GroupShard, group: string): string | null {
  const { groupState, protocolData, members } = shard.describeGroup(group, ASK);
  if (groupState !== 'Stable') return null;
  const told = members.map((one) => `${one.memberId} ${one.groupInstanceId} '${textOf(one.memberAssignment)}'`);
  return [protocolData, ...told.toSorted()].join('; ');
}

function offsetsText(shard: GroupShard, groupId: string): string {
  let text = '';
  shard.offsetFetch({ groupId, memberId: null, memberEpoch: -1, topics: null }, false, ASK, ({ topics }) => {
    const offsets = topics.flatMap(({ name, partitions }) =>
      partitions.map((one) => `${name}/${one.partitionIndex}=${one.committedOffset}`),
    );
    text = offsets.toSorted().join(' ');
  });
  return text;
}
