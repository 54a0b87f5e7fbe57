/** What a rebalance costs whoever is not part of it, what a member that dies leaves to others, and what the log keeps of offsets. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeGroupRecord } from '../../src/coordinator/group/record-format.ts';
import { coordinatorPartition } from '../../src/coordinator/partitioning.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { LeaveGroup } from '../../src/wire/messages/leave-group.ts';
import { subscription } from '../coordinator/world.ts';
import { BeatingMember, beating } from '../kit/beating-member.ts';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import {
  commit,
  committedOffset,
  coordinated,
  describeGroup,
  formGroup,
  GROUP_LOG,
  RawMember,
} from '../kit/group-calls.ts';
import { kcatMember, type Membership } from '../kit/members.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const home = new BrokerHome(ONE_THREAD);
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
});
afterAll(() => home.end());

async function fresh(partitions: number) {
  const { name: topic, id } = await createTopic(client, { partitions });
  const group = freshTopic('group');
  await coordinated(client, group);
  return { topic, id, group };
}

test('S124: by the consumer protocol a member keeps what stays its own, and commits it, all the while others come', async () => {
  const { topic, id, group } = await fresh(4);
  const stays = await BeatingMember.join(home.port, group, { names: [topic] });
  expect(await beating([stays], () => stays.size === 4)).toBe(true);
  const comes = await BeatingMember.join(home.port, group, { names: [topic] });
  const kept = [0, 1];
  // The rebalance is as long as it takes the first one to notice; until then and from then on it has its part.
  for (let round = 0; round < 4; round++) {
    for (const partition of kept) {
      const from = { partition, memberId: stays.id, generation: stays.epoch };
      expect(await commit(client, group, topic, round, from)).toBe(ERROR.NONE);
    }
    expect(await stays.beat()).toBe(ERROR.NONE);
    expect(stays.of(id)).toEqual(expect.arrayContaining(kept));
    expect(await comes.beat()).toBe(ERROR.NONE);
  }
  expect([stays.of(id), comes.of(id).toSorted()]).toEqual([kept, [2, 3]]);
  await Promise.all([stays, comes].map((member) => member.close()));
});

test('S124: a cooperative member goes on and commits while the next generation gathers; an eager one has nothing until it is whole', async () => {
  const { topic, group } = await fresh(2);
  const options = { sessionMs: 60_000, rebalanceMs: 60_000 };
  const has = { sessionMs: 60_000, rebalanceMs: 60_000 };
  const [one, two] = [
    await RawMember.connect(home.port, group, options),
    await RawMember.connect(home.port, group, has),
  ];
  await formGroup([one, two]);
  const third = await RawMember.connect(home.port, group, options);
  const joining = third.join();
  await eventually(
    () => one.beat(),
    (error) => error === ERROR.REBALANCE_IN_PROGRESS,
  );
  // Neither has joined again: what they have is still theirs, and what they have done with it is taken.
  for (const member of [one, two]) {
    expect(await member.beat()).toBe(ERROR.REBALANCE_IN_PROGRESS);
    expect(await member.commit(topic, 5)).toBe(ERROR.NONE);
  }
  const protocols = [['range', subscription([topic], [{ topic, partitions: [0] }])]] as const;
  const cooperative = one.joinOnce({ protocols });
  expect(await two.commit(topic, 6)).toBe(ERROR.NONE);
  // One that gives everything up before it joins does without from here to its next plan.
  const eager = two.joinOnce();
  const told = await Promise.all([joining, cooperative, eager]);
  expect(new Set(told.map(({ generationId }) => generationId)).size).toBe(1);
  const leader = told.find(({ members }) => members.length > 0);
  expect(leader?.members.find(({ memberId }) => memberId === one.id)?.metadata).toEqual(protocols[0][1]);
  expect(await one.commit(topic, 7)).toBe(ERROR.REBALANCE_IN_PROGRESS);
  await Promise.all([one, two, third].map((member) => member.close()));
});

test('S125, S129: ten partitions of three members; one goes, and only what it had moves, to five and five', async () => {
  const { topic, id, group } = await fresh(10);
  const members: BeatingMember[] = [];
  for (let at = 0; at < 3; at++) members.push(await BeatingMember.join(home.port, group, { names: [topic] }));
  const sizes = () =>
    members
      .map(({ size }) => size)
      .toSorted()
      .join();
  expect(await beating(members, () => sizes() === '3,3,4')).toBe(true);
  const goes = members.splice(
    members.findIndex(({ size }) => size === 3),
    1,
  )[0] as BeatingMember;
  const before = members.map((member) => member.of(id));
  expect(await goes.leave()).toBe(ERROR.NONE);
  expect(await beating(members, () => sizes() === '5,5')).toBe(true);
  for (const [at, member] of members.entries()) expect(member.of(id)).toEqual(expect.arrayContaining(before[at] ?? []));
  expect(members.flatMap((member) => member.of(id)).toSorted()).toEqual(Array.from({ length: 10 }, (_, at) => at));
  await Promise.all(members.map((member) => member.close()));
});

test('S130: members of the consumer protocol are told how often to heartbeat, every 5 s unless somebody says otherwise', async () => {
  const { topic, group } = await fresh(1);
  const member = await BeatingMember.join(home.port, group, { names: [topic] });
  expect(member.intervalMs).toBe(5000);
  await member.close();
});

test('S115: a commit is a record keyed by group, topic and partition, the next one has the same key', async () => {
  const { topic, group } = await fresh(1);
  for (const offset of [3, 4]) {
    expect(await commit(client, group, topic, offset, { metadata: `to ${offset}`, leaderEpoch: 7 })).toBe(ERROR.NONE);
  }
  const partition = coordinatorPartition(group, 50);
  const records = (await readAll(client, GROUP_LOG, { partition })).flatMap((batch) => batch.records);
  const mine = records.flatMap(({ key, value }) => {
    const decoded = key === null ? null : decodeGroupRecord(key, value);
    return decoded?.kind === 'offset-commit' && decoded.group === group ? [{ key, decoded }] : [];
  });
  expect(mine.map(({ decoded }) => decoded)).toMatchObject([
    { topic, partition: 0, value: { offset: 3, metadata: 'to 3', leaderEpoch: 7 } },
    { topic, partition: 0, value: { offset: 4, metadata: 'to 4', leaderEpoch: 7 } },
  ]);
  expect(mine[0]?.key).toEqual(mine[1]?.key);
});

if (hasTool('kcat')) {
  test('S109: what a killed member had not committed automatically is read again, and none is left out', async () => {
    const { topic, group } = await fresh(1);
    const membership: Membership = { address: home.address, group, topic, sessionMs: 60_000 };
    const seldom = ['-X', 'auto.commit.interval.ms=3600000'];
    const values = (from: number) => Array.from({ length: 10 }, (_, at) => `${from + at}`);
    const read = async (member: ReturnType<typeof kcatMember>, last: string) => {
      const has = () => member.read.map(({ value }) => value);
      await eventually(has, (now) => now.includes(last), 25_000);
      return new Set(has());
    };
    await produce(client, topic, batchOf(values(0)));
    const leaves = kcatMember(membership, seldom);
    expect(await read(leaves, '9')).toEqual(new Set(values(0)));
    await leaves.stop();
    expect(await committedOffset(client, group, topic)).toBe(10);
    await produce(client, topic, batchOf(values(10)));
    const dies = kcatMember(membership, seldom);
    expect(await read(dies, '19')).toEqual(new Set(values(10)));
    const [killed] = (await describeGroup(client, group)).members;
    dies.signal('SIGKILL');
    // Its session would end in a minute; an administrator does not wait for that.
    const gone = { memberId: killed?.memberId as string, groupInstanceId: null, reason: null };
    const left = await client.call(LeaveGroup, 5, { groupId: group, memberId: '', members: [gone] });
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE]);
    expect(await committedOffset(client, group, topic)).toBe(10);
    const next = kcatMember(membership, seldom);
    expect(await read(next, '19')).toEqual(new Set(values(10)));
    await next.stop();
    expect(await committedOffset(client, group, topic)).toBe(20);
  }, 90_000);
}
