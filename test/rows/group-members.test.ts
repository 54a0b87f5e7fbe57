/** Consumers in groups as their users see them: who reads what, from where, and in which order. */
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { type BrokerHome, eventually, inEveryLayout, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { commit, committedOffset, coordinated } from '../kit/group-calls.ts';
import { kcat } from '../kit/kcat.ts';
import {
  expectShares,
  kafkajsMember,
  kcatMember,
  type Member,
  type ProcessMember,
  platformaticMember,
} from '../kit/members.ts';
import { deleteRecords } from '../kit/offsets.ts';
import { batchOf, utf8 } from '../kit/records.ts';
import { createTopic, freshTopic, produce } from '../kit/requests.ts';
import { ownedTwice, SteadyMember, shared } from '../kit/steady-members.ts';
import { hasTool } from '../kit/tools.ts';
import { createTopics, grow, newTopic } from '../kit/topics.ts';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, at) => from + at);
const STRATEGY = 'partition.assignment.strategy';

async function topicOf(home: BrokerHome, partitions: number, each = 0): Promise<string> {
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client, { partitions });
  await fill(client, name, partitions, each);
  await client.close();
  return name;
}

async function fill(client: RawClient, topic: string, partitions: number, each: number, from = 0): Promise<void> {
  for (const partition of each > 0 ? range(partitions) : [])
    await produce(client, topic, batchOf(range(each, from).map((at) => `${partition}-${at}`)), { partition });
}

function consumerOf(home: BrokerHome, groupId: string): Consumer {
  const kafka = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING });
  return kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
}

const valuesOf = (members: readonly Member[]) => members.flatMap(({ read }) => read.map(({ value }) => value));

async function read(members: readonly Member[], count: number): Promise<string[]> {
  await eventually(
    () => valuesOf(members).length,
    (now) => now >= count,
  );
  return valuesOf(members).toSorted();
}

const all = (partitions: number, each: number) =>
  range(partitions)
    .flatMap((partition) => range(each).map((at) => `${partition}-${at}`))
    .toSorted();

