/** Kafka's own tools on groups, unchanged: its consumers as members, its commands on what they left, its readers of the group log. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coordinatorPartition } from '../../src/coordinator/partitioning.ts';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { commit, committed, coordinated, describeGroup, formGroup, RawMember } from '../kit/group-calls.ts';
import { batchOf, utf8 } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';
import { startTool, type ToolName, tool, toolOk } from './tool.ts';

const TOOL_MAX_MS = 180_000;
const GROUP_LOG = '__consumer_offsets';
const START = Date.UTC(2026, 0, 1);

const home = new BrokerHome(ONE_THREAD);
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
  await coordinated(client, 'any');
});
afterAll(() => home.end());

const server = () => ['--bootstrap-server', home.address];
const run = (name: ToolName, ...words: string[]) => toolOk(name, [...server(), ...words]);
const groups = (...words: string[]) => run('consumer-groups', ...words);

/** Ten records a partition, a second apart. */
async function filled(name: string, partitions = 2): Promise<void> {
  await createTopic(client, { name, partitions });
  for (let partition = 0; partition < partitions; partition++)
    for (let at = 0; at < 10; at++) {
      const record = { timestamp: START + at * 1_000, key: null, value: utf8(`${partition}-${at}`) };
      await produce(client, name, batchOf([record]), { partition });
    }
}

async function commitAll(group: string, topic: string, offset: number): Promise<void> {
  for (const partition of [0, 1]) expect(await commit(client, group, topic, offset, { partition })).toBe(0);
}

/** The words of its table's lines. */
function lines(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first !== '');
}

const offsetsOf = async (group: string, topic: string) =>
  (await committed(client, group, topic, [0, 1])).map(({ committedOffset }) => committedOffset);

describe('consumer-groups', () => {
  test('describe: offsets and lag, state, members with what they have', { timeout: TOOL_MAX_MS }, async () => {
    await filled('described');
    // As a Java consumer has it: version 3 of the assignment, one topic, its partitions.
    const name = utf8('described') as Uint8Array;
    const plan = Uint8Array.of(
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      name.length,
      ...name,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      255,
      255,
      255,
      255,
    );
    const member = await RawMember.connect(home.port, 'living', { sessionMs: 300_000 });
    await formGroup([member], () => plan);
    for (const partition of [0, 1]) expect(await member.commit('described', 4, { partition })).toBe(0);
    const words = ['--describe', '--group', 'living'];
    const offsets = lines(await groups(...words));
    expect(offsets).toEqual(
      expect.arrayContaining(
        [0, 1].map((partition) => [
          'living',
          'described',
          `${partition}`,
          '4',
          '10',
          '6',
          member.id,
          '/127.0.0.1',
          'raw',
        ]),
      ),
    );
    const members = lines(await groups(...words, '--members', '--verbose'));
    expect(members[1]?.slice(0, 5)).toEqual(['living', member.id, '/127.0.0.1', 'raw', '2']);
    expect(members[1]?.join(' ')).toContain('described:0,1');
    const state = await groups(...words, '--state', '--verbose');
    expect(state).toMatch(/living\s+127\.0\.0\.1:\d+\s+\(0\)\s+range\s+Stable\s/);
    expect((await tool('consumer-groups', [...server(), '--delete', '--group', 'living'])).stdout).toContain(
      'not empty',
    );
    expect(await member.leave()).toBe(0);
    await member.close();
  });

  test('list, by state and type; groups lists them as well', { timeout: TOOL_MAX_MS }, async () => {
    await filled('listed');
    await commitAll('empty-one', 'listed', 1);
    expect((await groups('--list')).split('\n')).toContain('empty-one');
    const stated = lines(await groups('--list', '--state'));
    expect(stated).toContainEqual(['empty-one', 'Empty']);
    expect(await groups('--list', '--state', 'stable')).not.toContain('empty-one');
    expect(lines(await groups('--list', '--type', 'classic')).flat()).toContain('empty-one');
    expect(await run('groups', '--list')).toMatch(/empty-one\s+Classic/);
  });

  const RESETS: readonly [string, string[], [number, number]][] = [
    ['to the earliest', ['--to-earliest'], [0, 0]],
    ['to the latest', ['--to-latest'], [10, 10]],
    ['to an offset', ['--to-offset', '3'], [3, 3]],
    ['by some', ['--shift-by', '-2'], [3, 3]],
    ['to a moment', ['--to-datetime', '2026-01-01T00:00:06.500'], [7, 7]],
    ['to what they are', ['--to-current'], [5, 5]],
    ['by a duration', ['--by-duration', 'PT0S'], [10, 10]],
  ];
  test.each(RESETS)('reset %s', { timeout: TOOL_MAX_MS }, async (kind, how, expected) => {
    const name = `reset-${kind.replaceAll(' ', '-')}`;
    await filled(name);
    await commitAll(name, name, 5);
    const words = ['--reset-offsets', '--group', name, '--topic', name, ...how];
    await groups(...words, '--execute');
    expect(await offsetsOf(name, name)).toEqual(expected);
  });

  test('reset is shown first, and a plan from a file is carried out', { timeout: TOOL_MAX_MS }, async () => {
    await filled('planned');
    await commitAll('planned', 'planned', 5);
    const words = ['--reset-offsets', '--group', 'planned', '--topic', 'planned:1'];
    const shown = lines(await groups(...words, '--to-earliest', '--dry-run'));
    expect(shown).toContainEqual(['planned', 'planned', '1', '0']);
    expect(await offsetsOf('planned', 'planned')).toEqual([5, 5]);
    const plan = await groups(...words, '--to-offset', '8', '--dry-run', '--export');
    const file = join(home.directory, 'plan.csv');
    writeFileSync(file, plan);
    await groups('--reset-offsets', '--group', 'planned', '--from-file', file, '--execute');
    expect(await offsetsOf('planned', 'planned')).toEqual([5, 8]);
  });

  test('delete-offsets and delete', { timeout: TOOL_MAX_MS }, async () => {
    await filled('dropped');
    await commitAll('dropped', 'dropped', 5);
    await groups('--delete-offsets', '--group', 'dropped', '--topic', 'dropped:0');
    expect(await offsetsOf('dropped', 'dropped')).toEqual([-1, 5]);
    expect(await groups('--delete', '--group', 'dropped')).toContain("('dropped') was successful");
    expect((await describeGroup(client, 'dropped')).groupState).toBe('Dead');
    const gone = await tool('consumer-groups', [...server(), '--describe', '--group', 'dropped']);
    expect(gone.stdout + gone.stderr).toContain('Group dropped not found');
  });
});

