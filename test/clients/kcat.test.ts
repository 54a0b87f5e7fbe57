/** kcat, and with it librdkafka: produces, consumes and asks for metadata. */
import { describe, expect, test } from 'vitest';
import { CODEC } from '../../src/wire/batch.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kcat, kcatOk, kcatRead } from '../kit/kcat.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

describe.skipIf(!hasTool('kcat'))('kcat', () => {
  inEveryLayout('produces and consumes', (home) => {
    test.each(CODECS)('compression %s', async (codec) => {
      const topic = freshTopic(`codec-${codec}`);
      const lines = Array.from({ length: 500 }, (_, index) => `value ${index} ${'abc'.repeat(index % 50)}`);
      await kcatOk(['-P', '-b', home.address, '-t', topic, '-z', codec], `${lines.join('\n')}\n`);
      const messages = await kcatRead(home.address, topic);
      expect(messages.map(({ payload }) => payload)).toEqual(lines);
      expect(messages.map(({ offset }) => offset)).toEqual(lines.map((_, index) => index));
      const client = await RawClient.connect(home.port);
      const stored = new Set((await readAll(client, topic)).map((batch) => batch.codec));
      await client.close();
      // A batch that would grow by compression is sent as it is.
      stored.delete(CODEC.NONE);
      expect([...stored]).toEqual(codec === 'none' ? [] : [CODECS.indexOf(codec)]);
    });

    test.each(CODECS)('reads batches of compression %s', async (codec) => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      const values = Array.from({ length: 200 }, (_, index) => `value ${index} ${'abc'.repeat(index % 50)}`);
      await produce(client, name, batchOf(values, codec === 'none' ? {} : { codec: CODECS.indexOf(codec) }));
      await client.close();
      expect((await kcatRead(home.address, name)).map(({ payload }) => payload)).toEqual(values);
    });

    test('keys, nulls, empty values and headers', async () => {
      const topic = freshTopic('shapes');
      const words = ['-P', '-b', home.address, '-t', topic, '-K', ':', '-Z', '-H', 'trace=1', '-H', 'empty='];
      await kcatOk(words, 'one:1\ntwo:\n:three\n');
      const messages = await kcatRead(home.address, topic);
      // -Z: what is empty is sent as null.
      expect(messages.map(({ key, payload }) => [key, payload])).toEqual([
        ['one', '1'],
        ['two', null],
        [null, 'three'],
      ]);
      for (const { headers } of messages) expect(headers).toEqual(['trace', '1', 'empty', '']);
      const emptied = freshTopic('shapes');
      await kcatOk(['-P', '-b', home.address, '-t', emptied, '-K', ':'], 'k:\n:v\n');
      const kept = await kcatRead(home.address, emptied);
      expect(kept.map(({ key, payload }) => [key, payload])).toEqual([
        ['k', ''],
        ['', 'v'],
      ]);
    });

    test('timestamps are the time of producing, and find their offset', async () => {
      const topic = freshTopic('times');
      const before = Date.now();
      await kcatOk(['-P', '-b', home.address, '-t', topic], 'a\nb\n');
      const [first] = await kcatRead(home.address, topic);
      expect(first?.tstype).toBe('create');
      expect(first?.ts).toBeGreaterThanOrEqual(before);
      expect(first?.ts).toBeLessThanOrEqual(Date.now());
      const found = await kcatOk(['-Q', '-b', home.address, '-t', `${topic}:0:${before}`]);
      expect(found).toContain(`${topic} [0] offset 0`);
      const end = await kcatOk(['-Q', '-b', home.address, '-t', `${topic}:0:-1`]);
      expect(end).toContain(`${topic} [0] offset 2`);
    });

    test('all partitions of a topic', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client, { partitions: 6 });
      await client.close();
      for (let partition = 0; partition < 6; partition++) {
        await kcatOk(['-P', '-b', home.address, '-t', name, '-p', String(partition)], `in ${partition}\n`);
      }
      const words = ['-C', '-b', home.address, '-t', name, '-o', 'beginning', '-e', '-q', '-f', '%p %s\n'];
      const lines = (await kcatOk(words)).trim().split('\n').sort();
      expect(lines).toEqual(Array.from({ length: 6 }, (_, partition) => `${partition} in ${partition}`));
    });

    test('idempotent, one request at a time or five', async () => {
      const topic = freshTopic('idempotent');
      const lines = Array.from({ length: 2000 }, (_, index) => `value ${index}`);
      const words = [
        '-P',
        '-b',
        home.address,
        '-t',
        topic,
        '-X',
        'enable.idempotence=true',
        '-X',
        'batch.num.messages=50',
      ];
      await kcatOk(words, `${lines.join('\n')}\n`);
      expect((await kcatRead(home.address, topic)).map(({ payload }) => payload)).toEqual(lines);
    });

    test('large messages', async () => {
      const topic = freshTopic('large');
      const line = 'x'.repeat(900_000);
      await kcatOk(['-P', '-b', home.address, '-t', topic], `${line}\n${line}\n`);
      const messages = await kcatRead(home.address, topic);
      expect(messages.map(({ payload }) => payload === line)).toEqual([true, true]);
    });

    test('metadata names the broker and its topics', async () => {
      const topic = freshTopic('named');
      await kcatOk(['-P', '-b', home.address, '-t', topic], 'a\n');
      const listed = JSON.parse(await kcatOk(['-L', '-b', home.address, '-J']));
      expect(listed.brokers).toEqual([{ id: 0, name: home.address }]);
      expect(listed.controllerid).toBe(0);
      const [found] = listed.topics.filter((one: { topic: string }) => one.topic === topic);
      expect(found.partitions).toEqual([{ partition: 0, leader: 0, replicas: [{ id: 0 }], isrs: [{ id: 0 }] }]);
    });

    test('a topic that is not there', async () => {
      const { code, stderr } = await kcat(['-C', '-b', home.address, '-t', freshTopic('nowhere'), '-p', '7', '-e']);
      expect(code).not.toBe(0);
      expect(stderr).toContain('Unknown topic or partition');
    });
  });
});
