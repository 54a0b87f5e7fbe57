/** Settings of brokers that change while the broker runs: for all and for one, seen at once and after a restart. */
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import {
  ALL_BROKERS,
  APPEND,
  BROKER,
  change,
  DELETE,
  DONE,
  describeResource,
  replaceAll,
  SET,
  settingOf,
  TOPIC,
} from '../kit/configs.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, metadata, produce } from '../kit/requests.ts';

const NODE = '0';
const home = new BrokerHome(ONE_THREAD, { settings: { 'log.retention.hours': '24' } });
let client: RawClient;

beforeAll(() => home.start());
afterAll(() => home.end());

beforeEach(async () => {
  client = await RawClient.connect(home.port);
});

afterEach(async () => {
  expect(await replaceAll(client, BROKER, ALL_BROKERS, {})).toEqual(DONE);
  expect(await replaceAll(client, BROKER, NODE, {})).toEqual(DONE);
  await processors(1);
  await client.close();
});

/** Waits until there are so many: connections move meanwhile. */
async function processors(count: number): Promise<void> {
  const names = await eventually(
    async () => Object.keys((await home.broker.metrics()).roles).filter((role) => role.startsWith('p')),
    ({ length }) => length === count,
  );
  expect(names).toHaveLength(count);
}

test('X11: one for all brokers is weaker than one for this broker, and both than the topic', async () => {
  const { name } = await createTopic(client);
  expect((await settingOf(client, TOPIC, name, 'retention.ms')).from).toEqual([
    'log.retention.hours=24@4',
    'log.retention.hours=168@5',
  ]);
  expect(await change(client, BROKER, ALL_BROKERS, [['log.retention.ms', SET, '5000']])).toEqual(DONE);
  expect((await settingOf(client, TOPIC, name, 'retention.ms')).value).toBe('5000');
  expect(await change(client, BROKER, NODE, [['log.retention.ms', SET, '6000']])).toEqual(DONE);
  expect((await settingOf(client, TOPIC, name, 'retention.ms')).value).toBe('6000');
  expect(await change(client, TOPIC, name, [['retention.ms', SET, '7000']])).toEqual(DONE);
  expect(await settingOf(client, TOPIC, name, 'retention.ms')).toEqual({
    value: '7000',
    from: [
      'retention.ms=7000@1',
      'log.retention.ms=6000@2',
      'log.retention.ms=5000@3',
      'log.retention.hours=24@4',
      'log.retention.hours=168@5',
    ],
  });
  expect(await settingOf(client, BROKER, NODE, 'log.retention.ms')).toMatchObject({ value: '6000' });
  // What was set in other units is not this setting.
  expect(await settingOf(client, BROKER, NODE, 'log.retention.hours')).toEqual({
    value: '24',
    from: ['log.retention.hours=24@4', 'log.retention.hours=168@5'],
  });
  const { configs } = await describeResource(client, BROKER, ALL_BROKERS);
  expect(configs.map(({ name: key, value, configSource }) => [key, value, configSource])).toEqual([
    ['log.retention.ms', '5000', 3],
  ]);
  await change(client, TOPIC, name, [['retention.ms', DELETE]]);
  await change(client, BROKER, NODE, [['log.retention.ms', DELETE]]);
  expect((await settingOf(client, TOPIC, name, 'retention.ms')).value).toBe('5000');
});

test('X11: topics that say nothing themselves act on a change at once', async () => {
  const { name } = await createTopic(client);
  const { name: own } = await createTopic(client, { configs: { 'max.message.bytes': '2000' } });
  const large = batchOf(['x'.repeat(500)]);
  expect(await change(client, BROKER, ALL_BROKERS, [['message.max.bytes', SET, '300']])).toEqual(DONE);
  expect((await produce(client, name, large)).errorCode).toBe(ERROR.MESSAGE_TOO_LARGE);
  expect((await produce(client, own, large)).errorCode).toBe(0);
  expect(await change(client, BROKER, ALL_BROKERS, [['message.max.bytes', DELETE]])).toEqual(DONE);
  expect((await produce(client, name, large)).errorCode).toBe(0);
  expect(await change(client, BROKER, ALL_BROKERS, [['log.cleanup.policy', APPEND, 'compact']])).toEqual(DONE);
  expect((await settingOf(client, TOPIC, name, 'cleanup.policy')).value).toBe('delete,compact');
  expect((await produce(client, name, large)).errorCode).toBe(ERROR.INVALID_RECORD);
});

