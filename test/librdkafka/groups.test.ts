/** librdkafka's consumers as members of groups: by each protocol, and one after the other in a group that goes over. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerHome, eventually, TWO_BY_ONE } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { committed, listedGroups } from '../kit/group-calls.ts';
import { BRISK_GROUPS } from '../kit/members.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, produce } from '../kit/requests.ts';
import { type Config, GroupMember } from './client.ts';

const PARTITIONS = 4;
const ALL = [0, 1, 2, 3];
const EACH = 10;
const WITHIN_MS = 25_000;
const SESSION_MS = 30_000;

const CLASSIC: Config = { 'session.timeout.ms': SESSION_MS, 'heartbeat.interval.ms': 200 };
const PROTOCOLS: readonly [string, Config][] = [
  ['eager', { ...CLASSIC, 'partition.assignment.strategy': 'range,roundrobin' }],
  ['cooperative', { ...CLASSIC, 'partition.assignment.strategy': 'cooperative-sticky' }],
  ['consumer', { 'group.protocol': 'consumer' }],
];

const home = new BrokerHome(TWO_BY_ONE, {
  settings: {
    ...BRISK_GROUPS,
    'group.consumer.session.timeout.ms': `${SESSION_MS}`,
    'group.consumer.max.session.timeout.ms': `${SESSION_MS}`,
  },
});
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
});
afterAll(() => home.end());

/** A group that reads a topic, and everybody who was ever in it. */
class Reading {
  readonly group = freshTopic('rdk-group');
  readonly members: GroupMember[] = [];
  #topic = '';
  #filled = 0;

  async begin(): Promise<void> {
    ({ name: this.#topic } = await createTopic(client, { partitions: PARTITIONS }));
  }

  async enter(config: Config): Promise<GroupMember> {
    const member = await GroupMember.join(home.address, this.group, this.#topic, config);
    this.members.push(member);
    return member;
  }

  /** Each of them has as much as the others, and together they have all. */
  async shared(members: readonly GroupMember[]): Promise<void> {
    const owned = () => members.flatMap((member) => member.owned).toSorted();
    const isEven = () => members.every((member) => member.owned.length === PARTITIONS / members.length);
    await eventually(owned, (now) => isEven() && now.join() === ALL.join(), WITHIN_MS);
    expect(owned()).toEqual(ALL);
    expect(members.map((member) => member.owned.length)).toEqual(members.map(() => PARTITIONS / members.length));
  }

  /** More is written, and read: every record, and each by one. */
  async more(): Promise<void> {
    for (const partition of ALL) {
      const values = Array.from({ length: EACH }, (_, at) => `${partition}-${this.#filled + at}`);
      await produce(client, this.#topic, batchOf(values), { partition });
    }
    const fresh = ({ offset }: { offset: number }) => offset >= this.#filled;
    const read = () => this.members.flatMap((member) => member.read.filter(fresh).map(({ value }) => value));
    await eventually(read, (now) => new Set(now).size === PARTITIONS * EACH, WITHIN_MS);
    expect(new Set(read()).size).toBe(PARTITIONS * EACH);
    expect(read().length).toBe(PARTITIONS * EACH);
    this.#filled += EACH;
  }

  async kind(): Promise<string | undefined> {
    return (await listedGroups(client)).find(({ groupId }) => groupId === this.group)?.groupType;
  }

  async expectCommitted(): Promise<void> {
    const offsets = async () =>
      (await committed(client, this.group, this.#topic, ALL)).map((one) => one.committedOffset);
    await eventually(offsets, (now) => now.every((offset) => offset === this.#filled), WITHIN_MS);
    expect(await offsets()).toEqual(ALL.map(() => this.#filled));
  }
}

test.each(PROTOCOLS)('%s: two share, one leaves, the other goes on', { timeout: 120_000 }, async (_, config) => {
  const reading = new Reading();
  await reading.begin();
  const one = await reading.enter(config);
  await reading.shared([one]);
  await reading.more();
  const two = await reading.enter(config);
  await reading.shared([one, two]);
  await reading.more();
  await one.stop();
  await reading.shared([two]);
  await reading.more();
  await two.stop();
  await reading.expectCommitted();
});

test('a group goes over to the consumer protocol and back, member by member', { timeout: 120_000 }, async () => {
  const [, [, cooperative], [, consumer]] = PROTOCOLS as [[string, Config], [string, Config], [string, Config]];
  const reading = new Reading();
  await reading.begin();
  const first = await reading.enter(cooperative);
  await reading.shared([first]);
  await reading.more();
  expect(await reading.kind()).toBe('classic');
  const modern = await reading.enter(consumer);
  await reading.shared([first, modern]);
  expect(await reading.kind()).toBe('consumer');
  await reading.more();
  await first.stop();
  await reading.shared([modern]);
  const last = await reading.enter(cooperative);
  await reading.shared([last, modern]);
  await reading.more();
  await modern.stop();
  await reading.shared([last]);
  expect(await reading.kind()).toBe('classic');
  await reading.more();
  await last.stop();
  await reading.expectCommitted();
});
