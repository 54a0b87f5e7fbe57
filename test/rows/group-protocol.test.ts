/** The classic protocol on the wire: who leads, who is told what, what begins a rebalance and what does not, whose time is over. */
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { eventually, inEveryLayout, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import {
  commit,
  committedOffset,
  coordinated,
  describeGroup,
  formGroup,
  type MemberOptions,
  RawMember,
} from '../kit/group-calls.ts';
import { utf8 } from '../kit/records.ts';
import { createTopic, freshTopic } from '../kit/requests.ts';

const bytes = (text: string) => utf8(text) as Uint8Array;

/** Only what the broker has to do counts here: the shortest session is a moment. */
const SETTINGS = { 'group.min.session.timeout.ms': '50' };

inEveryLayout(
  'members on the wire',
  (home) => {
    async function fresh(count: number, options: MemberOptions = {}) {
      const client = await RawClient.connect(home.port);
      const group = freshTopic('group');
      await coordinated(client, group);
      const members: RawMember[] = [];
      for (let at = 0; at < count; at++) members.push(await RawMember.connect(home.port, group, options));
      const close = () => Promise.all([client.close(), ...members.map((member) => member.close())]);
      return { client, group, members, close };
    }

    test('S120: a member is given its id first; the first one leads, and it alone is told the members', async () => {
      const { members, close } = await fresh(3, { protocols: [['range', bytes('as it was sent')]] });
      const [first] = members as [RawMember];
      const told = await first.joinOnce();
      expect(told).toMatchObject({ errorCode: ERROR.MEMBER_ID_REQUIRED, generationId: -1, members: [] });
      expect(told.memberId).toMatch(/^raw-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const { joined } = await formGroup(members);
      const leaders = joined.filter(({ leader, memberId }) => leader === memberId);
      expect(leaders).toHaveLength(1);
      for (const answer of joined) {
        expect(answer).toMatchObject({ errorCode: ERROR.NONE, protocolType: 'consumer', protocolName: 'range' });
        expect(answer.leader).toBe(leaders[0]?.memberId);
        expect(answer.members).toHaveLength(answer === leaders[0] ? 3 : 0);
      }
      const listed = leaders[0]?.members.map(({ memberId, metadata }) => [memberId, metadata]);
      expect(new Map(listed as [string, Uint8Array][])).toEqual(
        new Map(members.map(({ id }) => [id, bytes('as it was sent')])),
      );
      await close();
    });

    test('S120: before v4 nobody is sent back for an id', async () => {
      const { members, close } = await fresh(1);
      const [member] = members as [RawMember];
      expect(await member.joinOnce({}, 3)).toMatchObject({ errorCode: ERROR.NONE, generationId: 1 });
      await close();
    });

    test('S121: each member gets its bytes of the plan unchanged, again when it asks again', async () => {
      const { members, client, group, close } = await fresh(3);
      const shares = members.map((_, at) =>
        Uint8Array.from({ length: 1 + at * 100_000 }, (_, byte) => (byte * 7) & 255),
      );
      const { synced } = await formGroup(members, (_, at) => shares[at] as Uint8Array);
      for (const [at, { errorCode, assignment }] of synced.entries()) {
        expect(errorCode).toBe(ERROR.NONE);
        expect(Buffer.compare(assignment, shares[at] as Uint8Array)).toBe(0);
      }
      const again = await (members[2] as RawMember).sync();
      expect(Buffer.compare(again.assignment, shares[2] as Uint8Array)).toBe(0);
      const { groupState, members: described } = await describeGroup(client, group);
      expect(groupState).toBe('Stable');
      expect(new Set(described.map(({ memberAssignment }) => memberAssignment.length))).toEqual(
        new Set(shares.map(({ length }) => length)),
      );
      await close();
    });

    test('S122: whoever comes, leaves, or subscribes to something else begins a rebalance, and each is one generation', async () => {
      const { group, members, close } = await fresh(2);
      const [one, two] = members as [RawMember, RawMember];
      await formGroup(members);
      const told = (member: RawMember) =>
        eventually(
          () => member.beat(),
          (error) => error !== ERROR.NONE,
        );
      const third = await RawMember.connect(home.port, group);
      const comes = third.join();
      expect(await told(one)).toBe(ERROR.REBALANCE_IN_PROGRESS);
      expect(await told(two)).toBe(ERROR.REBALANCE_IN_PROGRESS);
      const all = await Promise.all([one.join(), two.join()]);
      expect(all.map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE, ERROR.NONE]);
      await comes;
      const leader = all[0]?.leader === one.id ? one : two;
      const synced = [one, two, third].map((member) =>
        member.sync(member === leader ? { [one.id]: bytes('all') } : {}),
      );
      expect((await Promise.all(synced)).map(({ errorCode }) => errorCode)).toEqual(synced.map(() => ERROR.NONE));
      const before = one.generation;
      expect(third.generation).toBe(before);
      expect(await third.leave()).toBe(ERROR.NONE);
      expect(await told(one)).toBe(ERROR.REBALANCE_IN_PROGRESS);
      await formGroup([one, two]);
      expect(one.generation).toBe(before + 1);
      const follower = one === leader ? two : one;
      const other = follower.join({ protocols: [['range', bytes('other topics')]] });
      expect(await told(leader)).toBe(ERROR.REBALANCE_IN_PROGRESS);
      expect((await leader.join()).errorCode).toBe(ERROR.NONE);
      expect((await other).generationId).toBe(before + 2);
      await third.close();
      await close();
    });

    test('S122: a member that joins again with what it said before begins none', async () => {
      const { members, close } = await fresh(2);
      const { joined } = await formGroup(members);
      const follower = members.find(({ id }) => id !== joined[0]?.leader) as RawMember;
      const { generation } = follower;
      expect(await follower.join()).toMatchObject({ errorCode: ERROR.NONE, generationId: generation });
      for (const member of members) expect(await member.beat()).toBe(ERROR.NONE);
      await close();
    });

    test('S132: whoever does not come back within its rebalance time is dropped, and the others go on', async () => {
      const { group, members, close } = await fresh(2, { sessionMs: 60_000, rebalanceMs: 2_000 });
      const [one, two] = members as [RawMember, RawMember];
      const { joined } = await formGroup(members);
      const third = await RawMember.connect(home.port, group, { sessionMs: 60_000, rebalanceMs: 2_000 });
      // `two` goes on beating, but does not join.
      const [mine, others] = await Promise.all([
        eventually(
          () => one.beat(),
          (error) => error !== ERROR.NONE,
        ).then(() => one.join()),
        third.join(),
      ]);
      expect([mine, others].map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE, ERROR.NONE]);
      expect(mine.generationId).toBe((joined[0]?.generationId as number) + 1);
      const told = mine.members.length > 0 ? mine.members : others.members;
      expect(new Set(told.map(({ memberId }) => memberId))).toEqual(new Set([one.id, third.id]));
      expect(await two.beat()).toBe(ERROR.UNKNOWN_MEMBER_ID);
      await third.close();
      await close();
    });

    test('S113: before it gives a partition up a member commits what it has done, and its next owner begins there', async () => {
      const { client, group, members, close } = await fresh(2);
      const { name: topic } = await createTopic(client);
      const [one, two] = members as [RawMember, RawMember];
      const { joined } = await formGroup([one]);
      expect(joined[0]?.generationId).toBe(one.generation);
      const comes = two.join();
      const told = () =>
        eventually(
          () => one.beat(),
          (error) => error !== ERROR.NONE,
        );
      expect(await told()).toBe(ERROR.REBALANCE_IN_PROGRESS);
      expect(await one.commit(topic, 50)).toBe(ERROR.NONE);
      await Promise.all([one.join(), comes]);
      // Between the generations nobody owns anything: a commit has to wait for the plan.
      expect(await one.commit(topic, 51)).toBe(ERROR.REBALANCE_IN_PROGRESS);
      const synced = [one.sync({ [two.id]: bytes('all') }), two.sync()];
      expect((await Promise.all(synced)).map(({ assignment }) => assignment.length)).toEqual([0, 3]);
      expect(await committedOffset(two.client, group, topic)).toBe(50);
      await close();
    });

    test('S119: a member that is silent for its session is gone, and the rest are told', async () => {
      const { members, client, group, close } = await fresh(2);
      const [one, two] = members as [RawMember, RawMember];
      const silent = await RawMember.connect(home.port, group, { sessionMs: 1_000 });
      await formGroup([one, two, silent]);
      await silent.close();
      for (const member of [one, two])
        expect(
          await eventually(
            () => member.beat(),
            (error) => error !== ERROR.NONE,
          ),
        ).toBe(ERROR.REBALANCE_IN_PROGRESS);
      await formGroup([one, two]);
      const { members: described } = await describeGroup(client, group);
      expect(new Set(described.map(({ memberId }) => memberId))).toEqual(new Set([one.id, two.id]));
      await close();
    });

    test('S123: whoever assigns partitions to itself commits without a generation, and no group notices', async () => {
      const { client, group, members, close } = await fresh(1);
      const { name: topic } = await createTopic(client);
      const alone = freshTopic('group');
      await coordinated(client, alone);
      for (const offset of [3, 9]) expect(await commit(client, alone, topic, offset)).toBe(ERROR.NONE);
      expect(await describeGroup(client, alone)).toMatchObject({ groupState: 'Empty', members: [] });
      // Into a group that has members it may not: its offsets are theirs.
      await formGroup(members);
      expect(await commit(client, group, topic, 9)).toBe(ERROR.UNKNOWN_MEMBER_ID);
      expect(await (members[0] as RawMember).beat()).toBe(ERROR.NONE);
      await close();
    });
  },
  { settings: SETTINGS },
);

inEveryLayout(
  'bounds of a session',
  (home) => {
    test('S131: a session shorter than 6 s or longer than 30 min is refused, the bounds themselves are not', async () => {
      const client = await RawClient.connect(home.port);
      await coordinated(client, 'bounds');
      const wanted = [5_999, 6_000, 1_800_000, 1_800_001, 0, -1];
      const codes: number[] = [];
      for (const sessionMs of wanted) {
        codes.push((await new RawMember(client, freshTopic('group'), { sessionMs }).join()).errorCode);
      }
      const refused = ERROR.INVALID_SESSION_TIMEOUT;
      expect(codes).toEqual([refused, ERROR.NONE, ERROR.NONE, refused, refused, refused]);
      await client.close();
    });
  },
  {},
  [ONE_THREAD],
);
