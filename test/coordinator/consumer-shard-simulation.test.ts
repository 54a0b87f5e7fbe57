/**
 * Random lives of a group on its shard with members of the consumer protocol, of the classic one (eager and cooperative), and of
 * both, between which it changes its kind: a log that holds, loses and refuses, answers that are lost, shards that are replaced
 * while writes are under way, time that runs out, administrators. ODRADEK_CONSUMER_SHARD_SEEDS is how many seeds are run, from
 * ODRADEK_CONSUMER_SHARD_FROM on; ODRADEK_CONSUMER_SHARD_SEED runs a single one.
 */
import { expect, test } from 'vitest';
import { assert } from '../../src/base/assert.ts';
import { readAssignment } from '../../src/coordinator/group/consumer-protocol.ts';
import type {
  ConsumerHeartbeatResponse,
  HeartbeatResponse,
  JoinResponse,
  SyncResponse,
} from '../../src/coordinator/group/messages.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { GROUP, SimulatedConsumer } from './consumer-world.ts';
import { SimulatedClassic } from './simulated-classic.ts';
import { bytesOf, caller, World } from './world.ts';

const SEEDS = Number(process.env.ODRADEK_CONSUMER_SHARD_SEEDS ?? 30);
const FIRST = Number(process.env.ODRADEK_CONSUMER_SHARD_FROM ?? 1);
const ONLY = process.env.ODRADEK_CONSUMER_SHARD_SEED;
const STEPS = 500;
const CALM_ROUNDS = 120;
const CHECK_LOG_EVERY = 8;
const FULL_TIMEOUT_MS = 3_600_000;
const SESSION_MS = 10_000;
/** Whoever is slow to give up is another test's. */
const REBALANCE_MS = 10_000_000;
const PATTERNS = ['t|v.*', '.*', 'u'];
const LOST = [ERROR.NOT_LEADER_OR_FOLLOWER, ERROR.NOT_ENOUGH_REPLICAS, ERROR.REQUEST_TIMED_OUT];
/** The member is out; after any other error it says the same again. */
const OUT: readonly number[] = [
  ERROR.FENCED_MEMBER_EPOCH,
  ERROR.FENCED_INSTANCE_ID,
  ERROR.UNKNOWN_MEMBER_ID,
  ERROR.GROUP_ID_NOT_FOUND,
  ERROR.UNRELEASED_INSTANCE_ID,
];

/** A consumer with one request under way; it stops to read when it has not been heard of for a session. */
class Client extends SimulatedConsumer {
  readonly speaks = 'consumer';
  /** When it sent what was answered last. */
  heardAt = 0;
  isAsking = false;

  get isIn(): boolean {
    return this.epoch > 0;
  }
}

class ClassicClient extends SimulatedClassic {
  readonly speaks = 'classic';
  readonly pattern = null;
  heardAt = 0;
  isAsking = false;
}

class Life {
  readonly #world: World;
  readonly #clients: (Client | ClassicClient)[] = [];
  /** Of a hundred members. */
  readonly #classicShare: number;
  #born = 0;
  /** Of the topic that comes and goes. */
  #name = 'v1';
  #open = 0;
  #checked = 0;
  answers = 0;
  #kind = '';
  /** Times that the group was found to be of the other kind. */
  changes = 0;

  constructor(seed: number) {
    this.#world = new World(seed);
    this.#world.settings.groupConsumerSessionTimeoutMs = SESSION_MS;
    const { random } = this.#world;
    this.#classicShare = random.below(3) * 40;
    if (random.below(5) === 0) this.#world.settings.groupConsumerMigrationPolicy = 'upgrade';
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#step(this.#world.random.below(100));
      this.#check();
    }
    this.#calmDown();
    this.#world.unload();
    assert(this.#open === 0, 'every request is answered', { open: this.#open });
  }

