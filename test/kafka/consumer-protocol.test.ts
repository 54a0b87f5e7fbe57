/** Kafka's own consumers as members of groups of the consumer protocol, its commands on such groups, its reader on their records. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { coordinatorPartition } from '../../src/coordinator/partitioning.ts';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import {
  committed,
  coordinated,
  describeConsumerGroup,
  describeGroup,
  GROUP_LOG,
  listedGroups,
} from '../kit/group-calls.ts';
import { BRISK_GROUPS } from '../kit/members.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, produce } from '../kit/requests.ts';
import { startTool, type ToolName, tool, toolOk } from './tool.ts';

const TOOL_MAX_MS = 180_000;
const PER_PARTITION = 10;

const home = new BrokerHome(ONE_THREAD, { settings: BRISK_GROUPS });
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
  await coordinated(client, 'any');
});
afterAll(() => home.end());

const run = (name: ToolName, ...words: string[]) => toolOk(name, ['--bootstrap-server', home.address, ...words]);
const groups = (...words: string[]) => run('consumer-groups', ...words);

async function filled(name: string, partitions: number): Promise<void> {
  await createTopic(client, { name, partitions });
  for (let partition = 0; partition < partitions; partition++) {
    const values = Array.from({ length: PER_PARTITION }, (_, at) => `${partition}-${at}`);
    await produce(client, name, batchOf(values), { partition });
  }
}

test('console consumer reads, and another one goes on behind it', { timeout: TOOL_MAX_MS }, async () => {
  await filled('console', 1);
  const protocol = ['--command-property', 'group.protocol=consumer'];
  const words = ['--topic', 'console', '--group', 'reading', '--from-beginning', ...protocol];
  const first = await run('console-consumer', ...words, '--max-messages', '4');
  expect(first.trim().split('\n')).toEqual(['0-0', '0-1', '0-2', '0-3']);
  const second = await run('console-consumer', ...words, '--max-messages', '6');
  expect(second.trim().split('\n')).toEqual(['0-4', '0-5', '0-6', '0-7', '0-8', '0-9']);
  expect(await groups('--list', '--type', 'consumer')).toContain('reading');
  expect(await run('groups', '--list')).toMatch(/reading\s+Consumer/);
  expect(await groups('--describe', '--group', 'reading', '--state')).toMatch(/reading .*\sEmpty\s/);
  await groups('--reset-offsets', '--group', 'reading', '--topic', 'console', '--to-offset', '3', '--execute');
  expect((await committed(client, 'reading', 'console'))[0]?.committedOffset).toBe(3);
  expect(await groups('--delete', '--group', 'reading')).toContain("('reading') was successful");
});

test('configs: a group has settings of its own', { timeout: TOOL_MAX_MS }, async () => {
  const of = ['--entity-type', 'groups', '--entity-name', 'set'];
  await run('configs', '--alter', ...of, '--add-config', 'consumer.heartbeat.interval.ms=150');
  const described = await run('configs', '--describe', ...of);
  expect(described).toContain('consumer.heartbeat.interval.ms=150');
  expect(described).toContain('DYNAMIC_GROUP_CONFIG:consumer.heartbeat.interval.ms=150');
  const refused = ['--alter', ...of, '--add-config', 'consumer.session.timeout.ms=1'];
  expect((await tool('configs', ['--bootstrap-server', home.address, ...refused])).code).not.toBe(0);
  await run('configs', '--alter', ...of, '--delete-config', 'consumer.heartbeat.interval.ms');
  expect(await run('configs', '--describe', ...of)).not.toContain('DYNAMIC_GROUP_CONFIG');
});

test('two consumers share, one is killed, the other has all', { timeout: TOOL_MAX_MS }, async () => {
  await filled('shared', 2);
  const words = ['--bootstrap-server', home.address, '--topic', 'shared', '--group-id', 'sharing'];
  const options = ['--group-protocol', 'consumer', '--reset-policy', 'earliest'];
  const start = () => startTool('verifiable-consumer', [...words, ...options]);
  const one = start();
  const other = start();
  const shares = async () =>
    (await describeConsumerGroup(client, 'sharing')).members
      .map(({ assignment }) => assignment.topicPartitions.flatMap(({ partitions }) => [...partitions]).join())
      .toSorted();
  const shared = async (wanted: readonly string[]) => {
    // A JVM takes its time to start.
    for (let round = 0; round < 6; round++) {
      const now = await eventually(shares, (seen) => seen.join(' ') === wanted.join(' '));
      if (now.join(' ') === wanted.join(' ')) break;
    }
    expect(await shares()).toEqual(wanted);
  };
  await shared(['0', '1']);
  const described = await groups('--describe', '--group', 'sharing', '--members', '--verbose');
  expect(described).toContain('shared:0');
  expect(described).toContain('shared:1');
  expect(await groups('--describe', '--group', 'sharing', '--state')).toMatch(/sharing .*uniform\s+Stable\s+2/);
  one.child.kill('SIGKILL');
  await shared(['0,1']);
  other.child.kill('SIGTERM');
  await Promise.all([one.ended, other.ended]);
  const offsets = await committed(client, 'sharing', 'shared', [0, 1]);
  expect(offsets.map(({ committedOffset }) => committedOffset)).toEqual([PER_PARTITION, PER_PARTITION]);
  expect(await describeConsumerGroup(client, 'sharing')).toMatchObject({ groupState: 'Empty', members: [] });
  const directory = join(home.directory, `${GROUP_LOG}-${coordinatorPartition('sharing', 50)}`);
  const [log] = readdirSync(directory).filter((file) => file.endsWith('.log'));
  const dumped = await tool('dump-log', ['--offsets-decoder', '--files', join(directory, log as string)]);
  expect(dumped.stdout).toMatch(/"type":"8","data":\{"groupId":"sharing"/);
  expect(dumped.stdout + dumped.stderr).not.toMatch(/corrupt|invalid|Exception/i);
});

test('a classic consumer and one of the consumer protocol share a group, which follows whoever is left', {
  timeout: TOOL_MAX_MS,
}, async () => {
  await filled('moved', 2);
  const words = ['--bootstrap-server', home.address, '--topic', 'moved', '--group-id', 'moving'];
  const start = (...options: string[]) =>
    startTool('verifiable-consumer', [...words, '--reset-policy', 'earliest', ...options]);
  const kind = async () => (await listedGroups(client)).find(({ groupId }) => groupId === 'moving')?.groupType;
  const isAt = async (wanted: string, ask: () => Promise<string | undefined>) => {
    expect(await eventually(ask, (now) => now === wanted, 60_000)).toBe(wanted);
  };
  const types = async () =>
    (await describeConsumerGroup(client, 'moving')).members
      .map(
        ({ memberType, assignment }) =>
          `${memberType}: ${assignment.topicPartitions.flatMap((one) => one.partitions).length}`,
      )
      .toSorted()
      .join();
  const classic = start('--group-protocol', 'classic', '--session-timeout', '6000');
  await isAt('Stable', async () => (await describeGroup(client, 'moving')).groupState);
  const modern = start('--group-protocol', 'consumer');
  await isAt('0: 1,1: 1', types);
  expect(await kind()).toBe('consumer');
  modern.child.kill('SIGTERM');
  await modern.ended;
  await isAt('classic', kind);
  await isAt('Stable', async () => (await describeGroup(client, 'moving')).groupState);
  classic.child.kill('SIGTERM');
  await classic.ended;
  const offsets = await committed(client, 'moving', 'moved', [0, 1]);
  expect(offsets.map(({ committedOffset }) => committedOffset)).toEqual([PER_PARTITION, PER_PARTITION]);
  const directory = join(home.directory, `${GROUP_LOG}-${coordinatorPartition('moving', 50)}`);
  const [log] = readdirSync(directory).filter((file) => file.endsWith('.log'));
  const dumped = await tool('dump-log', ['--offsets-decoder', '--files', join(directory, log as string)]);
  expect(dumped.stdout).toMatch(/"classicMemberMetadata":\{"sessionTimeoutMs":6000/);
  expect(dumped.stdout + dumped.stderr).not.toMatch(/corrupt|invalid|Exception/i);
});

test('console consumer reads what matches a pattern', { timeout: TOOL_MAX_MS }, async () => {
  await filled('matched-1', 1);
  await filled('matched-2', 1);
  const protocol = ['--command-property', 'group.protocol=consumer'];
  const words = ['--include', 'matched-.', '--group', 'matching', '--from-beginning', ...protocol];
  const read = await run('console-consumer', ...words, '--max-messages', `${2 * PER_PARTITION}`);
  const values = Array.from({ length: PER_PARTITION }, (_, at) => `0-${at}`);
  expect(read.trim().split('\n').toSorted()).toEqual([...values, ...values].toSorted());
});
