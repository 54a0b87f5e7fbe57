/** Where a group is coordinated: the log with the offsets, its partitions, and how a client finds the right one. */
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { FindCoordinator } from '../../src/wire/messages/find-coordinator.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { commit, coordinated, findCoordinators, GROUP_LOG } from '../kit/group-calls.ts';
import { textOf } from '../kit/records.ts';
import { createTopic, metadata, readAll } from '../kit/requests.ts';

const PARTITIONS = 50;

/** As `String.hashCode` in Java, over UTF-16 units. */
function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

function expectedPartition(group: string): number {
  const hash = javaHash(group);
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % PARTITIONS;
}

inEveryLayout('the group log', (home) => {
  test('S118: all who ask at once, the first ones ever, find the coordinator, and it answers', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(home.port)));
    const answers = await Promise.all(clients.map((client, at) => findCoordinators(client, [`first-${at}`, 'same'])));
    for (const found of answers.flat())
      expect(found).toMatchObject({ errorCode: ERROR.NONE, nodeId: 0, host: '127.0.0.1', port: home.port });
    // In the shape of before v4 it is the same.
    const one = await (clients[0] as RawClient).call(FindCoordinator, 3, {
      key: 'same',
      keyType: 0,
      coordinatorKeys: [],
    });
    expect(one).toMatchObject({ errorCode: ERROR.NONE, nodeId: 0, host: '127.0.0.1', port: home.port });
    for (const [at, client] of clients.entries()) await coordinated(client, `first-${at}`);
    await Promise.all(clients.map((client) => client.close()));
  });

  test('S116: the offsets lie in a log of 50 partitions, internal and compacted', async () => {
    const client = await RawClient.connect(home.port);
    await coordinated(client, 'anybody');
    const { topics } = await metadata(client, [GROUP_LOG]);
    expect(topics[0]).toMatchObject({ name: GROUP_LOG, isInternal: true, errorCode: ERROR.NONE });
    expect(topics[0]?.partitions).toHaveLength(PARTITIONS);
    await client.close();
  });

  test('S117: a group is where the hash of its name says, each of 1,000', async () => {
    const client = await RawClient.connect(home.port);
    const { name: topic } = await createTopic(client);
    // The empty name is none; the last one hashes to the smallest int.
    const groups = Array.from({ length: 999 }, (_, at) => `${at % 7 === 0 ? 'Größe-😀' : 'group'}-${at}`);
    groups.push('polygenelubricants');
    expect(javaHash('polygenelubricants')).toBe(-2_147_483_648);
    const found = await findCoordinators(client, groups);
    expect(found.map(({ key, nodeId, errorCode }) => [key, nodeId, errorCode])).toEqual(
      groups.map((group) => [group, 0, ERROR.NONE]),
    );
    await coordinated(client, groups[0] as string);
    const codes = await Promise.all(groups.map((group) => commit(client, group, topic, 7)));
    expect(new Set(codes)).toEqual(new Set([ERROR.NONE]));
    // A commit's record lies in the partition, and so its coordinator does.
    const lies = new Map<string, number>();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const { records } of await readAll(client, GROUP_LOG, { partition })) {
        for (const { key } of records) for (const group of groupsIn(key)) lies.set(group, partition);
      }
    }
    const mine = groups.map((group) => [group, lies.get(group)]);
    expect(mine).toEqual(groups.map((group) => [group, expectedPartition(group)]));
    await client.close();
  });
});

/** The group that a key of an offset is about: two bytes of version, two of length, the name. */
function groupsIn(key: Uint8Array | null): string[] {
  if (key === null) return [];
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return view.getInt16(0) <= 1 ? [textOf(key.subarray(4, 4 + view.getInt16(2))) as string] : [];
}
