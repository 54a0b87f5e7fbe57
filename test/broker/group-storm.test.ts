/**
 * Everybody comes at once: members on connections of their own join one group, which settles, with each of them in it and the
 * broker not much larger than before. ODRADEK_GROUP_STORM is how many they are, ODRADEK_GROUP_STORM_DELAY_MS what an empty
 * classic group waits for more of them.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpuSeconds, memoryOf } from '../../bench/kit/process.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { BeatingMember } from '../kit/beating-member.ts';
import { ONE_THREAD, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { coordinated, describeConsumerGroup, describeGroup, formGroup, RawMember } from '../kit/group-calls.ts';
import { createTopic } from '../kit/requests.ts';

const MEMBERS = Number(process.env.ODRADEK_GROUP_STORM ?? 100);
const DELAY_MS = process.env.ODRADEK_GROUP_STORM_DELAY_MS ?? '0';
const LONG_MS = 600_000;
/** What a member may cost that stays, and what the collector may have left lying about. */
const BYTES_PER_MEMBER = 64 * 1024;
const SLACK_BYTES = 96 * 1024 * 1024;
const MIB = 1024 * 1024;
const STORM_MAX_MS = 300_000;

const directory = temporaryDirectory();
let broker: BrokerProcess;
let client: RawClient;
beforeAll(async () => {
  const settings = {
    'group.initial.rebalance.delay.ms': DELAY_MS,
    'group.consumer.max.session.timeout.ms': `${LONG_MS}`,
  };
  const sessions = { 'group.consumer.session.timeout.ms': `${LONG_MS}` };
  broker = await new BrokerProcess(directory, ONE_THREAD, { ...settings, ...sessions }).listening();
  client = await RawClient.connect(broker.port);
  await coordinated(client, 'any');
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  rmSync(directory, { recursive: true });
});

function used(): { bytes: number; cpu: number } {
  const pid = broker.child.pid as number;
  const { anonymousBytes, sharedBytes } = memoryOf(pid);
  return { bytes: anonymousBytes + sharedBytes, cpu: cpuSeconds(pid) };
}

async function measured<T>(protocol: string, storm: () => Promise<T>): Promise<T> {
  const before = used();
  const result = await storm();
  const after = used();
  const bytes = after.bytes - before.bytes;
  const cpu = (after.cpu - before.cpu).toFixed(1);
  console.info(`${MEMBERS} members of the ${protocol} protocol: ${cpu} s of CPU, ${(bytes / MIB).toFixed(1)} MiB more`);
  expect(bytes).toBeLessThan(SLACK_BYTES + MEMBERS * BYTES_PER_MEMBER);
  return result;
}

test('a storm of the classic protocol settles, in few generations', { timeout: STORM_MAX_MS }, async () => {
  const times = { sessionMs: LONG_MS, rebalanceMs: LONG_MS };
  const connecting = Array.from({ length: MEMBERS }, () => RawMember.connect(broker.port, 'classic', times));
  const members = await Promise.all(connecting);
  const { synced } = await measured('classic', () => formGroup(members));
  expect(new Set(synced.map(({ errorCode }) => errorCode))).toEqual(new Set([ERROR.NONE]));
  const described = await describeGroup(client, 'classic');
  expect([described.groupState, described.members.length]).toEqual(['Stable', MEMBERS]);
  expect(Math.max(...members.map(({ generation }) => generation))).toBeLessThan(10);
  await Promise.all(members.map((member) => member.leave()));
  expect((await describeGroup(client, 'classic')).groupState).toBe('Empty');
  await Promise.all(members.map((member) => member.close()));
});

test('a storm of the consumer protocol settles, each member with its partition', {
  timeout: STORM_MAX_MS,
}, async () => {
  const { name: topic } = await createTopic(client, { partitions: MEMBERS });
  const members = await measured('consumer', async () => {
    const joining = Array.from({ length: MEMBERS }, () =>
      BeatingMember.join(broker.port, 'modern', { names: [topic] }),
    );
    const joined = await Promise.all(joining);
    const deadline = performance.now() + STORM_MAX_MS / 2;
    while (joined.some(({ size }) => size !== 1) && performance.now() < deadline) {
      await Promise.all(joined.map((member) => member.beat()));
    }
    return joined;
  });
  expect(members.map(({ size }) => size)).toEqual(members.map(() => 1));
  expect(members.map(({ lost }) => lost)).toEqual(members.map(() => 0));
  const described = await describeConsumerGroup(client, 'modern');
  expect([described.groupState, described.members.length]).toEqual(['Stable', MEMBERS]);
  await Promise.all(members.map((member) => member.leave()));
  expect((await describeConsumerGroup(client, 'modern')).groupState).toBe('Empty');
});