test('X11: changes last over a restart', async () => {
  const { name } = await createTopic(client);
  expect(await change(client, BROKER, ALL_BROKERS, [['message.max.bytes', SET, '300']])).toEqual(DONE);
  expect(await change(client, BROKER, NODE, [['num.network.threads', SET, '2']])).toEqual(DONE);
  await processors(2);
  await client.close();
  await home.restart();
  client = await RawClient.connect(home.port);
  expect((await produce(client, name, batchOf(['x'.repeat(500)]))).errorCode).toBe(ERROR.MESSAGE_TOO_LARGE);
  await processors(2);
  expect((await settingOf(client, BROKER, NODE, 'num.network.threads')).from).toEqual([
    'num.network.threads=2@2',
    'num.network.threads=auto@5',
  ]);
});

test('X11: max.connections closes what comes from then on, and leaves what is there', async () => {
  const other = await RawClient.connect(home.port);
  await metadata(other, []);
  const { connections } = await eventually(
    () => home.broker.metrics(),
    (now) => now.connections === 2,
  );
  expect(connections).toBe(2);
  expect(await change(client, BROKER, NODE, [['max.connections', SET, '2']])).toEqual(DONE);
  const refused = connect(home.port, '127.0.0.1');
  refused.on('error', () => {});
  await once(refused, 'close');
  await metadata(other, []);
  expect(await change(client, BROKER, NODE, [['max.connections', DELETE]])).toEqual(DONE);
  const more = await RawClient.connect(home.port);
  await metadata(more, []);
  await more.close();
  await other.close();
});

test('X11: those that are read at the start are refused, and so is what means nothing', async () => {
  const good = ['log.retention.ms', SET, '1'] as const;
  for (const name of [ALL_BROKERS, NODE]) {
    const fixed = await change(client, BROKER, name, [good, ['node.id', SET, '3'], ['log.retention.hours', SET, '1']]);
    expect(fixed).toEqual([
      ERROR.INVALID_REQUEST,
      'Cannot update these configs dynamically: [node.id, log.retention.hours]. They are read when the broker starts.',
    ]);
    const foreign = await change(client, BROKER, name, [good, ['background.threads', SET, '3']]);
    expect(foreign).toEqual([ERROR.INVALID_REQUEST, expect.stringContaining('a setting of Kafka that has no effect')]);
    const misspelt = await change(client, BROKER, name, [good, ['log.retention.sm', SET, '3']]);
    expect(misspelt).toEqual([ERROR.INVALID_REQUEST, expect.stringContaining('did you mean log.retention.ms?')]);
    const bad = await change(client, BROKER, name, [good, ['max.connections', SET, '-1']]);
    expect(bad).toEqual([ERROR.INVALID_REQUEST, expect.stringContaining('max.connections=-1 is not valid')]);
    const [noList] = await change(client, BROKER, name, [['max.connections', APPEND, '1']]);
    expect(noList).toBe(ERROR.INVALID_CONFIG);
    expect(await change(client, BROKER, name, [good], { validateOnly: true })).toEqual(DONE);
  }
  expect(await settingOf(client, BROKER, NODE, 'log.retention.ms')).toEqual({ value: null, from: [] });
});

test('X11: a partition that cannot be opened keeps nobody from changing settings', async () => {
  const { name } = await createTopic(client, { partitions: 2 });
  await client.close();
  await home.stop();
  const log = join(home.directory, `${name}-1`, `${'0'.repeat(20)}.log`);
  rmSync(log);
  mkdirSync(log);
  await home.start();
  client = await RawClient.connect(home.port);
  expect((await home.broker.metrics()).partitions.filter(({ offline }) => offline !== null)).toHaveLength(1);
  expect(await change(client, TOPIC, name, [['max.message.bytes', SET, '300']])).toEqual(DONE);
  expect(await change(client, BROKER, ALL_BROKERS, [['log.retention.ms', SET, '5000']])).toEqual(DONE);
  expect((await produce(client, name, batchOf(['x'.repeat(500)]))).errorCode).toBe(ERROR.MESSAGE_TOO_LARGE);
});
