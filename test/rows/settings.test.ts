/** Settings of topics and brokers, as clients see and change them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { IncrementalAlterConfigs } from '../../src/wire/messages/incremental-alter-configs.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import {
  ALL_BROKERS,
  APPEND,
  BROKER,
  change,
  DELETE,
  DONE,
  describedOf,
  describeResource,
  replaceAll,
  SET,
  SOURCE,
  SUBTRACT,
  settingOf,
  TOPIC,
} from '../kit/configs.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, freshTopic, produce } from '../kit/requests.ts';

const NODE = '7';
const home = new BrokerHome(ONE_THREAD, { settings: { 'node.id': NODE, 'log.index.interval.bytes': '1024' } });
let client: RawClient;

beforeAll(async () => {
  await home.start();
  client = await home.connect();
});

afterAll(() => home.end());

describe('settings are shown', () => {
  test('X11: every key of a broker with its value, type, source, synonyms and documentation', async () => {
    const settings = await describedOf(client, BROKER, NODE);
    expect(settings.size).toBeGreaterThan(45);
    for (const setting of settings.values()) {
      const [strongest] = setting.synonyms;
      expect([setting.name, setting.configSource]).toEqual([setting.name, strongest?.source ?? SOURCE.default]);
      expect(setting.documentation).not.toBe('');
      expect(setting.configType).toBeGreaterThan(0);
      expect(setting.isSensitive).toBe(false);
    }
    expect(settings.get('node.id')).toMatchObject({ value: NODE, readOnly: true, configType: 3, configSource: 4 });
    expect(settings.get('log.index.interval.bytes')).toMatchObject({
      value: '1024',
      readOnly: false,
      configSource: SOURCE.start,
      synonyms: [
        { name: 'log.index.interval.bytes', value: '1024', source: SOURCE.start },
        { name: 'log.index.interval.bytes', value: '4096', source: SOURCE.default },
      ],
    });
    expect(settings.get('log.retention.ms')).toMatchObject({ value: null, configSource: 5, synonyms: [] });
    // The number that stands behind auto.
    expect(settings.get('num.io.threads')).toMatchObject({ value: '1', configType: 3 });
    expect(settings.get('num.network.threads')).toMatchObject({ value: '1', configSource: 5 });
    const types = ['log.cleanup.policy', 'auto.create.topics.enable', 'compression.type', 'log.retention.bytes'];
    expect(types.map((name) => settings.get(name)?.configType)).toEqual([7, 1, 2, 5]);
  });

  test('X11: every key of a topic, under the names of the broker settings behind it', async () => {
    const { name } = await createTopic(client, { configs: { 'segment.ms': '5000', preallocate: 'true' } });
    const settings = await describedOf(client, TOPIC, name);
    expect(settings.get('segment.ms')).toMatchObject({
      value: '5000',
      configSource: SOURCE.topic,
      synonyms: [
        { name: 'segment.ms', value: '5000', source: SOURCE.topic },
        { name: 'log.roll.hours', value: '168', source: SOURCE.default },
      ],
    });
    expect(settings.get('index.interval.bytes')).toMatchObject({ value: '1024', configSource: SOURCE.start });
    expect(settings.get('flush.ms')).toMatchObject({ value: '9223372036854775807', configSource: 5, synonyms: [] });
    expect(settings.get('preallocate')).toMatchObject({ value: 'true', configType: 1, configSource: SOURCE.topic });
    for (const { readOnly } of settings.values()) expect(readOnly).toBe(false);
  });

  test('X11: only the keys that are asked for, and no more than is asked for, in every version', async () => {
    const { name } = await createTopic(client);
    for (const version of [1, 2, 3, 4]) {
      const options = { keys: ['retention.ms', 'no.such.key'], version, synonyms: false, docs: false };
      const { configs } = await describeResource(client, TOPIC, name, options);
      expect(configs.map(({ name: key, value, synonyms }) => [key, value, synonyms])).toEqual([
        ['retention.ms', '604800000', []],
      ]);
      if (version >= 3) expect(configs[0]).toMatchObject({ configType: 5, documentation: null });
    }
    expect((await describeResource(client, TOPIC, name, { keys: [] })).configs.length).toBeGreaterThan(15);
  });

  test.each<[about: string, type: number, name: string, errorCode: number]>([
    ['a topic that is not there', TOPIC, 'nowhere', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ['a topic that cannot be', TOPIC, 'no topic!', ERROR.INVALID_TOPIC_EXCEPTION],
    ['another broker', BROKER, '8', ERROR.INVALID_REQUEST],
    ['a broker without a number', BROKER, 'seven', ERROR.INVALID_REQUEST],
    ['loggers', 8, NODE, ERROR.INVALID_REQUEST],
    ['a group without a name', 32, '', ERROR.INVALID_REQUEST],
    ['metrics of clients', 16, 'x', ERROR.INVALID_REQUEST],
    ['nothing that is known', 99, 'x', ERROR.INVALID_REQUEST],
  ])('X11: of %s nothing is shown or changed, with a sentence', async (_, type, name, errorCode) => {
    const { errorMessage, configs, ...result } = await describeResource(client, type, name);
    expect(result).toEqual({ errorCode, resourceType: type, resourceName: name });
    expect(configs).toEqual([]);
    expect(errorMessage).toMatch(/\.$/);
    const [changed, why] = await change(client, type, name, [['retention.ms', SET, '1']]);
    expect(changed).toBe(errorCode);
    expect(why).toMatch(/\.$/);
  });

  test('S138: retention is a week unless somebody says otherwise, and what was consumed stays', async () => {
    const { name } = await createTopic(client);
    expect(await settingOf(client, TOPIC, name, 'retention.ms')).toEqual({
      value: '604800000',
      from: ['log.retention.hours=168@5'],
    });
    await produce(client, name, batchOf(['a', 'b']));
    for (let time = 0; time < 3; time++) expect((await fetch(client, name)).batches[0]?.records).toHaveLength(2);
  });
});

describe('settings of a topic are changed', () => {
  test('X11: set, appended to, subtracted from, deleted; the topic acts on it at once', async () => {
    const { name } = await createTopic(client);
    expect(await change(client, TOPIC, name, [['cleanup.policy', APPEND, 'compact']])).toEqual(DONE);
    expect((await settingOf(client, TOPIC, name, 'cleanup.policy')).from).toEqual([
      'cleanup.policy=delete,compact@1',
      'log.cleanup.policy=delete@5',
    ]);
    // A compacted topic demands keys.
    expect((await produce(client, name, batchOf(['no key']))).errorCode).toBe(ERROR.INVALID_RECORD);
    expect(await change(client, TOPIC, name, [['cleanup.policy', SUBTRACT, 'compact']])).toEqual(DONE);
    expect((await produce(client, name, batchOf(['no key']))).errorCode).toBe(0);
    expect(await change(client, TOPIC, name, [['max.message.bytes', SET, '200']])).toEqual(DONE);
    expect((await produce(client, name, batchOf(['x'.repeat(300)]))).errorCode).toBe(ERROR.MESSAGE_TOO_LARGE);
    const back = [
      ['max.message.bytes', DELETE],
      ['cleanup.policy', DELETE],
    ] as const;
    expect(await change(client, TOPIC, name, back, { version: 0 })).toEqual(DONE);
    expect((await produce(client, name, batchOf(['x'.repeat(300)]))).errorCode).toBe(0);
    expect((await settingOf(client, TOPIC, name, 'max.message.bytes')).from).toEqual(['message.max.bytes=1048588@5']);
  });

  test('X11: all at once, the older way: what is not named goes back', async () => {
    const { name } = await createTopic(client, { configs: { 'segment.ms': '5000' } });
    for (const version of [0, 1, 2])
      expect(await replaceAll(client, TOPIC, name, { 'retention.ms': '9000' }, { version })).toEqual(DONE);
    expect((await settingOf(client, TOPIC, name, 'retention.ms')).value).toBe('9000');
    expect((await settingOf(client, TOPIC, name, 'segment.ms')).value).toBe('604800000');
    const [withoutValue] = await replaceAll(client, TOPIC, name, { 'retention.ms': null });
    expect(withoutValue).toBe(ERROR.INVALID_REQUEST);
    expect(await replaceAll(client, TOPIC, name, {})).toEqual(DONE);
    expect((await settingOf(client, TOPIC, name, 'retention.ms')).value).toBe('604800000');
  });

  test('X11: nothing changes when only a check is asked for, or something is wrong', async () => {
    const { name } = await createTopic(client);
    const good = ['retention.ms', SET, '1'] as const;
    expect(await change(client, TOPIC, name, [good], { validateOnly: true })).toEqual(DONE);
    const wrong: [operations: Parameters<typeof change>[3], errorCode: number][] = [
      [[good, ['segment.bytes', SET, 'many']], ERROR.INVALID_CONFIG],
      [[good, ['no.such.key', SET, '1']], ERROR.INVALID_CONFIG],
      [[good, ['segment.ms', APPEND, '1']], ERROR.INVALID_CONFIG],
      [[good, ['segment.ms', SUBTRACT, '1']], ERROR.INVALID_CONFIG],
      [[good, ['segment.ms', SET]], ERROR.INVALID_REQUEST],
      [[good, ['segment.ms', 9, '1']], ERROR.INVALID_REQUEST],
      [[good, ['retention.ms', DELETE]], ERROR.INVALID_REQUEST],
      [[good, ['cleanup.policy', APPEND, 'shred']], ERROR.INVALID_CONFIG],
    ];
    for (const [operations, errorCode] of wrong) {
      const [code, why] = await change(client, TOPIC, name, operations);
      expect([operations, code]).toEqual([operations, errorCode]);
      expect(why).toMatch(/\.$/);
    }
    const [allTopics] = await change(client, TOPIC, ALL_BROKERS, [good]);
    expect(allTopics).toBe(ERROR.INVALID_REQUEST);
    expect((await settingOf(client, TOPIC, name, 'retention.ms')).value).toBe('604800000');
  });

  test('X11: each resource of a request for itself; one that is named twice not at all', async () => {
    const { name: once } = await createTopic(client);
    const { name: twice } = await createTopic(client);
    const configs = [{ name: 'retention.ms', configOperation: SET, value: '1' }];
    const resources = [once, twice, freshTopic('missing'), twice].map((resourceName) => ({
      resourceType: TOPIC,
      resourceName,
      configs,
    }));
    const { responses } = await client.call(IncrementalAlterConfigs, 1, { resources, validateOnly: false });
    const { UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST } = ERROR;
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([
      0,
      INVALID_REQUEST,
      UNKNOWN_TOPIC_OR_PARTITION,
      INVALID_REQUEST,
    ]);
    expect((await settingOf(client, TOPIC, once, 'retention.ms')).value).toBe('1');
    expect((await settingOf(client, TOPIC, twice, 'retention.ms')).value).toBe('604800000');
  });
});
