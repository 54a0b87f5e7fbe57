/** Kafka's own tools on topics, settings and brokers, unchanged. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { kcatOk } from '../kit/kcat.ts';
import { type ToolName, tool, toolOk } from './tool.ts';

const home = new BrokerHome(ONE_THREAD);
beforeAll(() => home.start());
afterAll(() => home.end());

const server = () => ['--bootstrap-server', home.address];
const run = (name: ToolName, ...words: string[]) => toolOk(name, [...server(), ...words]);

describe('topics', () => {
  test('create, list, describe, alter, delete', async () => {
    await run('topics', '--create', '--topic', 'orders', '--partitions', '3', '--config', 'retention.ms=60000');
    expect((await run('topics', '--list')).trim().split('\n')).toContain('orders');
    const described = await run('topics', '--describe', '--topic', 'orders');
    expect(described).toMatch(/Topic: orders\s+TopicId: \S{22}\s+PartitionCount: 3\s+ReplicationFactor: 1/);
    expect(described).toMatch(/Configs: .*retention\.ms=60000/);
    expect(described.match(/Leader: 0\s+Replicas: 0\s+Isr: 0/g)).toHaveLength(3);
    await run('topics', '--alter', '--topic', 'orders', '--partitions', '6');
    expect(await run('topics', '--describe', '--topic', 'orders')).toContain('PartitionCount: 6');
    const fewer = await tool('topics', [...server(), '--alter', '--topic', 'orders', '--partitions', '2']);
    expect(fewer.code).not.toBe(0);
    expect(fewer.stdout + fewer.stderr).toContain('The topic has 6 partition(s); 2 would not be more.');
    await run('topics', '--delete', '--topic', 'orders');
    expect((await run('topics', '--list')).trim().split('\n')).not.toContain('orders');
  });

  test('what is there already, what collides and what is impossible is refused by name', async () => {
    await run('topics', '--create', '--topic', 'there');
    const refused: readonly (readonly [string, ...string[]])[] = [
      ["The topic 'there' exists already.", '--topic', 'there'],
      ['characters other than', '--topic', 'not/legal'],
      ['replication factor', '--topic', 'wide', '--replication-factor', '2'],
      ['retention.ms', '--topic', 'odd', '--config', 'retention.ms=soon'],
    ];
    for (const [why, ...words] of refused) {
      const { stdout, stderr, code } = await tool('topics', [...server(), '--create', ...words]);
      expect([code, (stdout + stderr).toLowerCase()]).toEqual([1, expect.stringContaining(why.toLowerCase())]);
    }
  });
});

describe('settings', () => {
  test('every key of a broker with its source and synonyms', async () => {
    const text = await run('configs', '--describe', '--entity-type', 'brokers', '--entity-name', '0', '--all');
    expect(text).toMatch(
      /log\.retention\.hours=168 sensitive=false synonyms=\{DEFAULT_CONFIG:log\.retention\.hours=168\}/,
    );
    expect(text).toMatch(/num\.partitions=1 sensitive=false synonyms=/);
  });

  test('a topic: set, append, delete', async () => {
    await run('topics', '--create', '--topic', 'tuned');
    const of = ['--entity-type', 'topics', '--entity-name', 'tuned'];
    await run('configs', '--alter', ...of, '--add-config', 'segment.bytes=2097152,cleanup.policy=[compact,delete]');
    const set = await run('configs', '--describe', ...of);
    expect(set).toContain('segment.bytes=2097152');
    expect(set).toMatch(/cleanup\.policy=compact,delete/);
    expect(set).toContain('DYNAMIC_TOPIC_CONFIG:segment.bytes=2097152');
    await run('configs', '--alter', ...of, '--delete-config', 'segment.bytes');
    expect(await run('configs', '--describe', ...of)).not.toContain('segment.bytes');
    const all = await run('configs', '--describe', ...of, '--all');
    expect(all).toMatch(/retention\.ms=604800000 sensitive=false/);
  });

  test('brokers: one, all of them, and what cannot change', async () => {
    await run(
      'configs',
      '--alter',
      '--entity-type',
      'brokers',
      '--entity-default',
      '--add-config',
      'log.retention.ms=7200000',
    );
    expect(await run('configs', '--describe', '--entity-type', 'brokers', '--entity-default')).toContain(
      'log.retention.ms=7200000',
    );
    await run('topics', '--create', '--topic', 'follows');
    const topic = await run('configs', '--describe', '--entity-type', 'topics', '--entity-name', 'follows', '--all');
    expect(topic).toMatch(
      /retention\.ms=7200000 sensitive=false synonyms=\{DYNAMIC_DEFAULT_BROKER_CONFIG:log\.retention\.ms=7200000/,
    );
    const of = ['--entity-type', 'brokers', '--entity-name', '0'];
    await run('configs', '--alter', ...of, '--add-config', 'num.io.threads=2');
    expect(await run('configs', '--describe', ...of)).toContain('num.io.threads=2');
    const refused = await tool('configs', [
      ...server(),
      '--alter',
      ...of,
      '--add-config',
      'socket.request.max.bytes=1000',
    ]);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/socket\.request\.max\.bytes/);
    await run(
      'configs',
      '--alter',
      '--entity-type',
      'brokers',
      '--entity-default',
      '--delete-config',
      'log.retention.ms',
    );
  });
});

describe('the broker', () => {
  test('broker-api-versions: every API that is served, none of them unusable', async () => {
    const text = await run('broker-api-versions');
    expect(text).toMatch(/^127\.0\.0\.1:\d+ \(id: 0 rack: null isFenced: false\) -> \(/m);
    for (const served of ['Produce(0): 0 to 13', 'Fetch(1): 4 to 18', 'DescribeTopicPartitions(75): 0']) {
      expect(text).toContain(served);
    }
  });

  test('cluster id', async () => {
    expect(await run('cluster', 'cluster-id').catch(() => toolOk('cluster', ['cluster-id', ...server()]))).toContain(
      home.broker.clusterId,
    );
  });

  test('log-dirs: sizes of what lies there', async () => {
    await kcatOk(['-P', '-b', home.address, '-t', 'sized'], `${'x'.repeat(1000)}\n`);
    const text = await run('log-dirs', '--describe', '--topic-list', 'sized');
    const [line] = text.split('\n').filter((found) => found.startsWith('{'));
    const { brokers } = JSON.parse(line as string) as {
      brokers: {
        broker: number;
        logDirs: { error: string | null; logDir: string; partitions: { partition: string; size: number }[] }[];
      }[];
    };
    expect(brokers[0]?.logDirs[0]?.logDir).toBe(home.directory);
    expect(brokers[0]?.logDirs[0]?.error).toBeNull();
    const [partition] = brokers[0]?.logDirs[0]?.partitions ?? [];
    expect(partition?.partition).toBe('sized-0');
    expect(partition?.size).toBeGreaterThan(1000);
  });
});