inEveryLayout(
  'consumers of a group',
  (home) => {
    test('S100: while members come, leave and vanish, no partition has two owners in one generation', async () => {
      const topic = await topicOf(home, 6);
      const group = freshTopic('group');
      const client = await RawClient.connect(home.port);
      await coordinated(client, group);
      const of = shared(topic, 6);
      const members: SteadyMember[] = [];
      const settled = async () => {
        const owned = () => members.flatMap((one) => [...one.owned]).toSorted((a, b) => a - b);
        await eventually(owned, (now) => now.length === 6 && new Set(members.map((one) => one.generation)).size === 1);
        expect(members.map(({ failure }) => failure)).toEqual(members.map(() => null));
        expect(owned()).toEqual(range(6));
      };
      for (let round = 0; round < 4; round++) {
        members.push(
          await SteadyMember.join(home.port, group, of, 1_000),
          await SteadyMember.join(home.port, group, of, 1_000),
        );
        await settled();
        const [gone] = members.splice(round % members.length, 1) as [SteadyMember];
        await (round % 2 === 0 ? gone.leave() : gone.vanish());
        await settled();
      }
      expect(of.owned.size).toBeGreaterThanOrEqual(8);
      expect(ownedTwice(of)).toEqual([]);
      for (const member of members) await member.leave();
      for (const partition of range(6))
        expect(await committedOffset(client, group, topic, partition)).toBe(of.acknowledged[partition] || -1);
      await client.close();
    });

    test('S102: two members work at the same time on what one had to do alone', async () => {
      const topic = await topicOf(home, 2, 3);
      let busy = 0;
      let most = 0;
      // Slow work: it ends when both work, or when it is plain that only one does.
      const work = async () => {
        busy += 1;
        most = Math.max(most, busy);
        await eventually(
          () => most,
          (now) => now === 2,
        );
        busy -= 1;
      };
      const membership = { address: home.address, group: freshTopic('group'), topic };
      const members = await Promise.all([kafkajsMember(membership, work), kafkajsMember(membership, work)]);
      expect(new Set(await read(members, 6))).toEqual(new Set(all(2, 3)));
      expect(most).toBe(2);
      for (const member of members) await member.stop();
    });

    test('S104: with a queue for each key order is kept, and what is committed has nothing unfinished below it', async () => {
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client);
      const group = freshTopic('group');
      const keys = ['a', 'b', 'c'];
      const records = range(30).map((at) => ({
        timestamp: 1_000 + at,
        key: utf8(keys[at % 3] as string),
        value: utf8(`${at}`),
      }));
      await produce(client, topic, batchOf(records));
      const consumer = consumerOf(home, group);
      const queues = new Map<string, Promise<void>>();
      const done = new Map<string, number[]>(keys.map((key) => [key, []]));
      const finished = new Set<number>();
      let watermark = 0;
      // The key `b` gets stuck at its fourth record: offset 10.
      const stuck = new Promise<void>(() => {});
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ message }) => {
          const key = String(message.key);
          const offset = Number(message.offset);
          const work = async () => {
            if (offset === 10) await stuck;
            done.get(key)?.push(offset);
            finished.add(offset);
            while (finished.delete(watermark)) watermark += 1;
            await consumer.commitOffsets([{ topic, partition: 0, offset: String(watermark) }]);
          };
          queues.set(key, (queues.get(key) ?? Promise.resolve()).then(work));
        },
      });
      await eventually(
        () => (done.get('a')?.length ?? 0) + (done.get('c')?.length ?? 0),
        (count) => count === 20,
      );
      await Promise.all([queues.get('a'), queues.get('c')]);
      expect(done.get('a')).toEqual(range(10).map((at) => at * 3));
      expect(done.get('c')).toEqual(range(10).map((at) => at * 3 + 2));
      expect(await committedOffset(client, group, topic)).toBe(10);
      await consumer.disconnect();
      const next = await kafkajsMember({ address: home.address, group, topic });
      const again = (await read([next], 20)).map(Number).toSorted((a, b) => a - b);
      expect(again).toEqual(range(20, 10));
      await next.stop();
      await client.close();
    });

    test('S105: a consumer goes back to the start and on to any place, and another group does not notice', async () => {
      const topic = await topicOf(home, 1, 10);
      const [mine, other] = [freshTopic('group'), freshTopic('group')];
      const bystander = await kafkajsMember({ address: home.address, group: other, topic });
      const consumer = consumerOf(home, mine);
      const offsets: number[] = [];
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }) => void offsets.push(Number(message.offset)) });
      await eventually(
        () => offsets.length,
        (count) => count >= 10,
      );
      consumer.seek({ topic, partition: 0, offset: '0' });
      await eventually(
        () => offsets.length,
        (count) => count >= 20,
      );
      consumer.seek({ topic, partition: 0, offset: '8' });
      await eventually(
        () => offsets.length,
        (count) => count >= 22,
      );
      expect(offsets).toEqual([...range(10), ...range(10), 8, 9]);
      expect(await read([bystander], 10)).toEqual(all(1, 10));
      await consumer.disconnect();
      await bystander.stop();
    });

    test('S110: what is committed before its work is done is lost with its worker, what is committed behind it is not', async () => {
      const client = await RawClient.connect(home.port);
      const never = new Promise<void>(() => {});
      for (const [before, expected] of [
        [true, []],
        [false, range(7, 3).map((at) => `0-${at}`)],
      ] as const) {
        const topic = await topicOf(home, 1, 10);
        const group = freshTopic('group');
        const consumer = consumerOf(home, group);
        const worked: number[] = [];
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachMessage: async ({ message }) => {
            const offset = Number(message.offset);
            const work = async () => {
              if (offset >= 3) await never;
              worked.push(offset);
            };
            const committing = () => consumer.commitOffsets([{ topic, partition: 0, offset: `${offset + 1}` }]);
            if (before) {
              void work();
              await committing();
            } else void work().then(committing);
          },
        });
        await eventually(
          () => committedOffset(client, group, topic),
          (offset) => offset === (before ? 10 : 3),
        );
        expect(worked).toEqual([0, 1, 2]);
        await consumer.disconnect();
        const next = await kafkajsMember({ address: home.address, group, topic });
        await fill(client, topic, 1, 1, 10);
        expect(await read([next], expected.length + 1)).toEqual([...expected, '0-10'].toSorted());
        await next.stop();
      }
      await client.close();
    });

    test('S151: a group is taken back to a moment, and reads from there', async () => {
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client);
      const start = Date.now() - 100_000;
      const records = range(10).map((at) => ({ timestamp: start + at * 1_000, key: null, value: utf8(`0-${at}`) }));
      for (const record of records) await produce(client, topic, batchOf([record]));
      const group = freshTopic('group');
      const membership = { address: home.address, group, topic };
      const first = await kafkajsMember(membership);
      expect(await read([first], 10)).toEqual(all(1, 10));
      await first.stop();
      const admin = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const partitions = await admin.fetchTopicOffsetsByTimestamp(topic, start + 5_500);
      expect(partitions).toEqual([{ partition: 0, offset: '6' }]);
      expect(await commit(client, group, topic, Number(partitions[0]?.offset))).toBe(0);
      const second = await kafkajsMember(membership);
      expect(await read([second], 4)).toEqual(range(4, 6).map((at) => `0-${at}`));
      await second.stop();
      await admin.disconnect();
      await client.close();
    });

    test('S126: a consumer that shares no strategy with the group is told so', async () => {
      const topic = await topicOf(home, 1);
      const group = freshTopic('group');
      const member = await platformaticMember({ address: home.address, group, topic });
      await expectShares([member], [[0]]);
      const consumer = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING }).consumer({
        groupId: group,
        retry: { retries: 0 },
      });
      const crashed = new Promise<Error>((done) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => done(payload.error));
      });
      await consumer.connect();
      await consumer.subscribe({ topics: [topic] });
      await consumer.run({ eachMessage: async () => {} }).catch(() => {});
      expect(await crashed).toMatchObject({ type: 'INCONSISTENT_GROUP_PROTOCOL', code: 23 });
      await consumer.disconnect();
      await member.stop();
    });
  },
  { settings: { 'group.min.session.timeout.ms': '100' } },
  [ONE_THREAD],
);

