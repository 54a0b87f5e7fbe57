/** DeleteRecords as it is on the wire: every version, every refusal, and who waits below the new start. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { DeleteRecords, TO_HIGH_WATERMARK } from '../../src/wire/messages/delete-records.ts';
import { BrokerHome, eventually, inEveryLayout, TRANSPORT, TWO_BY_ONE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { deleteRecords, describeProducers } from '../kit/offsets.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, freshTopic, listOffset, produce, readAll } from '../kit/requests.ts';

const [FIRST_VERSION, LAST_VERSION] = DeleteRecords.versions;
const VERSIONS = Array.from({ length: LAST_VERSION - FIRST_VERSION + 1 }, (_, index) => FIRST_VERSION + index);

inEveryLayout('delete records', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  async function tenRecords(configs: Record<string, string> = {}): Promise<string> {
    const { name } = await createTopic(client, { configs });
    const key = Buffer.from('key');
    const record = { timestamp: Date.now(), key, value: key };
    for (let i = 0; i < 5; i++) expect((await produce(client, name, batchOf([record, record]))).errorCode).toBe(0);
    return name;
  }

  test.each(VERSIONS)('version %i: the start moves up, at once for everybody, and never back', async (version) => {
    const name = await tenRecords();
    for (const [offset, start] of [
      [3, 3],
      [2, 3],
      [0, 3],
      [8, 8],
      [TO_HIGH_WATERMARK, 10],
      [10, 10],
    ] as const) {
      expect(await deleteRecords(client, name, offset, { version })).toEqual({
        partitionIndex: 0,
        lowWatermark: start,
        errorCode: ERROR.NONE,
      });
      expect(await listOffset(client, name, -2)).toMatchObject({ errorCode: 0, offset: start });
      const below = await fetch(client, name, { offset: start - 1 });
      expect(below).toMatchObject({ errorCode: ERROR.OFFSET_OUT_OF_RANGE, bytes: 0 });
      expect(await fetch(client, name, { offset: start })).toMatchObject({ errorCode: 0, logStartOffset: start });
    }
    expect(await produce(client, name, batchOf(['next']))).toMatchObject({ baseOffset: 10, logStartOffset: 10 });
  });

  describe('refuses', () => {
    test.each([11, -2, 1_000_000])('offset %i of a log that ends at 10', async (offset) => {
      const name = await tenRecords();
      const refused = { lowWatermark: -1, errorCode: ERROR.OFFSET_OUT_OF_RANGE };
      expect(await deleteRecords(client, name, offset)).toMatchObject(refused);
      expect((await listOffset(client, name, -2)).offset).toBe(0);
    });

    test('a topic and a partition that are not there', async () => {
      const { name } = await createTopic(client);
      const unknown = { lowWatermark: -1, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION };
      expect(await deleteRecords(client, freshTopic('nowhere'), 0)).toMatchObject(unknown);
      expect(await deleteRecords(client, name, 0, { partition: 1 })).toMatchObject(unknown);
      expect(await deleteRecords(client, name, 0, { partition: -1 })).toMatchObject(unknown);
    });

    test('a topic that is only compacted; one that is deleted from, too, is served', async () => {
      const compacted = await tenRecords({ 'cleanup.policy': 'compact' });
      expect(await deleteRecords(client, compacted, 1)).toMatchObject({ errorCode: ERROR.POLICY_VIOLATION });
      expect(await deleteRecords(client, compacted, 99)).toMatchObject({ errorCode: ERROR.POLICY_VIOLATION });
      const both = await tenRecords({ 'cleanup.policy': 'compact,delete' });
      expect(await deleteRecords(client, both, 1)).toMatchObject({ errorCode: 0, lowWatermark: 1 });
    });
  });

  test('many partitions in one request, each with its own answer', async () => {
    const { name } = await createTopic(client, { partitions: 6 });
    for (let partition = 0; partition < 6; partition++) {
      await produce(client, name, batchOf(Array(partition + 1).fill('v')), { partition });
    }
    const partitions = [5, 3, 0, 6, 3].map((partitionIndex) => ({ partitionIndex, offset: 2 }));
    const { topics } = await client.call(DeleteRecords, 2, { topics: [{ name, partitions }], timeoutMs: 5_000 });
    expect(topics).toEqual([
      {
        name,
        partitions: [
          { partitionIndex: 5, lowWatermark: 2, errorCode: 0 },
          { partitionIndex: 3, lowWatermark: 2, errorCode: 0 },
          { partitionIndex: 0, lowWatermark: -1, errorCode: ERROR.OFFSET_OUT_OF_RANGE },
          { partitionIndex: 6, lowWatermark: -1, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION },
        ],
      },
    ]);
  });

  test('in the midst of appends: what is answered is what is so, and nothing behind it is lost', async () => {
    const { name } = await createTopic(client);
    const before = Array.from({ length: 20 }, () => produce(client, name, batchOf(['before'])));
    const deleted = deleteRecords(client, name, TO_HIGH_WATERMARK);
    const after = Array.from({ length: 20 }, () => produce(client, name, batchOf(['after'])));
    for (const answer of await Promise.all([...before, ...after])) expect(answer.errorCode).toBe(0);
    const { errorCode, lowWatermark } = await deleted;
    expect(errorCode).toBe(0);
    expect((await listOffset(client, name, -2)).offset).toBe(lowWatermark);
    expect((await listOffset(client, name, -1)).offset).toBe(40);
    const left = await readAll(client, name, { offset: lowWatermark });
    expect(left.map(({ baseOffset }) => baseOffset)).toEqual(
      Array.from({ length: 40 - lowWatermark }, (_, index) => lowWatermark + index),
    );
  });

  test('a start that cannot be kept on disk is an error, until it can', async () => {
    const name = await tenRecords();
    const obstacle = join(home.directory, 'log-start-offset-checkpoint.tmp');
    mkdirSync(obstacle);
    expect(await deleteRecords(client, name, 6)).toMatchObject({ errorCode: ERROR.KAFKA_STORAGE_ERROR });
    rmdirSync(obstacle);
    expect(await deleteRecords(client, name, 6)).toMatchObject({ errorCode: 0, lowWatermark: 6 });
    const kept = readFileSync(join(home.directory, 'log-start-offset-checkpoint'), 'utf8').split('\n');
    expect(kept).toContain(`${name} 0 6`);
  });

  test('a fetch that waits below the new start is told at once', async () => {
    const name = await tenRecords();
    const waiting = await RawClient.connect(home.port);
    const before = (await home.broker.metrics()).total.fetchesWaiting;
    const fetched = fetch(waiting, name, { offset: 4, minBytes: 10_000_000, maxWaitMs: 25_000 });
    const waits = async () => (await home.broker.metrics()).total.fetchesWaiting;
    expect(await eventually(waits, (now) => now > before)).toBe(before + 1);
    await deleteRecords(client, name, 9);
    expect(await fetched).toMatchObject({ errorCode: ERROR.OFFSET_OUT_OF_RANGE });
    await waiting.close();
  });
});

test(`partitions that move between handlers keep their starts (${TRANSPORT})`, async () => {
  const home = new BrokerHome(TWO_BY_ONE);
  const partitions = 8;
  try {
    const broker = await home.start();
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions });
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const batch = batchOf(Array(30).fill('v'));
    for (const partition of all) await produce(client, name, batch, { partition });
    let moving = true;
    const moved = (async () => {
      for (const io of [3, 1, 2]) await broker.resize({ network: 2, io });
      moving = false;
    })();
    let start = 0;
    for (; moving || start < 3; start = Math.min(30, start + 1)) {
      for (const partition of all) {
        const deleted = await deleteRecords(client, name, start, { partition });
        expect(deleted).toMatchObject({ errorCode: 0, lowWatermark: start });
        expect(await describeProducers(client, name, partition)).toMatchObject({ errorCode: 0 });
      }
    }
    await moved;
    for (const partition of all) {
      const { offset } = await listOffset(client, name, -2, { partition });
      expect(offset).toBeGreaterThanOrEqual(start - 1);
      expect((await fetch(client, name, { partition, offset: offset - 1 })).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
    }
    await client.close();
  } finally {
    await home.end();
  }
});
