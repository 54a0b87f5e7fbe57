/** Records deleted by request stay deleted, whatever becomes of the broker; nothing else goes with them. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { DeleteTopics } from '../../src/wire/messages/delete-topics.ts';
import { BrokerHome, eventually, LAYOUTS, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { kcatRead } from '../kit/kcat.ts';
import { deleteRecords, epochEnd } from '../kit/offsets.ts';
import { batchOf, filledBatch, textOf } from '../kit/records.ts';
import { createTopic, fetch, listOffset, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const MIB = 1_048_576;

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  if (directory !== '') rmSync(directory, { recursive: true, force: true });
  directory = '';
});

describe.each(LAYOUTS)(`deleted records ($name, ${TRANSPORT})`, (layout) => {
  async function started(): Promise<RawClient> {
    if (directory === '') directory = temporaryDirectory();
    running = await new BrokerProcess(directory, layout).listening();
    return RawClient.connect(running.port);
  }

  async function tenIn(client: RawClient, name: string): Promise<void> {
    for (let i = 0; i < 10; i++) expect((await produce(client, name, batchOf([`${i}`]))).errorCode).toBe(0);
  }

  async function expectFrom(client: RawClient, name: string, start: number): Promise<void> {
    expect((await listOffset(client, name, -2)).offset).toBe(start);
    expect(await fetch(client, name, { offset: start - 1 })).toMatchObject({
      errorCode: ERROR.OFFSET_OUT_OF_RANGE,
      bytes: 0,
    });
    const batches = await readAll(client, name, { offset: start });
    expect(batches.map(({ records }) => textOf(records[0]?.value ?? null))).toEqual(
      Array.from({ length: 10 - start }, (_, index) => `${start + index}`),
    );
    expect(await epochEnd(client, name, 0)).toMatchObject({ errorCode: 0, endOffset: 10 });
  }

  test('X13: a fetch below the start is out of range, also after a kill -9 and after a clean restart', async () => {
    let client = await started();
    const { name } = await createTopic(client);
    await tenIn(client, name);
    expect(await deleteRecords(client, name, 7)).toMatchObject({ errorCode: 0, lowWatermark: 7 });
    await running?.kill();
    await client.close();
    client = await started();
    await expectFrom(client, name, 7);
    expect(await deleteRecords(client, name, 9)).toMatchObject({ errorCode: 0, lowWatermark: 9 });
    await client.close();
    await running?.stop();
    client = await started();
    await expectFrom(client, name, 9);
    expect(await produce(client, name, batchOf(['next']))).toMatchObject({ baseOffset: 10 });
    await client.close();
  });

  test('X13: a topic of the same name starts at 0, also after a kill -9', async () => {
    let client = await started();
    const { name } = await createTopic(client);
    await tenIn(client, name);
    expect(await deleteRecords(client, name, -1)).toMatchObject({ lowWatermark: 10 });
    const gone = await client.call(DeleteTopics, 5, { topics: [], topicNames: [name], timeoutMs: 10_000 });
    expect(gone.responses[0]?.errorCode).toBe(0);
    await createTopic(client, { name });
    expect(await produce(client, name, batchOf(['new']))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    await running?.kill();
    await client.close();
    client = await started();
    expect((await readAll(client, name)).map(({ records }) => textOf(records[0]?.value ?? null))).toEqual(['new']);
    await client.close();
  });

  test('X13: log files that hold nothing else go, the one that holds the start stays', async () => {
    const home = new BrokerHome(layout, { settings: { 'log.retention.check.interval.ms': '1' } });
    try {
      await home.start();
      const client = await RawClient.connect(home.port);
      const configs = { 'segment.bytes': String(MIB), 'file.delete.delay.ms': '0' };
      const { name } = await createTopic(client, { configs });
      // Two records a segment.
      for (let i = 0; i < 8; i++) await produce(client, name, filledBatch(`${i}`, 1, 500_000));
      const logs = () => readdirSync(join(home.directory, `${name}-0`)).filter((file) => file.endsWith('.log'));
      const named = (...offsets: number[]) => offsets.map((offset) => `${String(offset).padStart(20, '0')}.log`);
      expect(logs().sort()).toEqual(named(0, 2, 4, 6));
      expect(await deleteRecords(client, name, 5)).toMatchObject({ lowWatermark: 5 });
      expect((await eventually(logs, (files) => files.length === 2)).sort()).toEqual(named(4, 6));
      expect((await listOffset(client, name, -2)).offset).toBe(5);
      expect((await readAll(client, name, { offset: 5 })).map(({ baseOffset }) => baseOffset)).toEqual([5, 6, 7]);
      if (hasTool('kcat')) expect((await kcatRead(home.address, name)).map(({ offset }) => offset)).toEqual([5, 6, 7]);
      await client.close();
    } finally {
      await home.end();
    }
  });

  test('X13: kafkajs deletes records and sees where the topic begins', async () => {
    const home = new BrokerHome(layout);
    try {
      await home.start();
      const client = await RawClient.connect(home.port);
      const { name: topic } = await createTopic(client, { partitions: 2 });
      await tenIn(client, topic);
      const admin = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const lows = async () => (await admin.fetchTopicOffsets(topic)).map(({ partition, low }) => [partition, low]);
      // It deletes only where it has loaded the topic's metadata before.
      expect((await lows()).sort()).toEqual([
        [0, '0'],
        [1, '0'],
      ]);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
      expect((await lows()).sort()).toEqual([
        [0, '4'],
        [1, '0'],
      ]);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
      expect((await lows()).sort()).toEqual([
        [0, '10'],
        [1, '0'],
      ]);
      await expect(
        admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '11' }] }),
      ).rejects.toMatchObject({
        cause: { partitions: [{ partition: 0, error: { code: ERROR.OFFSET_OUT_OF_RANGE } }] },
      });
      await admin.disconnect();
      await client.close();
    } finally {
      await home.end();
    }
  });
});
