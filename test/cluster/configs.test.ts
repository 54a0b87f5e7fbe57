import { describe, expect, it } from 'vitest';
import type { ConfigOperation } from '../../src/cluster/requests.ts';
import { CONFIG_APPEND, CONFIG_DELETE, CONFIG_SET, CONFIG_SUBTRACT } from '../../src/cluster/requests.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { Cluster, topic } from './kit.ts';

function operation(name: string, kind: number, value: string | null = null): ConfigOperation {
  return { name, operation: kind, value };
}

function alter(
  cluster: Cluster,
  name: string,
  operations: ConfigOperation[],
  replace = false,
  validateOnly = false,
): number {
  const resources = [{ name, operations, replace }];
  return cluster.ask('alterTopicConfigs', { resources, validateOnly }).results[0]?.errorCode as number;
}

function configsOf(cluster: Cluster, name: string): Record<string, string> {
  return Object.fromEntries(cluster.image.topics.get(name)?.configs ?? []);
}

describe("a topic's settings", () => {
  it('are set, deleted, appended to and subtracted from', () => {
    const cluster = new Cluster();
    cluster.create(topic('a', { configs: [{ name: 'retention.ms', value: '1' }] }));
    expect(alter(cluster, 'a', [operation('retention.ms', CONFIG_SET, '2')])).toBe(ERROR.NONE);
    expect(configsOf(cluster, 'a')).toEqual({ 'retention.ms': '2' });
    alter(cluster, 'a', [
      operation('cleanup.policy', CONFIG_APPEND, 'compact'),
      operation('retention.ms', CONFIG_DELETE),
    ]);
    expect(configsOf(cluster, 'a')).toEqual({ 'cleanup.policy': 'delete,compact' });
    alter(cluster, 'a', [operation('cleanup.policy', CONFIG_APPEND, 'compact')]);
    alter(cluster, 'a', [operation('cleanup.policy', CONFIG_SUBTRACT, 'delete')]);
    expect(configsOf(cluster, 'a')).toEqual({ 'cleanup.policy': 'compact' });
    expect(cluster.json('/config/topics/a')).toEqual({ version: 1, config: { 'cleanup.policy': 'compact' } });
  });

  it('are replaced as a whole by the older request', () => {
    const cluster = new Cluster();
    cluster.create(topic('a', { configs: [{ name: 'retention.ms', value: '1' }] }));
    expect(alter(cluster, 'a', [operation('cleanup.policy', CONFIG_SET, 'compact')], true)).toBe(ERROR.NONE);
    expect(configsOf(cluster, 'a')).toEqual({ 'cleanup.policy': 'compact' });
  });

  it.each<[string, string, ConfigOperation[], number]>([
    ['an unknown topic', 'x', [operation('retention.ms', CONFIG_SET, '2')], ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ['an unknown setting', 'a', [operation('x', CONFIG_SET, '2')], ERROR.INVALID_CONFIG],
    ['a bad value', 'a', [operation('retention.ms', CONFIG_SET, 'x')], ERROR.INVALID_CONFIG],
    ['no value', 'a', [operation('retention.ms', CONFIG_SET)], ERROR.INVALID_REQUEST],
    ['an append to what is no list', 'a', [operation('retention.ms', CONFIG_APPEND, '2')], ERROR.INVALID_CONFIG],
    ['an unknown operation', 'a', [operation('retention.ms', 4, '2')], ERROR.INVALID_REQUEST],
    [
      'one setting twice',
      'a',
      [operation('retention.ms', CONFIG_SET, '2'), operation('retention.ms', CONFIG_DELETE)],
      ERROR.INVALID_REQUEST,
    ],
    [
      'a good one together with a bad one',
      'a',
      [operation('retention.ms', CONFIG_SET, '2'), operation('x', CONFIG_SET, '2')],
      ERROR.INVALID_CONFIG,
    ],
  ])('stay when there is %s', (_, name, operations, errorCode) => {
    const cluster = new Cluster();
    cluster.create(topic('a', { configs: [{ name: 'retention.ms', value: '1' }] }));
    expect(alter(cluster, name, operations)).toBe(errorCode);
    expect(configsOf(cluster, 'a')).toEqual({ 'retention.ms': '1' });
  });

  it('stay when only a check is asked for, or nothing is different', () => {
    const cluster = new Cluster();
    cluster.create(topic('a'));
    expect(alter(cluster, 'a', [operation('retention.ms', CONFIG_SET, '2')], false, true)).toBe(ERROR.NONE);
    expect(configsOf(cluster, 'a')).toEqual({});
    expect(alter(cluster, 'a', [operation('retention.ms', CONFIG_DELETE)])).toBe(ERROR.NONE);
    expect(cluster.tree.read('/config/topics/a')?.version).toBe(0);
  });

  it('are not touched when a request names the topic twice', () => {
    const cluster = new Cluster();
    cluster.create(topic('a'));
    const resource = { name: 'a', operations: [operation('retention.ms', CONFIG_SET, '2')], replace: false };
    const outcome = cluster.ask('alterTopicConfigs', { resources: [resource, resource], validateOnly: false });
    expect(outcome.results).toMatchObject([{ name: 'a', errorCode: ERROR.INVALID_REQUEST }]);
    expect(configsOf(cluster, 'a')).toEqual({});
  });
});

describe("brokers' settings", () => {
  it('are kept for one broker and for all, over a restart', () => {
    const cluster = new Cluster();
    const set = (name: string, value: string) =>
      cluster.ask('alterBrokerConfigs', {
        resources: [{ name, operations: [operation('retention.ms', CONFIG_SET, value)], replace: false }],
        validateOnly: false,
      }).results[0]?.errorCode;
    expect([set('1', '1'), set('', '2'), set('1', '3')]).toEqual([ERROR.NONE, ERROR.NONE, ERROR.NONE]);
    expect([set('2', '1'), set('x', '1')]).toEqual([ERROR.BROKER_ID_NOT_REGISTERED, ERROR.INVALID_REQUEST]);
    expect(cluster.json('/config/brokers/<default>')).toEqual({ version: 1, config: { 'retention.ms': '2' } });
    const kept = new Map([
      [1, new Map([['retention.ms', '3']])],
      [-1, new Map([['retention.ms', '2']])],
    ]);
    expect(cluster.image.brokerConfigs).toEqual(kept);
    cluster.restart([1]);
    expect(cluster.image.brokerConfigs).toEqual(kept);
  });
});

describe("groups' settings", () => {
  it('are kept whatever the group is called, over a restart, and leave nothing when they are deleted', () => {
    const cluster = new Cluster();
    const alterGroup = (name: string, ...operations: ConfigOperation[]) =>
      cluster.ask('alterGroupConfigs', { resources: [{ name, operations, replace: false }], validateOnly: false })
        .results[0]?.errorCode;
    const names = ['plain', 'a/b c', '..', 'é', '%2F', '\u{1f600}'];
    for (const name of names) expect(alterGroup(name, operation('retention.ms', CONFIG_SET, '1'))).toBe(ERROR.NONE);
    expect(alterGroup('plain', operation('retention.ms', CONFIG_SET, '2'))).toBe(ERROR.NONE);
    expect(alterGroup('', operation('retention.ms', CONFIG_SET, '1'))).toBe(ERROR.INVALID_REQUEST);
    expect(alterGroup('plain', operation('x', CONFIG_SET, '1'))).toBe(ERROR.INVALID_CONFIG);
    const kept = new Map(names.map((name) => [name, new Map([['retention.ms', name === 'plain' ? '2' : '1']])]));
    expect(cluster.image.groupConfigs).toEqual(kept);
    cluster.restart([1]);
    expect(cluster.image.groupConfigs).toEqual(kept);
    for (const name of names) expect(alterGroup(name, operation('retention.ms', CONFIG_DELETE))).toBe(ERROR.NONE);
    expect(cluster.image.groupConfigs.size).toBe(0);
    cluster.restart([1]);
    expect(cluster.image.groupConfigs.size).toBe(0);
  });
});
