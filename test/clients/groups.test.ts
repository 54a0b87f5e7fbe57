/** Consumer groups as clients use them: shared, balanced, left, taken over; each record once while all is well. */
import { expect, test } from 'vitest';
import { type BrokerHome, eventually, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import {
  BRISK_GROUPS,
  consumerProtocolMember,
  kafkajsMember,
  kcatMember,
  type Member,
  type Membership,
  platformaticMember,
  type Read,
} from '../kit/members.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, produce } from '../kit/requests.ts';

const PARTITIONS = 6;
const PER_PARTITION = 20;

const KINDS: readonly [string, (membership: Membership) => Promise<Member>][] = [
  ['kafkajs', kafkajsMember],
  ['@platformatic/kafka', platformaticMember],
  ['@platformatic/kafka by the consumer protocol', consumerProtocolMember],
  ['kcat', async (membership) => kcatMember(membership)],
];

async function filled(home: BrokerHome): Promise<string> {
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client, { partitions: PARTITIONS });
  await fill(client, name, 0);
  await client.close();
  return name;
}

async function fill(client: RawClient, topic: string, from: number): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const values = Array.from({ length: PER_PARTITION }, (_, i) => `${partition}-${from + i}`);
    await produce(client, topic, batchOf(values), { partition });
  }
}

function sorted(read: readonly Read[]): string[] {
  return read.map(({ partition, value }) => `${partition}:${value}`).sort();
}

function expected(count: number): string[] {
  const all: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++)
    for (let i = 0; i < count; i++) all.push(`${partition}:${partition}-${i}`);
  return all.sort();
}

const total = (members: readonly Member[]) => members.flatMap(({ read }) => read);

/** Every partition has one owner among them, and each of them some. */
async function balanced(members: readonly Member[]): Promise<void> {
  const owners = () => members.flatMap(({ owned }) => [...owned]).toSorted((a, b) => a - b);
  const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  await eventually(owners, (now) => now.join() === all.join() && members.every(({ owned }) => owned.size > 0));
  expect(members.map(({ owned }) => owned.size)).toEqual(members.map(() => PARTITIONS / members.length));
  expect(owners()).toEqual(all);
}

inEveryLayout(
  'groups',
  (home) => {
    test.each(KINDS)('%s: alone it reads everything, in order', async (_, join) => {
      const topic = await filled(home);
      const member = await join({ address: home.address, group: freshTopic('group'), topic });
      await eventually(
        () => member.read.length,
        (count) => count >= PARTITIONS * PER_PARTITION,
      );
      expect(sorted(member.read)).toEqual(expected(PER_PARTITION));
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const offsets = member.read.filter((one) => one.partition === partition).map(({ offset }) => offset);
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      }
      await member.stop();
    });

    test.each(KINDS)('%s: two share the partitions, and what one has read the other goes on with', async (_, join) => {
      const topic = await filled(home);
      const group = freshTopic('group');
      const membership = { address: home.address, group, topic };
      const [one, two] = (await Promise.all([join(membership), join(membership)])) as [Member, Member];
      await balanced([one, two]);
      await eventually(
        () => total([one, two]).length,
        (count) => count >= PARTITIONS * PER_PARTITION,
      );
      expect(new Set(sorted(total([one, two])))).toEqual(new Set(expected(PER_PARTITION)));
      await two.stop();
      await balanced([one]);
      const client = await RawClient.connect(home.port);
      await fill(client, topic, PER_PARTITION);
      await client.close();
      await eventually(
        () => new Set(sorted(total([one, two]))).size,
        (count) => count >= 2 * PARTITIONS * PER_PARTITION,
      );
      expect(new Set(sorted(total([one, two])))).toEqual(new Set(expected(2 * PER_PARTITION)));
      await one.stop();
    });
  },
  { settings: BRISK_GROUPS },
);
