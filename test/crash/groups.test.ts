/**
 * A broker that is killed or hangs while members commit: what was acknowledged is committed afterwards, and the members, which
 * know nothing of it, are together again.
 */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { subscription } from '../coordinator/world.ts';
import { BeatingMember, beating } from '../kit/beating-member.ts';
import { eventually, LAYOUTS, type Layout, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import {
  commit,
  committed,
  coordinated,
  describeConsumerGroup,
  describeGroup,
  formGroup,
  RawMember,
} from '../kit/group-calls.ts';
import { createTopic } from '../kit/requests.ts';
import { ownedTwice, SteadyMember, shared } from '../kit/steady-members.ts';

const PARTITIONS = 4;
const GROUPS = 6;
const COMMITS_EACH = 30;
const SESSION_MS = 200;
const SETTINGS = { 'group.min.session.timeout.ms': '100' };
const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);

let directory = '';
let running: BrokerProcess | null = null;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await running?.kill();
  running = null;
  rmSync(directory, { recursive: true, force: true });
});

async function started(layout: Layout): Promise<BrokerProcess> {
  running = new BrokerProcess(directory, layout, SETTINGS);
  return running.listening();
}

describe(`groups of a broker that is killed (${TRANSPORT})`, () => {
  test('kill -9 while members commit: nothing that was acknowledged is forgotten, and the group is known', async () => {
    const broker = await started(LAYOUTS[0] as Layout);
    const client = await RawClient.connect(broker.port);
    const { name: topic } = await createTopic(client, { partitions: PARTITIONS });
    const groups = Array.from({ length: GROUPS }, (_, at) => `killed-${at}`);
    await coordinated(client, groups[0] as string);
    const acknowledged = new Map(groups.map((group) => [group, 0]));
    const writing = groups.map(async (group) => {
      const mine = await RawClient.connect(broker.port);
      for (let offset = 1; ; offset++) {
        const error = await commit(mine, group, topic, offset, { partition: 1, metadata: `${offset}` });
        if (error === ERROR.NONE) acknowledged.set(group, offset);
        else if (error !== ERROR.COORDINATOR_LOAD_IN_PROGRESS) return error;
      }
    });
    const written = Promise.allSettled(writing);
    const member = await RawMember.connect(broker.port, 'stays', { sessionMs: 60_000 });
    await coordinated(client, 'stays');
    await formGroup([member]);
    await eventually(
      () => Math.min(...acknowledged.values()),
      (least) => least >= COMMITS_EACH,
    );
    await broker.kill();
    // Each writer ends with its connection, none with a refusal.
    for (const { status } of await written) expect(status).toBe('rejected');
    const next = await started(LAYOUTS[2] as Layout);
    const reader = await RawClient.connect(next.port);
    for (const [group, offset] of acknowledged) {
      await coordinated(reader, group);
      const [found] = await committed(reader, group, topic, [1]);
      // The one under way may have been written as well.
      expect([offset, offset + 1]).toContain(found?.committedOffset);
      expect(found?.metadata).toBe(`${found?.committedOffset}`);
    }
    await coordinated(reader, 'stays');
    expect(await describeGroup(reader, 'stays')).toMatchObject({
      groupState: 'Stable',
      members: [{ memberId: member.id }],
    });
    // A member that comes back with what it knew is in the same generation.
    const back = await RawMember.connect(next.port, 'stays');
    back.id = member.id;
    back.generation = member.generation;
    expect(await back.beat()).toBe(ERROR.NONE);
    expect(await back.commit(topic, 77)).toBe(ERROR.NONE);
    await Promise.all([client, reader, back, member].map((one) => one.close()));
    await next.stop();
    running = null;
  }, 60_000);

  // What a log says does not depend on the transport: once is enough.
  if (TRANSPORT === 'native') {
    test('kill -9 with a group of the consumer protocol: assignments and offsets are there, nobody is fenced', async () => {
      const broker = await started(LAYOUTS[1] as Layout);
      const client = await RawClient.connect(broker.port);
      const { name: topic } = await createTopic(client, { partitions: PARTITIONS });
      await coordinated(client, 'modern');
      const join = () => BeatingMember.join(broker.port, 'modern', { names: [topic] });
      const classic = await RawMember.connect(broker.port, 'modern', {
        sessionMs: 60_000,
        protocols: [['range', subscription([topic])]],
      });
      const members = [await join(), await join()];
      // All three have their share, one of them by the classic protocol.
      const rejoin = async () => {
        expect((await classic.join()).errorCode).toBe(ERROR.NONE);
        await classic.sync();
      };
      await rejoin();
      const settled = async () => {
        if ((await classic.beat()) === ERROR.REBALANCE_IN_PROGRESS) await rejoin();
        return (await describeConsumerGroup(client, 'modern')).groupState === 'Stable';
      };
      await eventually(
        async () => (await beating(members, () => true)) && (await settled()),
        (isSettled) => isSettled,
      );
      const [{ id, epoch }] = members as [BeatingMember, BeatingMember];
      const acknowledged = await Promise.all(
        all.map((partition) =>
          commit(client, 'modern', topic, 10 + partition, { partition, memberId: id, generation: epoch }),
        ),
      );
      expect(acknowledged).toEqual(all.map(() => ERROR.NONE));
      const before = await describeConsumerGroup(client, 'modern');
      expect(before.groupState).toBe('Stable');
      await broker.kill();
      const next = await started(LAYOUTS[0] as Layout);
      const again = await RawClient.connect(next.port);
      for (const member of members) await member.comeBack(next.port);
      const back = await RawMember.connect(next.port, 'modern');
      back.id = classic.id;
      back.generation = classic.generation;
      await coordinated(again, 'other');
      expect(await beating(members, () => true)).toBe(true);
      expect(await back.beat()).toBe(ERROR.NONE);
      expect(await describeConsumerGroup(again, 'modern')).toEqual(before);
      expect(members.map(({ lost }) => lost)).toEqual([0, 0]);
      const found = await committed(again, 'modern', topic, all);
      expect(found.map(({ committedOffset }) => committedOffset)).toEqual([10, 11, 12, 13]);
      await Promise.all([client, again, back, classic, ...members].map((one) => one.close()));
      await next.stop();
      running = null;
    }, 60_000);
  }

  test('a broker that hangs for longer than a session: its members are together again, nothing goes back', async () => {
    const broker = await started(LAYOUTS[1] as Layout);
    const client = await RawClient.connect(broker.port);
    const { name: topic } = await createTopic(client, { partitions: PARTITIONS });
    await coordinated(client, 'hangs');
    const of = shared(topic, PARTITIONS);
    const members = await Promise.all([1, 2].map(() => SteadyMember.join(broker.port, 'hangs', of, SESSION_MS)));
    const settled = async () => {
      const owned = () => members.flatMap((one) => [...one.owned]).toSorted((a, b) => a - b);
      await eventually(owned, (now) => now.length === PARTITIONS);
      expect(owned()).toEqual(all);
    };
    await settled();
    const before = of.acknowledged.slice();
    process.kill(broker.child.pid as number, 'SIGSTOP');
    // Nobody can be asked when it is time: the sessions are over by the clock alone.
    await new Promise((done) => setTimeout(done, 3 * SESSION_MS));
    process.kill(broker.child.pid as number, 'SIGCONT');
    await eventually(
      () => of.acknowledged,
      (now) => now.every((offset, partition) => offset > (before[partition] as number) + 2),
    );
    await settled();
    expect(ownedTwice(of)).toEqual([]);
    for (const member of members) await member.leave();
    const found = await committed(client, 'hangs', topic, all);
    expect(found.map(({ committedOffset }) => committedOffset)).toEqual(of.acknowledged);
    await client.close();
    await broker.stop();
    running = null;
  }, 60_000);
});
