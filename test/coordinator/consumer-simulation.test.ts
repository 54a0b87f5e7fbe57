/**
 * Random lives of groups of the consumer protocol: members that join, go, fall silent, change their minds, lose answers; topics
 * that appear and grow; logs that refuse; coordinators that start again from the log. A failing seed runs again by itself with
 * ODRADEK_CONSUMER_SEED=<seed>; ODRADEK_CONSUMER_SEEDS says how many are tried.
 */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { SimulatedConsumer, stateOf, World } from './consumer-world.ts';

const SEEDS = Number(process.env.ODRADEK_CONSUMER_SEEDS ?? 150);
const ONLY = process.env.ODRADEK_CONSUMER_SEED;
const STEPS = 120;
const TOPICS = ['orders', 'payments', 'visits', 'orders-eu'];
const PATTERNS = ['orders.*', '.*', 'v.*|p.*'];
/** Heartbeats of everybody until a group in which nothing happens is stable. */
const ROUNDS_MAX = 40;
/** Whoever was refused writes nothing and joins in the next one. */
const QUIET_ROUNDS = 3;

class Life {
  readonly #random: SeededRandom;
  readonly #world = new World();
  readonly #alive: SimulatedConsumer[] = [];
  #born = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#world.topics.set('orders', 1 + this.#random.below(6));
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#step();
      this.#check();
    }
    this.#settle();
    this.#changeTopics();
    this.#settle();
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#random.below(Math.max(list.length, 1))];
  }

  #step(): void {
    const dice = this.#random.below(100);
    const consumer = this.#pick(this.#alive);
    if (dice < 8 || consumer === undefined) this.#join();
    else if (dice < 11) this.#go(consumer);
    else if (dice < 14) this.#die(consumer);
    else if (dice < 17) consumer.subscribe(...this.#wishes());
    else if (dice < 20) this.#changeTopics();
    else if (dice < 23) this.#startAgain();
    else if (dice < 26) this.#world.logFails = true;
    else this.#beat(consumer, this.#random.below(8) === 0);
  }

  #wishes(): [readonly string[], string | null] {
    if (this.#random.below(4) === 0) return [[], this.#pick(PATTERNS) as string];
    return [TOPICS.filter(() => this.#random.below(2) === 0), null];
  }

  #join(): void {
    if (this.#alive.length >= 8) return;
    this.#born += 1;
    const instance = this.#random.below(3) === 0 ? `i${this.#random.below(3)}` : null;
    if (this.#alive.some(({ instanceId }) => instance !== null && instanceId === instance)) return;
    this.#alive.push(new SimulatedConsumer(`m${this.#born}`, instance, ...this.#wishes()));
  }

  /** In good order; a static member for a while only. */
  #go(consumer: SimulatedConsumer): void {
    const request = consumer.request(this.#world.topics);
    const memberEpoch = consumer.instanceId === null ? -1 : -2;
    consumer.gaveUp();
    if (this.#world.heartbeat({ ...request, memberEpoch }) === null) return consumer.unanswered();
    this.#alive.splice(this.#alive.indexOf(consumer), 1);
  }

  /** It is silent from now on; its session ends at once or, when the log refuses, later. */
  #die(consumer: SimulatedConsumer): void {
    this.#alive.splice(this.#alive.indexOf(consumer), 1);
  }

  #expireSilent(): boolean {
    const ids = new Set(this.#alive.map(({ memberId }) => memberId));
    const silent = [...this.#world.group.members.keys()].filter((memberId) => !ids.has(memberId));
    return silent.every((memberId) => this.#world.expire(memberId));
  }

  #changeTopics(): void {
    const name = this.#pick(TOPICS) as string;
    const id = this.#world.topics.idOf(name);
    const partitions = id === null ? 0 : this.#world.topics.partitionsOf(id);
    this.#world.topics.set(name, partitions + 1 + this.#random.below(4));
  }

  #startAgain(): void {
    this.#checkLog();
    this.#world.group = this.#world.replayed();
    if (this.#random.below(2) === 0) this.#expireSilent();
  }

  #beat(consumer: SimulatedConsumer, isLost: boolean): void {
    if (this.#random.below(3) === 0) consumer.revoked();
    const response = this.#world.heartbeat(consumer.request(this.#world.topics));
    if (response === null || isLost) consumer.unanswered();
    else consumer.answered(response, this.#world.topics);
  }

  #check(): void {
    const { group } = this.#world;
    const readers = this.#alive.flatMap(({ owned }) => [...owned]);
    if (readers.length !== new Set(readers).size) throw new Error(`a partition is read by two: ${readers.sort()}`);
    const held = new Set<string>();
    for (const { memberId, assigned, pendingRevocation } of group.members.values()) {
      for (const partitions of [assigned, pendingRevocation]) {
        for (const [topicId, epochs] of partitions) {
          for (const partition of epochs.keys()) {
            const name = `${this.#world.topics.nameOf(topicId)}-${partition}`;
            if (held.has(name)) throw new Error(`${name} has two owners`);
            held.add(name);
            if (group.ownerOf(topicId, partition) !== memberId)
              throw new Error(`${name} is not known as ${memberId}'s`);
          }
        }
      }
    }
  }

  #checkLog(): void {
    expect(stateOf(this.#world.replayed())).toEqual(stateOf(this.#world.group));
  }

  /** Nothing happens any more: everybody who is there heartbeats, and the group is stable and whole. */
  #settle(): void {
    this.#world.logFails = false;
    expect(this.#expireSilent()).toBe(true);
    for (let round = 0, quiet = 0; round < ROUNDS_MAX && quiet < QUIET_ROUNDS; round++) {
      const written = this.#world.log.length;
      for (const consumer of this.#alive) {
        consumer.revoked();
        this.#beat(consumer, false);
        this.#check();
      }
      quiet = this.#world.log.length === written ? quiet + 1 : 0;
    }
    this.#checkLog();
    const { group, topics } = this.#world;
    expect(group.state).toBe(this.#alive.length === 0 ? 'Empty' : 'Stable');
    const wants = ({ names, pattern }: SimulatedConsumer, partition: string) => {
      const name = partition.slice(0, partition.lastIndexOf('-'));
      return names.includes(name) || (pattern !== null && new RegExp(`^(?:${pattern})$`).test(name));
    };
    for (const partition of topics.partitions()) {
      const readers = this.#alive.filter(({ owned }) => owned.has(partition));
      expect(readers.length, partition).toBe(this.#alive.some((one) => wants(one, partition)) ? 1 : 0);
      expect(readers.every((one) => wants(one, partition))).toBe(true);
    }
    const before = this.#world.log.length;
    for (const consumer of this.#alive) this.#beat(consumer, false);
    expect(this.#world.log.length, 'a stable group writes nothing').toBe(before);
  }
}

const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(ONLY)];

test(`${seeds.length} lives of groups`, () => {
  for (const seed of seeds) {
    try {
      new Life(seed).run();
    } catch (problem) {
      throw new Error(`seed ${seed}: run it again with ODRADEK_CONSUMER_SEED=${seed}`, { cause: problem });
    }
  }
});
