import { describe, expect, test } from 'vitest';
import { StartError } from '../../src/base/start-error.ts';
import { BROKER_SETTINGS } from '../../src/config/broker-table.ts';
import { isKafkaBrokerName } from '../../src/config/kafka-names.ts';
import type { Setting } from '../../src/config/setting.ts';
import { type Origin, parseSettings } from '../../src/config/settings.ts';

function parse(values: Record<string, string>, origin: Origin = 'file') {
  return parseSettings(Object.entries(values).map(([name, value]) => ({ name, value, origin })));
}

function problem(values: Record<string, string>): string {
  try {
    parse(values);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as StartError).message;
  }
  throw new Error('no error');
}

describe('settings', () => {
  test('nothing given: defaults, and they say so', () => {
    const { settings, origins, warnings, listeners } = parse({});
    expect(settings.numNetworkThreads).toBe('auto');
    expect(settings.messageMaxBytes).toBe(1_048_588);
    expect(settings.logRollMs).toBeNull();
    expect(new Set(origins.values())).toEqual(new Set(['default']));
    expect(origins.size).toBe(BROKER_SETTINGS.length);
    expect(warnings).toEqual([]);
    expect(listeners).toEqual([
      { name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092, advertised: null },
    ]);
  });

  test('times of the consumer protocol are in their bounds, and its groups have an assignor', () => {
    expect(problem({ 'group.consumer.session.timeout.ms': '6000' })).toBe(
      'group.consumer.session.timeout.ms=6000 must be from group.consumer.min.session.timeout.ms=45000 to group.consumer.max.session.timeout.ms=60000.',
    );
    expect(problem({ 'group.consumer.max.heartbeat.interval.ms': '4000' })).toContain(
      'group.consumer.heartbeat.interval.ms=5000 must be',
    );
    expect(problem({ 'group.consumer.assignors': '' })).toContain('group.consumer.assignors is empty');
    const brisk = { 'group.consumer.session.timeout.ms': '6000', 'group.consumer.min.session.timeout.ms': '6000' };
    expect(parse(brisk).settings.groupConsumerSessionTimeoutMs).toBe(6000);
  });

  test('the strongest origin wins in any order, the last within one', () => {
    const name = 'num.partitions';
    const { settings, origins } = parseSettings([
      { name, value: '3', origin: 'environment' },
      { name, value: '4', origin: 'flag' },
      { name, value: '5', origin: 'flag' },
      { name, value: '2', origin: 'file' },
    ]);
    expect(settings.numPartitions).toBe(5);
    expect(origins.get(name)).toBe('flag');
  });

  test('every error is said at once, in one sentence each', () => {
    expect(
      problem({ 'num.partitions': '0', 'auto.create.topics.enable': 'yes', 'log.cleanup.policy': 'delete,keep' }).split(
        '\n',
      ),
    ).toEqual([
      'num.partitions=0 is not valid: it must be a whole number, at least 1.',
      'auto.create.topics.enable=yes is not valid: it must be true or false.',
      'log.cleanup.policy=delete,keep is not valid: it must be a list of compact, delete.',
    ]);
  });

  test('a misspelt name gets the nearest one, a foreign one gets none', () => {
    expect(parse({ 'num.partions': '1' }).warnings).toEqual([
      'num.partions is not a setting; did you mean num.partitions? It has no effect.',
    ]);
    expect(parse({ quux: '1' }).warnings).toEqual(['quux is not a setting, so it has no effect.']);
  });

  test("Kafka's names that do nothing here are told apart", () => {
    for (const name of [
      'controller.quorum.voters',
      'zookeeper.connect',
      'listener.name.internal.ssl.keystore.location',
    ]) {
      expect(parse({ [name]: '1' }).warnings).toEqual([`${name} is a setting of Kafka that has no effect here.`]);
    }
    for (const { name } of BROKER_SETTINGS as readonly Setting[]) expect(isKafkaBrokerName(name), name).toBe(false);
  });

  test('an older name counts, and two that differ do not', () => {
    expect(parse({ 'broker.id': '7' }).settings.nodeId).toBe(7);
    expect(parse({ 'broker.id': '7', 'node.id': '7' }).settings.nodeId).toBe(7);
    expect(problem({ 'broker.id': '7', 'node.id': '8' })).toBe(
      'broker.id=7 and node.id=8 say the same thing differently: keep one of them.',
    );
  });
});

describe('listeners', () => {
  test('several, with addresses for clients', () => {
    const { listeners } = parse({
      listeners: 'internal://[::1]:9092,EXTERNAL://:9093',
      'advertised.listeners': 'EXTERNAL://broker.example:443',
      'listener.security.protocol.map': 'INTERNAL:PLAINTEXT, EXTERNAL:PLAINTEXT',
    });
    expect(listeners).toEqual([
      { name: 'INTERNAL', protocol: 'PLAINTEXT', host: '::1', port: 9092, advertised: null },
      {
        name: 'EXTERNAL',
        protocol: 'PLAINTEXT',
        host: '',
        port: 9093,
        advertised: { host: 'broker.example', port: 443 },
      },
    ]);
  });

  test('free ports may repeat', () => {
    expect(
      parse({ listeners: 'PLAINTEXT://:0,B://:0', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT' })
        .listeners,
    ).toHaveLength(2);
  });

  test.each([
    [{ listeners: '' }, 'listeners is empty'],
    [{ listeners: '127.0.0.1:9092' }, 'listeners has 127.0.0.1:9092, which is not NAME://host:port'],
    [{ listeners: 'PLAINTEXT://:65536' }, 'not NAME://host:port'],
    [{ listeners: 'PLAINTEXT://::1:9092' }, 'not NAME://host:port'],
    [{ listeners: 'SSL://:9092' }, 'only PLAINTEXT is served'],
    [{ listeners: 'MINE://:9092' }, 'add MINE:PLAINTEXT there'],
    [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, 'has PLAINTEXT twice'],
    [{ listeners: 'PLAINTEXT://:1,SSL://:1' }, 'has port 1 twice'],
    [{ 'advertised.listeners': 'OTHER://host:1' }, 'which listeners does not'],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' }, 'an address that no client can connect to: name a host.'],
    [{ 'advertised.listeners': 'PLAINTEXT://[::]:1' }, 'an address that no client can connect to: name a host.'],
    [{ 'advertised.listeners': 'PLAINTEXT://:1' }, 'an address that no client can connect to: name a host.'],
    [{ 'advertised.listeners': 'PLAINTEXT://host:0' }, 'a port that no client can connect to: name a real one.'],
    [{ 'advertised.listeners': 'host:1' }, 'advertised.listeners has host:1, which is not NAME://host:port'],
    [{ 'advertised.listeners': 'PLAINTEXT://a:1,PLAINTEXT://b:1' }, 'advertised.listeners has PLAINTEXT twice'],
    [{ 'listener.security.protocol.map': 'PLAINTEXT' }, 'not NAME:PROTOCOL'],
    [{ 'listener.security.protocol.map': 'SSL:SSL' }, 'add PLAINTEXT:PLAINTEXT there'],
    [{ 'listener.security.protocol.map': 'PLAINTEXT:TLS' }, 'not NAME:PROTOCOL'],
  ])('%j', (values, message) => {
    expect(problem(values as Record<string, string>)).toContain(message);
  });
});