describe('consumers', () => {
  test('console consumer reads in a group, and another one goes on behind it', { timeout: TOOL_MAX_MS }, async () => {
    await filled('console', 1);
    const words = [
      '--topic',
      'console',
      '--group',
      'reading',
      '--from-beginning',
      '--command-property',
      'group.protocol=classic',
    ];
    const first = await run('console-consumer', ...words, '--max-messages', '4');
    expect(first.trim().split('\n')).toEqual(['0-0', '0-1', '0-2', '0-3']);
    const second = await run('console-consumer', ...words, '--max-messages', '6');
    expect(second.trim().split('\n')).toEqual(['0-4', '0-5', '0-6', '0-7', '0-8', '0-9']);
  });

  test('verifiable consumer commits what it has read', { timeout: TOOL_MAX_MS }, async () => {
    await filled('verified', 1);
    const words = [
      '--topic',
      'verified',
      '--group-id',
      'verifying',
      '--max-messages',
      '10',
      '--group-protocol',
      'classic',
      '--reset-policy',
      'earliest',
    ];
    const text = await run('verifiable-consumer', ...words);
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; count?: number; success?: boolean });
    expect(events.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['partitions_assigned', 'records_consumed', 'offsets_committed', 'shutdown_complete']),
    );
    expect(
      events.filter(({ name }) => name === 'records_consumed').reduce((sum, { count = 0 }) => sum + count, 0),
    ).toBe(10);
    expect(events.filter(({ name }) => name === 'offsets_committed').every(({ success }) => success)).toBe(true);
    expect((await committed(client, 'verifying', 'verified'))[0]?.committedOffset).toBe(10);
  });

  test('two verifiable consumers share, and what is killed the other takes over', {
    timeout: TOOL_MAX_MS,
  }, async () => {
    await filled('shared');
    const words = [
      ...server(),
      '--topic',
      'shared',
      '--group-id',
      'sharing',
      '--session-timeout',
      '6000',
      '--group-protocol',
      'classic',
      '--reset-policy',
      'earliest',
    ];
    const started = [0, 1].map(() => startTool('verifiable-consumer', words));
    const shares = async () =>
      (await describeGroup(client, 'sharing')).members.map(({ memberAssignment }) => memberAssignment.length);
    const slow = async (wanted: number) => {
      // A JVM takes its time to start.
      for (let round = 0; round < 6; round++) {
        const now = await eventually(
          () => describeGroup(client, 'sharing'),
          ({ groupState, members }) => groupState === 'Stable' && members.length === wanted,
        );
        if (now.groupState === 'Stable' && now.members.length === wanted) return;
      }
    };
    await slow(2);
    expect(await shares()).toHaveLength(2);
    started[0]?.child.kill('SIGKILL');
    await slow(1);
    expect(await shares()).toHaveLength(1);
    started[1]?.child.kill('SIGTERM');
    await Promise.all(started.map(({ ended }) => ended));
    expect(await offsetsOf('sharing', 'shared')).toEqual([10, 10]);
  });

  test('consumer-perf-test', { timeout: TOOL_MAX_MS }, async () => {
    await filled('fast', 1);
    const text = await run(
      'consumer-perf-test',
      '--topic',
      'fast',
      '--group',
      'running',
      '--num-records',
      '10',
      '--timeout',
      '30000',
    );
    expect(text).toMatch(/nMsg/);
    expect(text.trim().split('\n').at(-1)?.split(', ')[4]).toBe('10');
  });
});

