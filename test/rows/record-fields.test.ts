/** Keys, values, headers and timestamps of records, through the clients that people use, in every compression. */
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewRecord } from '../../src/wire/records.ts';
import { inEveryLayout, ONE_THREAD, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kafkajsBroker, readPartition } from '../kit/kafkajs-broker.ts';
import '../kit/kafkajs-codecs.ts';
import { kcatOk, kcatRead } from '../kit/kcat.ts';
import { batchOf, textOf, utf8 } from '../kit/records.ts';
import { createTopic, freshTopic, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const LONG = 'long '.repeat(300);

/** Key, value and headers in every shape that they may have. */
const SHAPES: readonly (Omit<NewRecord, 'timestamp'> & { readonly about: string })[] = [
  { about: 'a key and a value', key: utf8('k'), value: utf8(LONG) },
  { about: 'no key', key: null, value: utf8('v') },
  { about: 'a tombstone', key: utf8('k'), value: null },
  { about: 'an empty key', key: utf8(''), value: utf8('v') },
  { about: 'an empty value', key: utf8('k'), value: utf8('') },
  { about: 'nothing at all', key: null, value: null },
  { about: 'headers', key: utf8('k'), value: utf8('v'), headers: [{ key: 'k', value: utf8('v') }] },
  {
    about: 'a header twice, an empty one and one of null',
    key: utf8('k'),
    value: utf8('v'),
    headers: [
      { key: 'k', value: utf8('1') },
      { key: 'k', value: utf8('2') },
      { key: 'empty', value: utf8('') },
      { key: 'null', value: null },
    ],
  },
];

describe.skipIf(!hasTool('kcat'))('record fields', () => {
  inEveryLayout(
    'records',
    (home) => {
      let client: RawClient;
      beforeAll(async () => {
        client = await RawClient.connect(home.port);
      });
      afterAll(() => client.close());

      test.each(CODECS)('S023: every shape of record comes back, compression %s', async (name) => {
        const codec = CODECS.indexOf(name);
        const { name: topic } = await createTopic(client);
        const first = Date.now() - 10_000;
        const records = SHAPES.map(({ about: _, ...shape }, index) => ({ ...shape, timestamp: first + index * 3 }));
        expect((await produce(client, topic, batchOf(records, codec === 0 ? {} : { codec }))).errorCode).toBe(0);

        const own = (await readAll(client, topic)).flatMap((each) => each.records);
        expect(own).toEqual(records.map((record, offset) => ({ headers: [], ...record, offset })));

        const messages = await kcatRead(home.address, topic);
        expect(
          messages.map(({ key, payload, ts, tstype, headers = [] }) => [key, payload, ts, tstype, headers]),
        ).toEqual(
          records.map(({ key, value, timestamp, headers = [] }) => [
            textOf(key),
            textOf(value),
            timestamp,
            'create',
            headers.flatMap((header) => [header.key, textOf(header.value)]),
          ]),
        );

        const broker = kafkajsBroker(home.port);
        await broker.connect();
        const read = await readPartition(broker, topic);
        await broker.disconnect();
        expect(read.map(({ key, value, timestamp }) => [key?.toString(), value?.toString(), timestamp])).toEqual(
          records.map(({ key, value, timestamp }) => [
            textOf(key) ?? undefined,
            textOf(value) ?? undefined,
            String(timestamp),
          ]),
        );
      });

      test.each(CODECS)('S023: kcat -K: -H sends keys and headers, compression %s', async (codec) => {
        const topic = freshTopic('fields');
        const before = Date.now();
        const words = ['-P', '-b', home.address, '-t', topic, '-z', codec, '-K:', '-Z', '-H', 'k=v'];
        await kcatOk(words, `one:${LONG}\n:no key\ntombstone:\n`);
        const messages = await kcatRead(home.address, topic);
        expect(messages.map(({ key, payload, headers }) => [key, payload, headers])).toEqual([
          ['one', LONG, ['k', 'v']],
          [null, 'no key', ['k', 'v']],
          ['tombstone', null, ['k', 'v']],
        ]);
        for (const { ts } of messages) expect(ts >= before && ts <= Date.now()).toBe(true);
      });

      test.each(CODECS)('S023: kafkajs sends keys, headers and timestamps, compression %s', async (name) => {
        const topic = freshTopic('fields');
        const producer = new Kafka({
          clientId: 'fields',
          brokers: [home.address],
          logLevel: logLevel.NOTHING,
        }).producer();
        await producer.connect();
        const timestamp = String(Date.now() - 5_000);
        const messages = [
          { key: 'k', value: LONG, headers: { a: '1', b: Buffer.from([0, 255]) }, timestamp },
          { key: null, value: 'no key', timestamp },
          { key: 'tombstone', value: null, timestamp },
          { key: '', value: '', timestamp },
        ];
        await producer.send({ topic, messages, compression: CODECS.indexOf(name), acks: -1 });
        await producer.disconnect();
        const batches = await readAll(client, topic);
        expect(batches.map(({ codec }) => codec)).toEqual([CODECS.indexOf(name)]);
        const records = batches.flatMap((each) => each.records);
        expect(records.map(({ key, value, timestamp: at }) => [textOf(key), textOf(value), String(at)])).toEqual(
          messages.map(({ key, value }) => [key, value, timestamp]),
        );
        expect(records[0]?.headers).toEqual([
          { key: 'a', value: utf8('1') },
          { key: 'b', value: new Uint8Array([0, 255]) },
        ]);
      });
    },
    {},
    [ONE_THREAD, TWO_BY_THREE],
  );
});
