/**
 * Record sections with one number wrong, and ones that grow beyond measure once they are opened: refused by name, each where
 * it is looked at (uncompressed, compressed and checked in full, compacted, recompressed), and the next batch is taken.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CODEC } from '../../src/wire/batch.ts';
import { compress } from '../../src/wire/compression.ts';
import { DECOMPRESSED_BYTES_MIN } from '../../src/wire/decompress-batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { inEveryLayout, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, sealedBatch, utf8 } from '../kit/records.ts';
import { createTopic, listOffset, produce } from '../kit/requests.ts';

/** One record, number by number: 'k' and 'v' with one header 'h', 'w'. All lengths take one byte. */
const RECORD = {
  length: [28],
  attributes: [0],
  'timestamp delta': [0],
  'offset delta': [0],
  'key length': [2],
  key: [0x6b],
  'value length': [2],
  value: [0x76],
  'headers count': [2],
  "a header's key length": [2],
  "header's key": [0x68],
  "a header's value length": [2],
  "header's value": [0x77],
} as const;

type Part = keyof typeof RECORD;

/** Varints of 32 bits, zigzag: as bytes on the wire. */
const WRONG = {
  'one more': [4],
  'minus two': [3],
  'a length far beyond the record': [0xfe, 0xff, 0x01],
  'the largest': [0xfe, 0xff, 0xff, 0xff, 0x0f],
  'the smallest': [0xff, 0xff, 0xff, 0xff, 0x0f],
  'more than 32 bits': [0xff, 0xff, 0xff, 0xff, 0x7f],
  'without an end': [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
} as const;

const LENGTHS: readonly Part[] = [
  'length',
  'key length',
  'value length',
  'headers count',
  "a header's key length",
  "a header's value length",
];

/** The record with some of its parts replaced, its own length right unless that is one of them. */
function recordOf(changes: Partial<Record<Part, readonly number[]>>): Uint8Array {
  const parts = { ...RECORD, ...changes };
  const { length, ...rest } = parts;
  const body = Object.values(rest).flat();
  return Uint8Array.from([...(changes.length ?? [body.length * 2]), ...body]);
}

const CASES: [string, Uint8Array][] = [
  ...LENGTHS.flatMap((part) =>
    Object.entries(WRONG).map(([how, bytes]): [string, Uint8Array] => [`${part}: ${how}`, recordOf({ [part]: bytes })]),
  ),
  ["a header's key length: null", recordOf({ "a header's key length": [1] })],
  ['headers count: null', recordOf({ 'headers count': [1] })],
  ['offset delta: more than 32 bits', recordOf({ 'offset delta': WRONG['more than 32 bits'] })],
  ['timestamp delta: without an end', recordOf({ 'timestamp delta': WRONG['without an end'] })],
  ['nothing', new Uint8Array(0)],
  ['a length alone', Uint8Array.of(28)],
];

const PLACES = [
  ['uncompressed', {}, CODEC.NONE],
  ['compressed', {}, CODEC.LZ4],
  ['compressed where the topic is compacted', { 'cleanup.policy': 'compact' }, CODEC.SNAPPY],
  ['compressed in another way than the topic', { 'compression.type': 'zstd' }, CODEC.GZIP],
  ['to be compressed', { 'compression.type': 'gzip' }, CODEC.NONE],
] as const;

inEveryLayout(
  'record sections',
  (home) => {
    let client: RawClient;
    beforeAll(async () => {
      client = await RawClient.connect(home.port);
    });
    afterAll(() => client.close());

    test.each(PLACES)('with a number wrong, %s', async (_, configs, codec) => {
      const { name } = await createTopic(client, { configs });
      const codes: [string, number][] = [];
      for (const [title, record] of CASES) {
        const section = codec === CODEC.NONE ? record : compress(codec, record);
        codes.push([title, (await produce(client, name, sealedBatch(section, { codec }))).errorCode]);
      }
      expect(codes).toEqual(CASES.map(([title]) => [title, ERROR.INVALID_RECORD]));
      expect((await listOffset(client, name, -1)).offset).toBe(0);
      const sound = codec === CODEC.NONE ? recordOf({}) : compress(codec, recordOf({}));
      expect((await produce(client, name, sealedBatch(sound, { codec }))).errorCode).toBe(ERROR.NONE);
    });

    test.each(PLACES.slice(1, 4))('that grow beyond measure, %s', async (_, configs) => {
      const { name } = await createTopic(client, { configs });
      const zeros = new Uint8Array(DECOMPRESSED_BYTES_MIN + 1);
      for (const codec of [CODEC.GZIP, CODEC.LZ4, CODEC.ZSTD]) {
        const bomb = sealedBatch(compress(codec, zeros), { codec });
        const sound = batchOf([{ timestamp: Date.now(), key: utf8('k'), value: utf8('v') }], { codec });
        const [refused, taken] = await Promise.all([produce(client, name, bomb), produce(client, name, sound)]);
        expect([refused.errorCode, taken.errorCode]).toEqual([ERROR.CORRUPT_MESSAGE, ERROR.NONE]);
      }
    });
  },
  { settings: { 'compressed.batch.validation': 'full' } },
  [ONE_THREAD],
);