describe('the group log', () => {
  test('console consumer with Kafka’s formatters, and dump-log', { timeout: TOOL_MAX_MS }, async () => {
    await filled('logged');
    const member = await RawMember.connect(home.port, 'logging', { sessionMs: 300_000 });
    await formGroup([member]);
    expect(await member.commit('logged', 6, { partition: 1, metadata: 'noted' })).toBe(0);
    const partition = coordinatorPartition('logging', 50);
    const count = (await readAll(client, GROUP_LOG, { partition })).reduce(
      (sum, { records }) => sum + records.length,
      0,
    );
    const words = ['--topic', GROUP_LOG, '--partition', `${partition}`, '--from-beginning'];
    words.push('--max-messages', `${count}`, '--timeout-ms', '60000');
    const formatter = (name: string) => ['--formatter', `org.apache.kafka.tools.consumer.${name}`];
    const parsed = async (name: string) => {
      const { stdout } = await tool('console-consumer', [...server(), ...words, ...formatter(name)]);
      // The formatters put nothing between two records.
      return stdout
        .trim()
        .split(/(?<=\})\s*(?=\{"key")/)
        .map(
          (line) =>
            JSON.parse(line) as {
              key: { data: Record<string, unknown> };
              value: { data: Record<string, unknown> } | null;
            },
        );
    };
    const offsets = await parsed('OffsetsMessageFormatter');
    expect(offsets.filter(({ key }) => key.data.group === 'logging').at(-1)).toMatchObject({
      key: { data: { group: 'logging', topic: 'logged', partition: 1 } },
      value: { data: { offset: 6, metadata: 'noted' } },
    });
    const metadata = await parsed('GroupMetadataMessageFormatter');
    expect(metadata.filter(({ key }) => key.data.group === 'logging').at(-1)).toMatchObject({
      value: {
        data: { protocolType: 'consumer', protocol: 'range', generation: member.generation, leader: member.id },
      },
    });
    expect(await member.leave()).toBe(0);
    await member.close();
    const directory = join(home.directory, `${GROUP_LOG}-${partition}`);
    const [log] = readdirSync(directory).filter((file) => file.endsWith('.log'));
    const dumped = await toolOk('dump-log', ['--offsets-decoder', '--files', join(directory, log as string)]);
    expect(dumped).toMatch(/"group":"logging","topic":"logged","partition":1/);
    expect(dumped).toMatch(/"protocolType":"consumer"/);
    expect(dumped).not.toMatch(/corrupt|invalid/i);
  });
});
