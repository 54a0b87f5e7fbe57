/**
 * Topics that store their own compression, and topics whose records the broker's clock stamps: what is stored, in which
 * order, and that clients read it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as batch from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kafkajsBroker, readPartition } from '../kit/kafkajs-broker.ts';
import '../kit/kafkajs-codecs.ts';
import { kcatOk, kcatRead } from '../kit/kcat.ts';
import { type BatchOptions, batchOf, type ReadBatch, textOf } from '../kit/records.ts';
import { createTopic, fetchBytes, initProducer, listOffset, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const TYPES = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const CODECS = TYPES.map((_, codec) => codec);
const VALUES = Array.from({ length: 40 }, (_, index) => `value ${index} ${'abc'.repeat(index)}`);

function coded(values: readonly string[], codec: number, options: BatchOptions = {}): Uint8Array {
  return batchOf(values, codec === batch.CODEC.NONE ? options : { ...options, codec });
}

function valuesOf(batches: readonly ReadBatch[]): (string | null)[] {
  return batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)));
}

inEveryLayout('recompression', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each(TYPES)('whatever comes is stored in %s', async (type) => {
    const { name } = await createTopic(client, { configs: { 'compression.type': type } });
    const answers = await Promise.all(CODECS.map((codec) => produce(client, name, coded(VALUES, codec))));
    expect(answers.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual(
      CODECS.map((_, index) => [ERROR.NONE, index * VALUES.length]),
    );
    const batches = await readAll(client, name);
    expect(batches.map(({ codec }) => codec)).toEqual(CODECS.map(() => TYPES.indexOf(type)));
    expect(valuesOf(batches)).toEqual(CODECS.flatMap(() => VALUES));
    const broker = kafkajsBroker(home.port);
    await broker.connect();
    const read = await readPartition(broker, name);
    await broker.disconnect();
    expect(read.map(({ value }) => String(value))).toEqual(CODECS.flatMap(() => VALUES));
  });

  test('a batch in the right codec is stored as it came', async () => {
    const { name } = await createTopic(client, { configs: { 'compression.type': 'gzip' } });
    const sent = coded(VALUES, batch.CODEC.GZIP);
    await produce(client, name, sent.slice());
    const stored = await fetchBytes(client, name);
    expect(stored.subarray(batch.MAGIC_AT)).toEqual(sent.subarray(batch.MAGIC_AT));
  });

  test('batches that are made anew and others enter in the order they came', async () => {
    const { name } = await createTopic(client, { configs: { 'compression.type': 'zstd' } });
    const count = 60;
    const answers = Array.from({ length: count }, (_, index) =>
      produce(client, name, coded([`${index}`, 'x'], index % 3 === 0 ? batch.CODEC.ZSTD : index % 5)),
    );
    expect((await Promise.all(answers)).map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual(
      Array.from({ length: count }, (_, index) => [0, index * 2]),
    );
    const stored = await readAll(client, name);
    expect(valuesOf(stored)).toEqual(Array.from({ length: count }, (_, index) => [`${index}`, 'x']).flat());
    expect(new Set(stored.map(({ codec }) => codec))).toEqual(new Set([batch.CODEC.ZSTD]));
  });

  test('a retry of an idempotent producer is answered with the first place, and a gap refused', async () => {
    const { name } = await createTopic(client, { configs: { 'compression.type': 'lz4' } });
    const producer = await initProducer(client);
    const send = (baseSequence: number) =>
      produce(client, name, coded(['a', 'b'], batch.CODEC.GZIP, { ...producer, baseSequence }));
    const answers = await Promise.all([send(0), send(2), send(0), send(2), send(4), send(9)]);
    expect(answers.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [ERROR.NONE, 0],
      [ERROR.NONE, 2],
      [ERROR.NONE, 0],
      [ERROR.NONE, 2],
      [ERROR.NONE, 4],
      [ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
    ]);
    expect(await readAll(client, name)).toHaveLength(3);
  });

  test('a bad batch in between holds nobody up', async () => {
    const { name } = await createTopic(client, {
      configs: { 'compression.type': 'snappy', 'max.message.bytes': '2000' },
    });
    const bomb = coded(['0'.repeat(100_000)], batch.CODEC.GZIP);
    const large = coded([Array.from({ length: 300 }, (_, index) => index * index).join()], batch.CODEC.GZIP);
    const torn = coded(['torn'], batch.CODEC.GZIP).slice(0, -1);
    const sent = [coded(['a'], 1), torn, bomb, large, coded(['b'], 2), coded(['c'], 0)];
    const answers = await Promise.all(sent.map((each) => produce(client, name, each)));
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([
      ERROR.NONE,
      ERROR.INVALID_RECORD,
      ERROR.MESSAGE_TOO_LARGE,
      ERROR.NONE,
      ERROR.NONE,
      ERROR.NONE,
    ]);
    expect((await readAll(client, name)).map(({ sizeBytes }) => sizeBytes <= 2_000)).toEqual([true, true, true, true]);
  });

  test('levels of a topic: the harder gzip tries, the smaller', async () => {
    const values = Array.from({ length: 2_000 }, (_, index) => `${index * 7_919} some text ${index % 13}`);
    const sizes: number[] = [];
    for (const level of ['1', '9']) {
      const configs = { 'compression.type': 'gzip', 'compression.gzip.level': level };
      const { name } = await createTopic(client, { configs });
      await produce(client, name, batchOf(values));
      sizes.push((await fetchBytes(client, name)).length);
    }
    expect(sizes[1]).toBeLessThan(sizes[0] as number);
  });

  test('what was stored is found by time', async () => {
    const { name } = await createTopic(client, { configs: { 'compression.type': 'zstd' } });
    const first = Date.now() - 10_000;
    const records = [0, 5, 9].map((after) => ({ timestamp: first + after, key: null, value: null }));
    await produce(client, name, batchOf(records, { codec: batch.CODEC.GZIP }));
    expect(await listOffset(client, name, first + 5)).toMatchObject({ offset: 1, timestamp: first + 5 });
    expect(await listOffset(client, name, -3)).toMatchObject({ offset: 2, timestamp: first + 9 });
  });

  describe.skipIf(!hasTool('kcat'))('kcat', () => {
    test.each(TYPES)('writes to and reads from a topic of %s', async (type) => {
      const { name } = await createTopic(client, { configs: { 'compression.type': type } });
      for (const codec of ['none', 'gzip', 'snappy', 'zstd']) {
        await kcatOk(['-P', '-b', home.address, '-t', name, '-z', codec], `${VALUES.join('\n')}\n`);
      }
      const stored = new Set((await readAll(client, name)).map(({ codec }) => codec));
      expect(stored).toEqual(new Set([TYPES.indexOf(type)]));
      const read = await kcatRead(home.address, name);
      expect(read.map(({ payload }) => payload)).toEqual([...VALUES, ...VALUES, ...VALUES, ...VALUES]);
    });
  });
});

inEveryLayout('LogAppendTime', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each([...TYPES, 'producer'])('every record has the broker time of its batch, stored as %s', async (type) => {
    const configs = { 'message.timestamp.type': 'LogAppendTime', 'compression.type': type };
    const { name } = await createTopic(client, { configs });
    const stamps: number[] = [];
    for (const codec of CODECS) {
      const records = [5, 6, 7].map((timestamp) => ({ timestamp, key: null, value: null }));
      const before = Date.now();
      const answer = await produce(client, name, batchOf(records, codec === 0 ? {} : { codec }));
      expect(answer.errorCode).toBe(0);
      expect(answer.logAppendTimeMs >= before && answer.logAppendTimeMs <= Date.now()).toBe(true);
      stamps.push(answer.logAppendTimeMs);
    }
    const batches = await readAll(client, name);
    expect(batches.map(({ records }) => records.map(({ timestamp }) => timestamp))).toEqual(
      stamps.map((stamp) => [stamp, stamp, stamp]),
    );
    expect((await listOffset(client, name, stamps[2] as number)).timestamp).toBe(stamps[2]);
    if (!hasTool('kcat')) return;
    const read = await kcatRead(home.address, name);
    expect(read.map(({ ts, tstype }) => [ts, tstype])).toEqual(
      stamps.flatMap((stamp) => Array(3).fill([stamp, 'logappend'])),
    );
  });

  test('a retry is told the time of the first try', async () => {
    const configs = { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'gzip' };
    const { name } = await createTopic(client, { configs });
    const producer = await initProducer(client);
    const sent = coded(['a'], batch.CODEC.ZSTD, { ...producer, baseSequence: 0 });
    const first = await produce(client, name, sent.slice());
    expect(await produce(client, name, sent.slice())).toMatchObject({
      errorCode: 0,
      baseOffset: first.baseOffset,
      logAppendTimeMs: first.logAppendTimeMs,
    });
  });

  test('with CreateTime the answer has none', async () => {
    const { name } = await createTopic(client);
    expect((await produce(client, name, batchOf(['a']))).logAppendTimeMs).toBe(-1);
  });
});

inEveryLayout(
  'the compression of a broker',
  (home) => {
    test('counts for topics that say nothing', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      const { name: own } = await createTopic(client, { configs: { 'compression.type': 'producer' } });
      for (const topic of [name, own]) await produce(client, topic, coded(VALUES, batch.CODEC.GZIP));
      expect((await readAll(client, name)).map(({ codec }) => codec)).toEqual([batch.CODEC.ZSTD]);
      expect((await readAll(client, own)).map(({ codec }) => codec)).toEqual([batch.CODEC.GZIP]);
      await client.close();
    });

    test('pools change their size while batches are made anew', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      const answers: Promise<number>[] = [];
      const { network, io } = { network: 2, io: 2 };
      for (let round = 0; round < 4; round++) {
        for (let index = 0; index < 20; index++) {
          answers.push(produce(client, name, coded(VALUES, index % 5)).then(({ baseOffset }) => baseOffset));
        }
        await home.broker.resize({ network: home.broker.transport === 'native' ? network : 1, io: io - (round % 2) });
      }
      const offsets = await Promise.all(answers);
      expect(offsets).toEqual(offsets.map((_, index) => index * VALUES.length));
      await client.close();
    });
  },
  { settings: { 'compression.type': 'zstd', 'compression.zstd.level': '1' } },
);