describe.skipIf(!hasTool('kcat'))('with kcat', () => {
  inEveryLayout(
    'balanced',
    (home) => {
      const strategy = (name: string) => ['-X', `${STRATEGY}=${name}`];
      const joined = (group: string, topic: string, count: number, more: readonly string[] = [], sessionMs = 1_000) =>
        range(count).map(() => kcatMember({ address: home.address, group, topic, sessionMs }, more));
      const stopped = (members: readonly Member[]) => Promise.all(members.map((member) => member.stop()));

      test('S098, S106: members of one group share the records, each group gets all of them, also one that is new', async () => {
        const topic = await topicOf(home, 4);
        const client = await RawClient.connect(home.port);
        const [one, two] = [freshTopic('group'), freshTopic('group')];
        const members = joined(one, topic, 2);
        await expectShares(members, [
          [0, 1],
          [2, 3],
        ]);
        await fill(client, topic, 4, 5);
        expect(await read(members, 20)).toEqual(all(4, 5));
        for (const member of members) expect(member.read.length).toBe(10);
        const late = joined(two, topic, 1);
        expect(await read(late, 20)).toEqual(all(4, 5));
        await fill(client, topic, 4, 5, 5);
        expect(await read(members, 40)).toEqual(all(4, 10));
        expect(await read(late, 40)).toEqual(all(4, 10));
        await client.close();
        await stopped([...members, ...late]);
      });

      test('S101, S119: of five members on three partitions two wait, and one of them takes over from one that is killed or hangs', async () => {
        const topic = await topicOf(home, 3, 2);
        const members = joined(freshTopic('group'), topic, 5);
        await expectShares(members, [[], [], [0], [1], [2]]);
        expect(await read(members, 6)).toEqual(all(3, 2));
        const client = await RawClient.connect(home.port);
        const alive = members.slice();
        let each = 2;
        for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
          const at = alive.findIndex(({ owned }) => owned.size > 0);
          const [gone] = alive.splice(at, 1) as [ProcessMember];
          gone.signal(signal);
          await expectShares(alive, [...range(alive.length - 3).map(() => []), [0], [1], [2]]);
          await fill(client, topic, 3, 1, each);
          each += 1;
          await eventually(
            () => new Set(valuesOf(members)).size,
            (count) => count >= 3 * each,
          );
          // None is skipped; one may come twice when its owner was gone before it had committed.
          expect(new Set(valuesOf(members))).toEqual(new Set(all(3, each)));
        }
        for (const member of members) member.signal('SIGCONT');
        await client.close();
        await stopped(members);
      });

      test('S103: order is kept in each partition, and in all of a topic that has only one', async () => {
        const several = await topicOf(home, 3, 50);
        const single = await topicOf(home, 1, 100);
        const members = joined(freshTopic('group'), several, 2);
        const alone = joined(freshTopic('group'), single, 2);
        await read(members, 150);
        await read(alone, 100);
        for (const partition of range(3)) {
          const readers = members.map((member) => member.read.filter((one) => one.partition === partition));
          for (const one of readers) {
            const offsets = one.map(({ offset }) => offset);
            expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
          }
        }
        const [ordered = []] = alone
          .map((member) => member.read.map(({ value }) => value))
          .filter(({ length }) => length > 0);
        expect(ordered.slice(0, 100)).toEqual(range(100).map((at) => `0-${at}`));
        await stopped([...members, ...alone]);
      });

      test('S107: without an offset, or with one that is gone, a consumer begins where it says: earliest, latest, or not at all', async () => {
        const client = await RawClient.connect(home.port);
        const topic = await topicOf(home, 1);
        for (const at of range(10)) await produce(client, topic, batchOf([`0-${at}`]));
        const reset = (where: string) => ['-X', `auto.offset.reset=${where}`];
        const latest = joined(freshTopic('group'), topic, 1, reset('latest'));
        await expectShares(latest, [[0]]);
        // It reads from the end once it has asked for it: whatever it read later it reads in order, and the last.
        let more = 10;
        await eventually(
          async () => {
            await produce(client, topic, batchOf([`0-${more++}`]));
            return valuesOf(latest).length;
          },
          (count) => count > 0,
        );
        expect(Number(latest[0]?.read[0]?.offset)).toBeGreaterThanOrEqual(10);
        const truncated = freshTopic('group');
        await coordinated(client, truncated);
        expect(await commit(client, truncated, topic, 2)).toBe(0);
        expect((await deleteRecords(client, topic, 5)).errorCode).toBe(0);
        const earliest = joined(truncated, topic, 1, reset('earliest'));
        await read(earliest, 5);
        expect(earliest[0]?.read.slice(0, 5).map(({ offset }) => offset)).toEqual(range(5, 5));
        await stopped([...latest, ...earliest]);
        const none = freshTopic('group');
        await coordinated(client, none);
        expect(await commit(client, none, topic, 2)).toBe(0);
        const words = [
          '-b',
          home.address,
          '-G',
          none,
          '-X',
          'session.timeout.ms=1000',
          '-X',
          'heartbeat.interval.ms=200',
        ];
        const { stderr } = await kcat([...words, ...reset('error'), '-e', topic]);
        expect(stderr).toMatch(/[Oo]ffset out of range|OFFSET_OUT_OF_RANGE|Broker: Offset out of range/);
        await client.close();
      });

      test('S122: partitions are added, and a topic comes that the pattern matches: the group shares them out', async () => {
        const topic = await topicOf(home, 1);
        const client = await RawClient.connect(home.port);
        const soon = ['-X', 'topic.metadata.refresh.interval.ms=200'];
        const members = joined(freshTopic('group'), topic, 2, soon);
        await expectShares(members, [[], [0]]);
        expect(await grow(client, [{ name: topic, count: 4 }])).toEqual([[topic, 0]]);
        await expectShares(members, [
          [0, 1],
          [2, 3],
        ]);
        await stopped(members);
        const prefix = freshTopic('pattern');
        await createTopics(client, [newTopic(`${prefix}-a`)]);
        const [matching] = joined(freshTopic('group'), `^${prefix}-.*`, 1, soon) as [ProcessMember];
        await expectShares([matching], [[0]]);
        await createTopics(client, [newTopic(`${prefix}-b`, { numPartitions: 3 })]);
        await produce(client, `${prefix}-b`, batchOf(['found']), { partition: 2 });
        expect(await read([matching], 1)).toEqual(['found']);
        await matching.stop();
        await client.close();
      });

      test('S127: range gives ten partitions to three members as 0-3, 4-6 and 7-9', async () => {
        const members = joined(freshTopic('group'), await topicOf(home, 10), 3, strategy('range'));
        await expectShares(members, [range(4), range(3, 4), range(3, 7)]);
        await stopped(members);
      });

      test('S126, S128: round robin gives them out in turn, also when the members are of two kinds', async () => {
        const topic = await topicOf(home, 10);
        const group = freshTopic('group');
        const kcats = joined(group, topic, 2, strategy('roundrobin'));
        const other = await platformaticMember({ address: home.address, group, topic, sessionMs: 1_000 });
        await expectShares(
          [...kcats, other],
          [
            [0, 3, 6, 9],
            [1, 4, 7],
            [2, 5, 8],
          ],
        );
        await stopped([...kcats, other]);
      });

      test('S151: kcat begins at a moment', async () => {
        const client = await RawClient.connect(home.port);
        const { name: topic } = await createTopic(client);
        const start = Date.now() - 100_000;
        for (const at of range(5))
          await produce(client, topic, batchOf([{ timestamp: start + at * 1_000, key: null, value: utf8(`${at}`) }]));
        const from = `s@${start + 2_500}`;
        const { stdout } = await kcat(['-C', '-b', home.address, '-t', topic, '-p', '0', '-o', from, '-e', '-q']);
        expect(stdout.trim().split('\n')).toEqual(['3', '4']);
        await client.close();
      });
    },
    { settings: { 'group.min.session.timeout.ms': '500' } },
    [ONE_THREAD],
  );
});
