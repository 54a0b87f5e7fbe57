/** Topics by the hundred: made and used at once, deleted and made again, and nothing left of those that are gone. */
import { readdirSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { SILENT } from '../../src/base/logger.ts';
import { openGround } from '../../src/runtime/ground/ground.ts';
import { EmbeddedStore } from '../../src/stores/embedded.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { BrokerHome, eventually, ONE_THREAD, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, produce } from '../kit/requests.ts';
import { deleteByName } from '../kit/topics.ts';

const MANY_MS = 120_000;

test(
  'kafkajs makes a thousand topics and produces to each at once, without one error',
  async () => {
    const home = new BrokerHome(ONE_THREAD);
    await home.start();
    const kafka = new Kafka({
      clientId: 'kafkajs',
      brokers: [home.address],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    const admin = kafka.admin();
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await Promise.all([admin.connect(), producer.connect()]);
    for (let round = 0; round < 1_000; round++) {
      const topic = `round-${round}`;
      expect(await admin.createTopics({ topics: [{ topic }], waitForLeaders: false })).toBe(true);
      expect(await producer.send({ topic, messages: [{ value: topic }] })).toMatchObject([
        { errorCode: 0, baseOffset: '0' },
      ]);
    }
    expect(await admin.listTopics()).toHaveLength(1_000);
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await home.end();
  },
  MANY_MS,
);

test.each([ONE_THREAD, TWO_BY_THREE])(
  'rounds of deleting a topic and making it again leave no error, no file and no memory of the old ones ($name)',
  async (layout) => {
    const home = new BrokerHome(layout, { settings: { 'log.segment.delete.delay.ms': '0' } });
    await home.start();
    const client = await RawClient.connect(home.port);
    const name = 'again';
    const ids = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const { id } = await createTopic(client, { name, partitions: 2 });
      ids.add(id);
      const partition = round % 2;
      expect((await produce(client, name, batchOf([String(round)]), { partition })).baseOffset).toBe(0);
      const read = await fetch(client, '', { version: 13, topicId: id, partition });
      expect(read).toMatchObject({ errorCode: ERROR.NONE, highWatermark: 1 });
      expect(await deleteByName(client, [name])).toMatchObject([{ errorCode: ERROR.NONE }]);
    }
    expect(ids.size).toBe(300);
    const left = await eventually(
      () => readdirSync(home.directory).filter((entry) => entry.startsWith(name)),
      (entries) => entries.length === 0,
    );
    expect(left).toEqual([]);
    await client.close();
    await home.stop();
    const { disk, kernels } = openGround('portable');
    const store = EmbeddedStore.open({ disk, kernels, logger: SILENT, directory: home.directory });
    expect(await store.children('/admin/delete_topics')).toEqual([]);
    expect(await store.children('/brokers/topics')).toEqual([]);
    expect(await store.children('/config/topics')).toEqual([]);
    await store.close();
    await home.end();
  },
  MANY_MS,
);
