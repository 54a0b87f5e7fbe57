/**
 * A group goes over from the classic to the consumer protocol and back, member by member, while its members read: nothing is left
 * out, and no partition ever has two owners.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { committed, describeConsumerGroup, listedGroups } from '../kit/group-calls.ts';
import {
  BRISK_GROUPS,
  consumerProtocolMember,
  expectShares,
  kafkajsMember,
  type Member,
  type Read,
} from '../kit/members.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, produce } from '../kit/requests.ts';

const PARTITIONS = 4;
const PER_PARTITION = 20;
const ALL = [0, 1, 2, 3];
/** Longer than any pause of a busy machine. */
const SESSION_MS = 30_000;

const home = new BrokerHome(ONE_THREAD, {
  settings: {
    ...BRISK_GROUPS,
    'group.consumer.session.timeout.ms': String(SESSION_MS),
    'group.consumer.max.session.timeout.ms': String(SESSION_MS),
  },
});
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
});
afterAll(() => home.end());

test('kafkajs and the consumer protocol in one group, each of them first and last', async () => {
  const { name: topic } = await createTopic(client, { partitions: PARTITIONS });
  const membership = { address: home.address, group: 'moving', topic, sessionMs: SESSION_MS, heartbeatMs: 100 };
  const classic = () => kafkajsMember(membership);
  const all: Member[] = [];
  let filled = 0;
  const kind = async () => (await listedGroups(client)).find(({ groupId }) => groupId === 'moving')?.groupType;
  const readAll = async () => {
    for (const partition of ALL) {
      const values = Array.from({ length: PER_PARTITION }, (_, at) => `${partition}-${filled + at}`);
      await produce(client, topic, batchOf(values), { partition });
    }
    const isNew = ({ offset }: Read) => offset >= filled;
    const read = () => all.flatMap((member) => member.read.filter(isNew).map(({ value }) => value));
    await eventually(read, (values) => new Set(values).size === PARTITIONS * PER_PARTITION);
    // The group was at rest: nothing is left out, nothing is read twice, each partition by one member.
    expect(read().length).toBe(PARTITIONS * PER_PARTITION);
    expect(new Set(read()).size).toBe(PARTITIONS * PER_PARTITION);
    const owners = all.map((member) => new Set(member.read.filter(isNew).map(({ partition }) => partition)));
    expect(owners.flatMap((partitions) => [...partitions]).toSorted()).toEqual(ALL);
    filled += PER_PARTITION;
  };
  const enter = async (member: Promise<Member>) => {
    all.push(await member);
    return all.at(-1) as Member;
  };
  const shared = async (members: readonly Member[], shares: readonly (readonly number[])[]) => {
    const sizes = () => members.map(({ owned }) => owned.size).toSorted();
    await eventually(sizes, (now) => now.join() === shares.map(({ length }) => length).join(), 25_000);
    expect(members.flatMap(({ owned }) => [...owned]).toSorted()).toEqual(ALL);
  };

  const first = await enter(classic());
  await expectShares([first], [ALL]);
  await readAll();
  expect(await kind()).toBe('classic');

  const modern = await enter(consumerProtocolMember(membership));
  await shared(
    [first, modern],
    [
      [0, 1],
      [2, 3],
    ],
  );
  expect(
    (await describeConsumerGroup(client, 'moving')).members.map(({ memberType }) => memberType).toSorted(),
  ).toEqual([0, 1]);
  await readAll();

  await first.stop();
  await shared([modern], [ALL]);
  await readAll();
  const last = await enter(classic());
  await shared(
    [last, modern],
    [
      [0, 1],
      [2, 3],
    ],
  );
  await readAll();
  expect(await kind()).toBe('consumer');

  await modern.stop();
  await shared([last], [ALL]);
  await readAll();
  expect(await kind()).toBe('classic');
  await last.stop();
  const offsets = await committed(client, 'moving', topic, ALL);
  expect(offsets.map(({ committedOffset }) => committedOffset)).toEqual(ALL.map(() => filled));
  for (const { read } of all) {
    for (const partition of ALL) {
      const of = read.filter((one) => one.partition === partition).map(({ offset }) => offset);
      expect(of).toEqual(of.toSorted((a, b) => a - b));
    }
  }
}, 120_000);
