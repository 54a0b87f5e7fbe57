/** Retention by time and by size: whole log files go, either limit is enough, readers find where the rest begins. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { eventually, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { change, DONE, SET, TOPIC } from '../kit/configs.ts';
import { kcatOk } from '../kit/kcat.ts';
import { type BatchOptions, batchOf } from '../kit/records.ts';
import { createTopic, fetch, listOffset, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const MIB = 1_048_576;
const DAY_MS = 86_400_000;
const SETTINGS = { 'log.retention.check.interval.ms': '1' };
const SEGMENTS = { 'segment.bytes': String(MIB), 'file.delete.delay.ms': '0' };

/** One record of half a segment. */
function half(timestamp: number, options: BatchOptions = {}): Uint8Array {
  return batchOf([{ timestamp, key: null, value: new Uint8Array(500_000) }], options);
}

inEveryLayout(
  'retention',
  (home) => {
    let client: RawClient;
    beforeAll(async () => {
      client = await RawClient.connect(home.port);
    });
    afterAll(() => client.close());

    function logs(topic: string): { offset: number; bytes: number }[] {
      const directory = join(home.directory, `${topic}-0`);
      return readdirSync(directory)
        .filter((name) => name.endsWith('.log'))
        .sort()
        .map((name) => ({ offset: Number.parseInt(name, 10), bytes: statSync(join(directory, name)).size }));
    }

    /** Nothing is too old before all of it is there: a look in between would find another log. */
    const KEPT = { ...SEGMENTS, 'retention.ms': '-1' };
    const age = async (topic: string) =>
      expect(await change(client, TOPIC, topic, [['retention.ms', SET, String(DAY_MS)]])).toEqual(DONE);

    const startOf = async (topic: string) => (await listOffset(client, topic, -2)).offset;

    /** Whoever reads from before the start is told so, and a consumer that resets goes on where the records begin. */
    async function expectReset(topic: string, start: number, end: number): Promise<void> {
      const below = await fetch(client, topic, { offset: start - 1 });
      expect(below).toMatchObject({ errorCode: ERROR.OFFSET_OUT_OF_RANGE, bytes: 0 });
      expect(await listOffset(client, topic, -1)).toMatchObject({ errorCode: 0, offset: end });
      const left = Array.from({ length: end - start }, (_, index) => start + index);
      const batches = await readAll(client, topic, { offset: start });
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual(left);
      if (!hasTool('kcat')) return;
      const words = ['-C', '-b', home.address, '-t', topic, '-p', '0', '-e', '-q', '-f', '%o\n'];
      for (const from of [
        ['-o', 'beginning'],
        ['-o', '0', '-X', 'topic.auto.offset.reset=earliest'],
      ]) {
        const text = await kcatOk([...words, ...from, '-X', 'fetch.wait.max.ms=20']);
        expect(text.trim().split('\n').map(Number)).toEqual(left);
      }
    }

    test('S140: log files older than retention.ms go, the start moves, a consumer resets', async () => {
      const { name } = await createTopic(client, { configs: { ...SEGMENTS, 'retention.ms': String(DAY_MS) } });
      const now = Date.now();
      for (let i = 0; i < 3; i++) await produce(client, name, half(now - 1_000));
      expect(await startOf(name)).toBe(0);
      const old = await createTopic(client, { configs: KEPT });
      for (let i = 0; i < 6; i++) await produce(client, old.name, half(now - 2 * DAY_MS));
      for (let i = 0; i < 3; i++) await produce(client, old.name, half(now));
      await age(old.name);
      expect(
        await eventually(
          () => startOf(old.name),
          (start) => start === 6,
        ),
      ).toBe(6);
      expect(
        (
          await eventually(
            () => logs(old.name),
            (files) => files.length === 2,
          )
        ).map(({ offset }) => offset),
      ).toEqual([6, 8]);
      await expectReset(old.name, 6, 9);
      expect([await startOf(name), logs(name).length]).toEqual([0, 2]);
    });

    test('S140: log files beyond retention.bytes go, the size stays near it', async () => {
      const limit = 2 * MIB;
      const { name } = await createTopic(client, { configs: { ...SEGMENTS, 'retention.bytes': String(limit) } });
      const sizeOf = () => logs(name).reduce((sum, { bytes }) => sum + bytes, 0);
      for (let round = 1; round <= 3; round++) {
        for (let i = 0; i < 8; i++) await produce(client, name, half(Date.now()));
        const size = await eventually(sizeOf, (bytes) => bytes < limit + MIB);
        expect(size).toBeLessThan(limit + MIB);
        expect(size).toBeGreaterThanOrEqual(limit - MIB);
        const start = logs(name)[0]?.offset as number;
        expect(start).toBeGreaterThan((round - 1) * 8);
        expect(await startOf(name)).toBe(start);
        await expectReset(name, start, round * 8);
      }
    });

    test('S140: with both limits either one is enough', async () => {
      const { name } = await createTopic(client, { configs: { ...KEPT, 'retention.bytes': String(3 * MIB) } });
      const now = Date.now();
      for (let i = 0; i < 2; i++) await produce(client, name, half(now - 2 * DAY_MS));
      for (let i = 0; i < 2; i++) await produce(client, name, half(now));
      await age(name);
      expect(
        await eventually(
          () => startOf(name),
          (start) => start === 2,
        ),
      ).toBe(2);
      for (let i = 0; i < 8; i++) await produce(client, name, half(now));
      // Five log files of a megabyte are left, one of them too many.
      expect(
        await eventually(
          () => startOf(name),
          (start) => start === 4,
        ),
      ).toBe(4);
      await expectReset(name, 4, 12);
    });

    test('S141: an old record in a log file with a younger one stays readable', async () => {
      const { name } = await createTopic(client, { configs: KEPT });
      const now = Date.now();
      // Segments of two: old and old, old and young, young alone.
      for (const days of [3, 3, 3, 0, 0]) await produce(client, name, half(now - days * DAY_MS));
      await age(name);
      expect(
        await eventually(
          () => startOf(name),
          (start) => start === 2,
        ),
      ).toBe(2);
      await expectReset(name, 2, 5);
      const [kept] = (await fetch(client, name, { offset: 2 })).batches;
      expect(kept?.records[0]?.timestamp).toBe(now - 3 * DAY_MS);
    });

    test('S141: an active log file whose records are all too old is rolled and goes, offsets go on', async () => {
      const { name } = await createTopic(client, { configs: { ...SEGMENTS, 'retention.ms': String(DAY_MS) } });
      const past = Date.now() - 2 * DAY_MS;
      for (let i = 0; i < 3; i++) await produce(client, name, half(past));
      expect(
        await eventually(
          () => startOf(name),
          (start) => start === 3,
        ),
      ).toBe(3);
      expect(
        await eventually(
          () => logs(name),
          (files) => files.length === 1,
        ),
      ).toEqual([{ offset: 3, bytes: 0 }]);
      expect(await fetch(client, name, { offset: 2 })).toMatchObject({ errorCode: ERROR.OFFSET_OUT_OF_RANGE });
      expect(await fetch(client, name, { offset: 3 })).toMatchObject({ errorCode: 0, highWatermark: 3, bytes: 0 });
      expect(await listOffset(client, name, 0)).toMatchObject({ errorCode: 0, offset: -1 });
      expect(await produce(client, name, half(Date.now()))).toMatchObject({ errorCode: 0, baseOffset: 3 });
      await expectReset(name, 3, 4);
    });
  },
  { settings: SETTINGS },
);