  get #now(): number {
    return this.#world.clock.monotonic();
  }

  #step(dice: number): void {
    const { random, journal } = this.#world;
    const client = this.#clients[random.below(Math.max(this.#clients.length, 1))];
    if (dice < 6 || client === undefined) this.#enter();
    else if (dice < 9) this.#leave(client);
    else if (dice < 11) this.#clients.splice(this.#clients.indexOf(client), 1);
    else if (dice < 13) this.#subscribe(client);
    else if (dice < 15) this.#changeTopics();
    else if (dice < 45) this.#act(client);
    else if (dice < 65) this.#pass(random.below(random.below(8) === 0 ? 5000 : 600));
    else if (dice < 90) journal.commit(1 + random.below(3));
    else if (dice < 92) journal.lose(LOST[random.below(LOST.length)] as number);
    else if (dice < 94) journal.refusal = random.below(3) === 0 ? ERROR.RECORD_LIST_TOO_LARGE : ERROR.NONE;
    else if (dice < 96) this.#world.reload(random.below(journal.openCount + 1));
    else this.#administer(dice);
  }

  #wishes(): [readonly string[], string | null] {
    const { random } = this.#world;
    if (random.below(3) === 0) return [[], PATTERNS[random.below(PATTERNS.length)] as string];
    return [this.#names(), null];
  }

  #subscribe(client: Client | ClassicClient): void {
    if (client.speaks === 'consumer') client.subscribe(...this.#wishes());
    else if (!client.isAsking) client.subscribe(this.#names());
  }

  #names(): readonly string[] {
    return ['t', 'u', 'v1'].filter(() => this.#world.random.below(2) === 0);
  }

  #enter(): void {
    const { random } = this.#world;
    if (this.#clients.length >= 6) return;
    const instance = random.below(3) === 0 ? `i${random.below(3)}` : null;
    if (this.#clients.some(({ instanceId }) => instance !== null && instanceId === instance)) return;
    if (random.below(100) < this.#classicShare) {
      const { topics } = this.#world;
      this.#clients.push(new ClassicClient(GROUP, instance, random.below(2) === 0, this.#names(), topics));
      return;
    }
    this.#born += 1;
    const client = new Client(`m${this.#born}`, instance, ...this.#wishes());
    client.rebalanceTimeoutMs = REBALANCE_MS;
    this.#clients.push(client);
  }

  #leave(client: Client | ClassicClient): void {
    if (!client.isIn || client.isAsking) return;
    if (client.speaks === 'classic') return this.#leaveClassic(client);
    const memberEpoch = client.instanceId === null ? -1 : -2;
    client.gaveUp();
    this.#clients.splice(this.#clients.indexOf(client), 1);
    this.#ask({ ...client.request(this.#world.topics), memberEpoch }, () => {});
  }

  /** A static one says nothing: it may come back. */
  #leaveClassic(client: ClassicClient): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    if (client.instanceId !== null) return;
    const { memberId } = client;
    const request = { groupId: GROUP, memberId, members: [{ memberId, groupInstanceId: null, reason: null }] };
    this.#world.shard.leaveGroup(request, caller(5), this.#expectAnswer('leave'));
  }

  #actClassic(client: ClassicClient): void {
    const { random, shard } = this.#world;
    const sentAt = this.#now;
    const isLost = random.below(12) === 0;
    client.isAsking = true;
    const hears = <Body extends { errorCode: number }>(take: (body: Body) => void) =>
      this.#expectAnswer<Body>('classic', (body) => {
        client.isAsking = false;
        if (isLost || !this.#clients.includes(client)) return;
        if (body.errorCode === ERROR.NONE) client.heardAt = sentAt;
        take(body);
      });
    const { next } = client;
    if (next === 'join') {
      const take = hears((body: JoinResponse) => client.joined(body));
      shard.joinGroup(client.joinRequest(SESSION_MS, REBALANCE_MS), caller(9), take);
    } else if (next === 'sync') {
      const take = hears((body: SyncResponse) => client.synced(body, placeNames(body.assignment)));
      shard.syncGroup(client.syncRequest(), caller(5), take);
    } else {
      const take = hears(({ errorCode }: HeartbeatResponse) => client.refused(errorCode));
      shard.heartbeat({ ...client.identity(), generationId: client.generation }, caller(4), take);
    }
  }

  #expectAnswer<Body>(what: string, then: (body: Body) => void = () => {}): (body: Body) => void {
    let isAnswered = false;
    this.#open += 1;
    return (body) => {
      assert(!isAnswered, 'a request is answered once', { what });
      isAnswered = true;
      this.#open -= 1;
      this.answers += 1;
      then(body);
    };
  }

  #act(client: Client | ClassicClient): void {
    const { random, topics } = this.#world;
    if (client.isAsking) return;
    if (client.speaks === 'classic') return this.#actClassic(client);
    client.revoked();
    const sentAt = this.#now;
    const isLost = random.below(12) === 0;
    client.isAsking = true;
    this.#ask(client.request(topics), (body) => {
      client.isAsking = false;
      if (isLost || !this.#clients.includes(client)) return client.unanswered();
      if (body.errorCode === ERROR.NONE) {
        client.heardAt = sentAt;
        client.answered(body, topics);
      } else if (OUT.includes(body.errorCode)) client.fenced();
      else client.unanswered();
    });
  }

  #ask(
    request: Parameters<World['shard']['consumerGroupHeartbeat']>[0],
    then: (body: ConsumerHeartbeatResponse) => void,
  ) {
    this.#world.shard.consumerGroupHeartbeat(request, caller(1), this.#expectAnswer(request.memberId, then));
  }

  /** In steps, so that whoever is not heard of stops to read in time. */
  #pass(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.#world.pass(Math.min(left, 100));
      for (const client of this.#clients) {
        if (client.owned.size + (client.isIn ? 1 : 0) > 0 && this.#now - client.heardAt >= SESSION_MS - 200)
          client.fenced();
      }
    }
  }

  #changeTopics(): void {
    const { random, topics, shard } = this.#world;
    const name = this.#name;
    if (topics.idOf(name) === null) topics.put(name, 1 + random.below(3), random);
    else if (random.below(2) === 0) {
      // Members know partitions by name here, so no other topic gets this one.
      this.#name = `v${Number(name.slice(1)) + 1}`;
      topics.drop(name);
      shard.topicDeleted(name);
      for (const { owned } of this.#clients) {
        for (const partition of [...owned]) if (partition.startsWith(`${name}-`)) owned.delete(partition);
      }
    } else topics.grow(name, topics.partitionsOf(topics.idOf(name) as string) + 1);
  }

  #administer(dice: number): void {
    const { shard, clock } = this.#world;
    if (dice === 96) shard.deleteGroup(GROUP, () => {});
    else if (dice === 97) shard.expire(clock.now());
    else if (dice === 98) this.#joinClassic();
    else this.#pass(SESSION_MS);
  }

  /** A member that says no more than that. */
  #joinClassic(): void {
    const request = {
      groupId: GROUP,
      memberId: '',
      groupInstanceId: null,
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 6000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: bytesOf('x') }],
      reason: null,
    };
    this.#open += 1;
    this.#world.shard.joinGroup(request, caller(3), () => {
      this.#open -= 1;
    });
  }

  #check(): void {
    const read = this.#clients.flatMap(({ owned }) => [...owned]);
    assert(read.length === new Set(read).size, 'a partition is read by one', { read: read.toSorted().join() });
    const kind = this.#world.shard.listGroups({ states: [], types: [] })[0]?.groupType ?? this.#kind;
    if (kind !== this.#kind) this.changes += 1;
    this.#kind = kind;
    this.#checked += 1;
    if (this.#checked % CHECK_LOG_EVERY !== 0 || this.#world.journal.openCount > 0) return;
    const loaded = this.#world.successor();
    const here = this.#world.shard.describeConsumerGroup(GROUP);
    const there = loaded.describeConsumerGroup(GROUP);
    // What is of the other kind here may not be in the log: nobody is in it for whoever loads it.
    if (here.errorCode === ERROR.NONE) expect(there).toEqual(here);
    else expect(there.members).toEqual([]);
    loaded.unload();
  }

  #calmDown(): void {
    const { journal, topics } = this.#world;
    journal.refusal = ERROR.NONE;
    for (let round = 0; round < CALM_ROUNDS; round++) {
      for (const client of this.#clients) this.#act(client);
      while (journal.openCount > 0) journal.commit();
      this.#pass(1000);
      this.#check();
    }
    const { shard } = this.#world;
    const members = [shard.describeConsumerGroup(GROUP), shard.describeGroup(GROUP, caller(5))].flatMap((one) => [
      ...one.members,
    ]);
    expect(members).toHaveLength(this.#clients.length);
    if (this.#clients.length === 0) return;
    expect(shard.listGroups({ states: [], types: [] })[0]?.groupState).toBe('Stable');
    for (const name of topics.names()) {
      const wanted = this.#clients.some(
        ({ names, pattern }) => names.includes(name) || (pattern !== null && new RegExp(`^(?:${pattern})$`).test(name)),
      );
      for (let partition = 0; topics.hasPartition(name, partition); partition++) {
        const readers = this.#clients.filter(({ owned }) => owned.has(`${name}-${partition}`));
        expect(readers.length, `${name}-${partition}`).toBe(wanted ? 1 : 0);
      }
    }
  }
}

/** `t-0`, of what a member of the classic protocol is assigned. */
function placeNames(assignment: Uint8Array): string[] {
  const places = readAssignment(assignment)?.assignedPartitions ?? [];
  return places.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`));
}

const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => FIRST + index) : [Number(ONLY)];

test(`${seeds.length} lives on a shard`, { timeout: FULL_TIMEOUT_MS }, () => {
  let answers = 0;
  let changes = 0;
  for (const seed of seeds) {
    const life = new Life(seed);
    try {
      life.run();
    } catch (problem) {
      throw new Error(`seed ${seed}: run it again with ODRADEK_CONSUMER_SHARD_SEED=${seed}`, { cause: problem });
    }
    answers += life.answers;
    changes += life.changes;
  }
  // A simulation in which nothing comes to pass finds nothing.
  expect(answers / seeds.length).toBeGreaterThan(50);
  expect(changes / seeds.length).toBeGreaterThan(1.5);
});
