/**
 * Groups while the partitions of their log move, or go: no member is lost for longer than it takes to join again, no
 * acknowledged commit goes back, a member that waits in its join holds nothing up, and all end well.
 */
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { eventually, expectAtRest, inEveryLayout, LAYOUTS, type Layout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import {
  commit,
  committed,
  committedOffset,
  coordinated,
  describeGroup,
  findCoordinators,
  formGroup,
  GROUP_LOG,
  RawMember,
} from '../kit/group-calls.ts';
import { createTopic, freshTopic } from '../kit/requests.ts';
import { ownedTwice, type Shared, SteadyMember, shared } from '../kit/steady-members.ts';
import { deleteByName } from '../kit/topics.ts';

const PARTITIONS = 6;
const SIZES = [3, 1, 2];

interface Living {
  readonly shared: Shared;
  readonly members: SteadyMember[];
}

async function live(port: number, topic: string, group: string, count: number): Promise<Living> {
  const of = shared(topic, PARTITIONS);
  const members = await Promise.all(Array.from({ length: count }, () => SteadyMember.join(port, group, of)));
  return { shared: of, members };
}

const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);

/** All are in one generation, and every partition is somebody's. */
async function settled({ members }: Living): Promise<void> {
  const now = () => ({
    generations: new Set(members.map(({ generation }) => generation)).size,
    owned: members.flatMap(({ owned }) => [...owned]).toSorted((a, b) => a - b),
  });
  await eventually(now, ({ generations, owned }) => generations === 1 && owned.length === PARTITIONS);
  expect(now()).toEqual({ generations: 1, owned: all });
}

/** Every member has gone on with its work since. */
async function goesOn({ members }: Living): Promise<void> {
  const before = members.map(({ rounds }) => rounds);
  const behind = () => members.filter(({ rounds }, at) => rounds <= (before[at] as number)).length;
  expect(await eventually(behind, (count) => count === 0)).toBe(0);
}

inEveryLayout('groups on the move', (home) => {
  test('threads come and go while members commit and others join: nobody is lost, nothing goes back', async () => {
    const client = await RawClient.connect(home.port);
    const { name: topic } = await createTopic(client, { partitions: PARTITIONS });
    const groups = [freshTopic('group'), freshTopic('group')];
    await coordinated(client, groups[0] as string);
    const living = await Promise.all(groups.map((group) => live(home.port, topic, group, 2)));
    await Promise.all(living.map(settled));
    for (const [round, size] of SIZES.entries()) {
      const one = living[round % living.length] as Living;
      const known = living.flatMap(({ members }) => members.slice());
      // In the middle of a rebalance as well: somebody comes while the threads change. It alone may have to come twice.
      const joining = SteadyMember.join(home.port, groups[round % groups.length] as string, one.shared);
      await home.broker.resize({ network: size, io: size });
      one.members.push(await joining);
      await Promise.all(living.map(settled));
      await Promise.all(living.map(goesOn));
      expect(known.map(({ lost }) => lost)).toEqual(known.map(() => 0));
      const next = one.members.at(-1) as SteadyMember;
      next.lost = 0;
    }
    for (const [at, { shared, members }] of living.entries()) {
      expect(ownedTwice(shared)).toEqual([]);
      for (const member of members) await member.leave();
      const found = await committed(client, groups[at] as string, topic, all);
      for (const { partitionIndex, committedOffset } of found)
        expect([partitionIndex, committedOffset]).toEqual([partitionIndex, shared.acknowledged[partitionIndex]]);
    }
    await client.close();
    await expectAtRest(home.broker);
  }, 60_000);

  test('a member that waits in its join does not hold up the threads, and is answered', async () => {
    const client = await RawClient.connect(home.port);
    const group = freshTopic('group');
    await coordinated(client, group);
    const slow = await RawMember.connect(home.port, group, { rebalanceMs: 600_000, sessionMs: 600_000 });
    await formGroup([slow]);
    const waiting = await RawMember.connect(home.port, group, { rebalanceMs: 600_000, sessionMs: 600_000 });
    expect((await waiting.joinOnce()).errorCode).toBe(ERROR.MEMBER_ID_REQUIRED);
    const answer = waiting.joinOnce();
    await eventually(
      () => slow.beat(),
      (error) => error === ERROR.REBALANCE_IN_PROGRESS,
    );
    await home.broker.resize({ network: 3, io: 3 });
    // Its client asks again where it was told to, and is in with all others.
    const { errorCode } = await Promise.race([answer, formGroup([slow]).then(() => ({ errorCode: ERROR.NONE }))]);
    expect([ERROR.NONE, ERROR.NOT_COORDINATOR, ERROR.COORDINATOR_LOAD_IN_PROGRESS]).toContain(errorCode);
    await home.broker.resize({ network: 1, io: 1 });
    await Promise.all([slow.close(), waiting.close(), client.close()]);
    await expectAtRest(home.broker);
  });

  test('a topic that is deleted is forgotten by all groups, whoever bears its name later', async () => {
    const client = await RawClient.connect(home.port);
    const { name: gone } = await createTopic(client, { partitions: 2 });
    const { name: stays } = await createTopic(client);
    const groups = Array.from({ length: 5 }, () => freshTopic('group'));
    await coordinated(client, groups[0] as string);
    for (const group of groups) {
      expect(await commit(client, group, gone, 11, { partition: 1 })).toBe(ERROR.NONE);
      expect(await commit(client, group, stays, 12)).toBe(ERROR.NONE);
    }
    expect((await deleteByName(client, [gone])).map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE]);
    for (const group of groups) {
      const offset = await eventually(
        () => committedOffset(client, group, gone, 1),
        (now) => now === -1,
      );
      expect([offset, await committedOffset(client, group, stays)]).toEqual([-1, 12]);
    }
    await createTopic(client, { name: gone, partitions: 2 });
    for (const group of groups) expect(await committedOffset(client, group, gone, 1)).toBe(-1);
    await client.close();
  });
});

const ONCE: readonly Layout[] = [LAYOUTS[2] as Layout];

inEveryLayout(
  'without the group log',
  (home) => {
    test('when it is deleted, clients are told to look, find a new one, and begin anew', async () => {
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client, { partitions: PARTITIONS });
      const group = freshTopic('group');
      await coordinated(client, group);
      const member = await RawMember.connect(home.port, group);
      await formGroup([member]);
      expect(await member.commit(topic, 5)).toBe(ERROR.NONE);
      expect((await deleteByName(client, [GROUP_LOG])).map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE]);
      expect(await member.beat()).toBe(ERROR.NOT_COORDINATOR);
      expect(await member.commit(topic, 6)).toBe(ERROR.NOT_COORDINATOR);
      await findCoordinators(client, [group]);
      await coordinated(client, group);
      expect((await describeGroup(client, group)).groupState).toBe('Dead');
      expect(await committedOffset(client, group, topic)).toBe(-1);
      expect(await member.beat()).toBe(ERROR.UNKNOWN_MEMBER_ID);
      member.id = '';
      await formGroup([member]);
      expect(await member.commit(topic, 7)).toBe(ERROR.NONE);
      expect(await committedOffset(client, group, topic)).toBe(7);
      await member.close();
      await client.close();
    });
  },
  {},
  ONCE,
);
