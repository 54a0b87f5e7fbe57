/** What groups have committed: told as it was given, by whoever may, kept while it is wanted; and refused in Kafka's words. */
import { expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { OffsetCommit } from '../../src/wire/messages/offset-commit.ts';
import { eventually, inEveryLayout, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import {
  commit,
  committed,
  committedOffset,
  coordinated,
  deleteGroup,
  describeGroup,
  formGroup,
  listedGroups,
  RawMember,
} from '../kit/group-calls.ts';
import { createTopic, freshTopic } from '../kit/requests.ts';

const UNDER_WAY = 20;

inEveryLayout('offsets of groups', (home) => {
  async function fresh(partitions = 1) {
    const client = await RawClient.connect(home.port);
    const group = freshTopic('group');
    await coordinated(client, group);
    const { name: topic } = await createTopic(client, { partitions });
    return { client, group, topic };
  }

  test('S111: the commit that comes last is the one that counts, also when many are under way', async () => {
    const { client, group, topic } = await fresh();
    for (const offset of [10, 4, 7]) expect(await commit(client, group, topic, offset)).toBe(ERROR.NONE);
    expect(await committedOffset(client, group, topic)).toBe(7);
    const codes = await Promise.all(
      Array.from({ length: UNDER_WAY }, (_, at) => commit(client, group, topic, 100 - at)),
    );
    expect(new Set(codes)).toEqual(new Set([ERROR.NONE]));
    expect(await committedOffset(client, group, topic)).toBe(101 - UNDER_WAY);
    await client.close();
  });

  test('S111: a commit of another generation, of nobody, of one who was fenced: Kafka’s code each, nothing changes', async () => {
    const { client, group, topic } = await fresh();
    const member = await RawMember.connect(home.port, group, { instanceId: 'static' });
    await formGroup([member]);
    const { generation, id } = member;
    expect(await member.commit(topic, 5)).toBe(ERROR.NONE);
    const refused = [
      await member.commit(topic, 6, { generation: generation - 1 }),
      await member.commit(topic, 6, { generation: generation + 1 }),
      await member.commit(topic, 6, { memberId: 'somebody', instanceId: null }),
      await member.commit(topic, 6, { memberId: 'somebody' }),
      await member.commit(topic, 6, { memberId: id, instanceId: 'nobody' }),
      await commit(client, freshTopic('nowhere'), topic, 6, { generation: 3, memberId: id }),
      await commit(client, freshTopic('nowhere'), topic, 6, { generation: 3, memberId: id, version: 8 }),
    ];
    expect(refused).toEqual([
      ERROR.ILLEGAL_GENERATION,
      ERROR.ILLEGAL_GENERATION,
      ERROR.UNKNOWN_MEMBER_ID,
      ERROR.FENCED_INSTANCE_ID,
      ERROR.UNKNOWN_MEMBER_ID,
      ERROR.GROUP_ID_NOT_FOUND,
      ERROR.ILLEGAL_GENERATION,
    ]);
    expect(await committedOffset(client, group, topic)).toBe(5);
    const successor = await RawMember.connect(home.port, group, { instanceId: 'static' });
    expect((await successor.join()).errorCode).toBe(ERROR.NONE);
    expect(await member.commit(topic, 8)).toBe(ERROR.FENCED_INSTANCE_ID);
    expect(await member.beat()).toBe(ERROR.FENCED_INSTANCE_ID);
    expect(await committedOffset(client, group, topic)).toBe(5);
    await Promise.all([client.close(), member.close(), successor.close()]);
  });

  test('S111: metadata comes back as it was given; more than 4,096 characters of it are refused', async () => {
    const { client, group, topic } = await fresh(3);
    const metadata = 'where we are: 東京 ☕';
    expect(await commit(client, group, topic, 1, { metadata, leaderEpoch: 0 })).toBe(ERROR.NONE);
    expect(await commit(client, group, topic, 2, { partition: 1, metadata: 'x'.repeat(4_096) })).toBe(ERROR.NONE);
    const tooLarge = await commit(client, group, topic, 3, { partition: 2, metadata: 'x'.repeat(4_097) });
    expect(tooLarge).toBe(ERROR.OFFSET_METADATA_TOO_LARGE);
    expect(await committed(client, group, topic, [0, 1, 2])).toMatchObject([
      { committedOffset: 1, committedLeaderEpoch: 0, metadata, errorCode: ERROR.NONE },
      { committedOffset: 2, metadata: 'x'.repeat(4_096) },
      { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: ERROR.NONE },
    ]);
    await client.close();
  });

  test('S111: of one request each partition has its own answer', async () => {
    const { client, group, topic } = await fresh(2);
    const partition = (partitionIndex: number, committedMetadata = '') => ({
      partitionIndex,
      committedOffset: 5,
      committedLeaderEpoch: -1,
      committedMetadata,
    });
    const { topics } = await client.call(OffsetCommit, 9, {
      groupId: group,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [
        { name: topic, topicId: ZERO_UUID, partitions: [partition(0), partition(1, 'x'.repeat(5_000)), partition(2)] },
        { name: 'not-there', topicId: ZERO_UUID, partitions: [partition(0)] },
      ],
    });
    expect(topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))).toEqual([
      [ERROR.NONE, ERROR.OFFSET_METADATA_TOO_LARGE, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      [ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    expect((await committed(client, group, topic, [0, 1])).map((one) => one.committedOffset)).toEqual([5, -1]);
    await client.close();
  });

  test('S105: what a group committed is there after the broker has been started anew, and moves no other group', async () => {
    const { client, group, topic } = await fresh();
    const other = freshTopic('group');
    expect(await commit(client, group, topic, 42, { metadata: 'kept' })).toBe(ERROR.NONE);
    expect(await commit(client, other, topic, 3)).toBe(ERROR.NONE);
    await client.close();
    await home.restart();
    const next = await RawClient.connect(home.port);
    await coordinated(next, group);
    await coordinated(next, other);
    expect(await committed(next, group, topic)).toMatchObject([{ committedOffset: 42, metadata: 'kept' }]);
    expect(await committedOffset(next, other, topic)).toBe(3);
    expect((await listedGroups(next)).map(({ groupId }) => groupId)).toEqual(expect.arrayContaining([group, other]));
    await next.close();
  });

  test('S099: a group is one subscriber of several members, each with its own share and host', async () => {
    const { client, group } = await fresh();
    const members = [await RawMember.connect(home.port, group), await RawMember.connect(home.port, group)];
    await formGroup(members, (_, at) => Uint8Array.of(at));
    const described = await describeGroup(client, group);
    expect(described).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' });
    expect(
      new Map(
        described.members.map(({ memberId, clientHost, memberAssignment }) => [
          memberId,
          [clientHost, memberAssignment],
        ]),
      ),
    ).toEqual(new Map(members.map(({ id }, at) => [id, ['/127.0.0.1', Uint8Array.of(at)]])));
    expect(await deleteGroup(client, group)).toBe(ERROR.NON_EMPTY_GROUP);
    for (const member of members) expect(await member.leave()).toBe(ERROR.NONE);
    expect(await deleteGroup(client, group)).toBe(ERROR.NONE);
    expect((await describeGroup(client, group)).groupState).toBe('Dead');
    await Promise.all([client, ...members].map((one) => one.close()));
  });

  test('S120: a group without a name, without a protocol, of another kind or with nothing in common is refused', async () => {
    const { client, group } = await fresh();
    const joined = (name: string, options: ConstructorParameters<typeof RawMember>[2] = {}) =>
      new RawMember(client, name, options).join().then(({ errorCode }) => errorCode);
    const member = await RawMember.connect(home.port, group);
    await formGroup([member]);
    const what = Uint8Array.of(1);
    expect([
      await joined(''),
      await joined(freshTopic('group'), { protocols: [] }),
      await joined(freshTopic('group'), { protocolType: '' }),
      await joined(group, { protocolType: 'connect' }),
      await joined(group, { protocols: [['another', what]] }),
    ]).toEqual([
      ERROR.INVALID_GROUP_ID,
      ERROR.INCONSISTENT_GROUP_PROTOCOL,
      ERROR.INCONSISTENT_GROUP_PROTOCOL,
      ERROR.INCONSISTENT_GROUP_PROTOCOL,
      ERROR.INCONSISTENT_GROUP_PROTOCOL,
    ]);
    expect(await member.beat()).toBe(ERROR.NONE);
    await Promise.all([client.close(), member.close()]);
  });
});

inEveryLayout(
  'offsets that nobody wants any more',
  (home) => {
    test('S144: a group whose offsets have outlived their retention is gone; one with members keeps its own', async () => {
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client);
      const [left, lives] = [freshTopic('group'), freshTopic('group')];
      await coordinated(client, left);
      await coordinated(client, lives);
      const member = await RawMember.connect(home.port, lives);
      await formGroup([member]);
      // A retention of its own, which older clients may ask for: it counts from the commit.
      const soon = (group: string, of: { memberId: string; generationIdOrMemberEpoch: number }) =>
        client.call(OffsetCommit, 4, {
          groupId: group,
          groupInstanceId: null,
          retentionTimeMs: 1,
          topics: [
            {
              name: topic,
              topicId: ZERO_UUID,
              partitions: [
                { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: null },
              ],
            },
          ],
          ...of,
        });
      const codes = [
        await soon(left, { memberId: '', generationIdOrMemberEpoch: -1 }),
        await soon(lives, { memberId: member.id, generationIdOrMemberEpoch: member.generation }),
      ].map(({ topics }) => topics[0]?.partitions[0]?.errorCode);
      expect(codes).toEqual([ERROR.NONE, ERROR.NONE]);
      expect(await member.commit(topic, 6)).toBe(ERROR.NONE);
      const kept = freshTopic('group');
      expect(await commit(client, kept, topic, 1)).toBe(ERROR.NONE);
      const state = await eventually(
        () => describeGroup(client, left),
        ({ groupState }) => groupState === 'Dead',
      );
      expect(state.groupState).toBe('Dead');
      expect(await committedOffset(client, left, topic)).toBe(-1);
      expect(await committedOffset(client, lives, topic)).toBe(6);
      expect(await committedOffset(client, kept, topic)).toBe(1);
      await Promise.all([client.close(), member.close()]);
    });
  },
  { settings: { 'offsets.retention.check.interval.ms': '100' } },
  [ONE_THREAD],
);
