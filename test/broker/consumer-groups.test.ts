/**
 * Groups of the consumer protocol on a broker: topics that come, grow and go reach their members, a silent member's partitions
 * go to the others, and nobody is lost when threads change or the broker starts anew.
 */
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BeatingMember, beating } from '../kit/beating-member.ts';
import { expectAtRest, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { commit, committedOffset, coordinated, describeConsumerGroup } from '../kit/group-calls.ts';
import { createTopic, freshTopic } from '../kit/requests.ts';
import { deleteByName, grow } from '../kit/topics.ts';

const SESSION_MS = 400;
const SETTINGS = {
  'group.consumer.min.session.timeout.ms': '100',
  'group.consumer.session.timeout.ms': '30000',
};

const sizes = (members: readonly BeatingMember[]) => members.map(({ size }) => size).join();

inEveryLayout(
  'groups of the consumer protocol',
  (home) => {
    test('topics that come, grow and go are shared anew', async () => {
      const client = await RawClient.connect(home.port);
      const group = freshTopic('group');
      const prefix = freshTopic('matched');
      const { id: first } = await createTopic(client, { name: `${prefix}-1`, partitions: 2 });
      await coordinated(client, group);
      const member = await BeatingMember.join(home.port, group, { pattern: `${prefix}-.*` });
      const all = () => beating([member], () => member.size === 2);
      expect(await all()).toBe(true);
      const { id: second } = await createTopic(client, { name: `${prefix}-2`, partitions: 1 });
      expect(await beating([member], () => member.of(second).length === 1)).toBe(true);
      await grow(client, [{ name: `${prefix}-2`, count: 3 }]);
      expect(await beating([member], () => member.of(second).length === 3)).toBe(true);
      expect(member.of(first)).toEqual([0, 1]);
      await deleteByName(client, [`${prefix}-2`]);
      expect(await all()).toBe(true);
      expect(member.lost).toBe(0);
      expect(await member.leave()).toBe(ERROR.NONE);
      await client.close();
      await expectAtRest(home.broker);
    });

    test('threads come and go: members stay, offsets and epochs with them', async () => {
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client, { partitions: 4 });
      const group = freshTopic('group');
      await coordinated(client, group);
      const join = () => BeatingMember.join(home.port, group, { names: [topic] });
      const members = [await join(), await join()];
      expect(await beating(members, () => sizes(members) === '2,2')).toBe(true);
      for (const size of [3, 1, 2]) {
        const joining = join();
        await home.broker.resize({ network: size, io: size });
        members.push(await joining);
        const even = () =>
          members.every((one) => one.size >= 1) && members.reduce((sum, one) => sum + one.size, 0) === 4;
        expect(await beating(members, even)).toBe(true);
        expect((await members.pop()?.leave()) as number).toBe(ERROR.NONE);
        expect(await beating(members, () => sizes(members) === '2,2')).toBe(true);
      }
      expect(members.map(({ lost }) => lost)).toEqual([0, 0]);
      const [{ id, epoch }] = members as [BeatingMember, BeatingMember];
      expect(await commit(client, group, topic, 5, { memberId: id, generation: epoch })).toBe(ERROR.NONE);
      const stale = { memberId: id, generation: epoch + 1 };
      expect(await commit(client, group, topic, 6, stale)).toBe(ERROR.STALE_MEMBER_EPOCH);
      for (const member of members) await member.leave();
      expect(await describeConsumerGroup(client, group)).toMatchObject({ groupState: 'Empty', members: [] });
      expect(await committedOffset(client, group, topic)).toBe(5);
      await client.close();
      await expectAtRest(home.broker);
    }, 60_000);

    test('a broker that starts anew knows its members, and takes the silent for gone', async () => {
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client, { partitions: 4 });
      const group = freshTopic('group');
      await coordinated(client, group);
      const stays = await BeatingMember.join(home.port, group, { names: [topic] });
      const goes = await BeatingMember.join(home.port, group, { names: [topic] });
      expect(await beating([stays, goes], () => sizes([stays, goes]) === '2,2')).toBe(true);
      const before = await describeConsumerGroup(client, group);
      await Promise.all([client.close(), goes.close()]);
      await home.restart({ 'group.consumer.session.timeout.ms': String(SESSION_MS) });
      await stays.comeBack(home.port);
      const again = await RawClient.connect(home.port);
      await coordinated(again, freshTopic('other'));
      expect(await stays.beat()).toBe(ERROR.NONE);
      const known = await describeConsumerGroup(again, group);
      expect(known.members.map(({ memberId }) => memberId)).toContain(stays.id);
      expect(known.groupEpoch).toBeGreaterThanOrEqual(before.groupEpoch);
      expect(await beating([stays], () => stays.size === 4)).toBe(true);
      expect(stays.lost).toBe(0);
      await stays.leave();
      await again.close();
      await home.restart();
    });
  },
  { settings: SETTINGS },
);
