/** How many replicas an acknowledgement by all needs: at the broker, at the topic, with one broker only. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { ALL_BROKERS, BROKER, change, DELETE, DONE, SET, settingOf, TOPIC } from '../kit/configs.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';

const home = new BrokerHome(ONE_THREAD, { settings: { 'min.insync.replicas': '2' } });
let client: RawClient;

beforeAll(async () => {
  await home.start();
  client = await home.connect();
});

afterAll(() => home.end());

async function errorOf(topic: string, acks: number): Promise<number> {
  return (await produce(client, topic, batchOf(['x']), { acks })).errorCode;
}

test('S084: one broker with min.insync.replicas=2 never takes a produce with acks=all', async () => {
  const { name } = await createTopic(client);
  for (let time = 0; time < 5; time++) expect(await errorOf(name, -1)).toBe(ERROR.NOT_ENOUGH_REPLICAS);
  expect(await readAll(client, name)).toEqual([]);
});

test('S083: acks=1 works with too few in sync, and the topic decides before the broker', async () => {
  const { name } = await createTopic(client);
  const { name: modest } = await createTopic(client, { configs: { 'min.insync.replicas': '1' } });
  expect(await errorOf(name, -1)).toBe(ERROR.NOT_ENOUGH_REPLICAS);
  expect(await errorOf(name, 1)).toBe(0);
  expect(await errorOf(modest, -1)).toBe(0);
  expect(await change(client, TOPIC, modest, [['min.insync.replicas', SET, '2']])).toEqual(DONE);
  expect(await errorOf(modest, -1)).toBe(ERROR.NOT_ENOUGH_REPLICAS);
  expect(await errorOf(modest, 1)).toBe(0);
  expect(await change(client, TOPIC, modest, [['min.insync.replicas', SET, '1']])).toEqual(DONE);
  expect(await errorOf(modest, -1)).toBe(0);
  expect(await readAll(client, name)).toHaveLength(1);
  expect(await readAll(client, modest)).toHaveLength(3);
});

test("S083: the broker's own can change while it runs", async () => {
  const { name } = await createTopic(client);
  expect(await change(client, BROKER, ALL_BROKERS, [['min.insync.replicas', SET, '1']])).toEqual(DONE);
  expect(await errorOf(name, -1)).toBe(0);
  expect(await settingOf(client, TOPIC, name, 'min.insync.replicas')).toEqual({
    value: '1',
    from: ['min.insync.replicas=1@3', 'min.insync.replicas=2@4', 'min.insync.replicas=1@5'],
  });
  expect(await change(client, BROKER, ALL_BROKERS, [['min.insync.replicas', DELETE]])).toEqual(DONE);
  expect(await errorOf(name, -1)).toBe(ERROR.NOT_ENOUGH_REPLICAS);
});
