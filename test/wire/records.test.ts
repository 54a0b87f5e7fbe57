import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import * as batch from '../../src/wire/batch.ts';
import { encodeBatch, type NewBatch, type NewRecord, readRecords } from '../../src/wire/records.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { crc32c } from './crc32c.ts';
import { readGolden } from './golden.ts';

interface GoldenBatch {
  readonly codec: number;
  readonly logAppendTime: boolean;
  readonly transactional: boolean;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly crc: number;
  readonly hex: string;
  readonly records: readonly {
    readonly timestamp: number;
    readonly key: string | null;
    readonly value: string | null;
    readonly headers: readonly { readonly key: string; readonly value: string | null }[];
  }[];
}

const goldens = readGolden<GoldenBatch>('batches.jsonl');
const kernels = { crc32c };
const fromBase64 = (text: string | null) => (text === null ? null : new Uint8Array(Buffer.from(text, 'base64')));

function recordsOf(golden: GoldenBatch): NewRecord[] {
  return golden.records.map((record) => ({
    timestamp: record.timestamp,
    key: fromBase64(record.key),
    value: fromBase64(record.value),
    headers: record.headers.map((header) => ({ key: header.key, value: fromBase64(header.value) })),
  }));
}

describe.each(goldens)('a batch that Kafka made, codec $codec, log append time $logAppendTime', (golden) => {
  const bytes = new Uint8Array(Buffer.from(golden.hex, 'hex'));
  const memory = memoryOver(bytes);
  const { view } = memory;

  test('every header field is found', () => {
    expect(batch.baseOffset(view, 0)).toBe(golden.baseOffset);
    expect(batch.sizeInBytes(view, 0)).toBe(bytes.length);
    expect(batch.batchLength(view, 0)).toBe(bytes.length - batch.LOG_OVERHEAD_BYTES);
    expect(batch.partitionLeaderEpoch(view, 0)).toBe(golden.leaderEpoch);
    expect(batch.magic(view, 0)).toBe(batch.MAGIC);
    expect(batch.crc(view, 0)).toBe(golden.crc);
    expect(batch.codec(view, 0)).toBe(golden.codec);
    expect(batch.isLogAppendTime(view, 0)).toBe(golden.logAppendTime);
    expect(batch.isTransactional(view, 0)).toBe(golden.transactional);
    expect(batch.isControl(view, 0)).toBe(false);
    expect(batch.hasDeleteHorizon(view, 0)).toBe(false);
    expect(batch.lastOffset(view, 0)).toBe(golden.lastOffset);
    expect(batch.nextOffset(view, 0)).toBe(golden.lastOffset + 1);
    expect(batch.baseTimestamp(view, 0)).toBe(golden.records[0]?.timestamp);
    expect(batch.maxTimestamp(view, 0)).toBe(golden.maxTimestamp);
    expect(batch.producerId(view, 0)).toBe(golden.producerId);
    expect(batch.producerEpoch(view, 0)).toBe(golden.producerEpoch);
    expect(batch.baseSequence(view, 0)).toBe(golden.baseSequence);
    expect(batch.recordsCount(view, 0)).toBe(golden.records.length);
  });

  test('the builder makes the same bytes', () => {
    const spec: NewBatch = {
      ...golden,
      records: recordsOf(golden),
      partitionLeaderEpoch: golden.leaderEpoch,
      ...(golden.logAppendTime ? { logAppendTimeMs: golden.maxTimestamp } : {}),
      ...(golden.codec === batch.CODEC.NONE ? {} : { compress: () => bytes.subarray(batch.HEADER_BYTES) }),
    };
    expect(Buffer.from(encodeBatch(spec, kernels)).toString('hex')).toBe(golden.hex);
  });
});

/** Snappy, LZ4 and zstd are not taken apart here: the header and the builder are checked for them above. */
const readable = goldens.filter((golden) => golden.codec <= batch.CODEC.GZIP);

test.each(readable)('records that Kafka wrote are read, codec $codec, log append time $logAppendTime', (golden) => {
  const bytes = new Uint8Array(Buffer.from(golden.hex, 'hex'));
  const payload = bytes.subarray(batch.HEADER_BYTES);
  const plain = golden.codec === batch.CODEC.GZIP ? memoryOver(new Uint8Array(gunzipSync(payload))) : undefined;
  expect(readRecords(memoryOver(bytes), 0, plain)).toEqual(
    recordsOf(golden).map((record, i) => ({
      ...record,
      offset: golden.baseOffset + i,
      timestamp: golden.logAppendTime ? golden.maxTimestamp : record.timestamp,
    })),
  );
});

const anyBytes = fc.option(fc.uint8Array({ maxLength: 200 }));
const anyRecords = fc.array(
  fc.record({
    timestamp: fc.integer({ min: -1, max: 2 ** 51 }),
    key: anyBytes,
    value: anyBytes,
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 80 }), value: anyBytes }), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
);

test('what is built is read back', () => {
  fc.assert(
    fc.property(anyRecords, fc.nat({ max: 2 ** 52 }), fc.boolean(), (records, baseOffset, gzip) => {
      const compression = { codec: batch.CODEC.GZIP, compress: (plain: Uint8Array) => new Uint8Array(gzipSync(plain)) };
      const bytes = encodeBatch({ records, baseOffset, ...(gzip ? compression : {}) }, kernels);
      const plain = gzip ? memoryOver(new Uint8Array(gunzipSync(bytes.subarray(batch.HEADER_BYTES)))) : undefined;
      const read = readRecords(memoryOver(bytes), 0, plain);
      expect(read).toEqual(records.map((record, i) => ({ ...record, offset: baseOffset + i })));
    }),
    { numRuns: 50 },
  );
});

test('damage anywhere gives records or a WireError, nothing else', () => {
  const golden = goldens[0] as GoldenBatch;
  const bytes = new Uint8Array(Buffer.from(golden.hex, 'hex'));
  let refused = 0;
  for (let at = batch.LENGTH_AT; at < bytes.length; at++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ flip;
      try {
        readRecords(memoryOver(damaged), 0);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        refused += 1;
      }
    }
  }
  expect(refused).toBeGreaterThan(50);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => readRecords(memoryOver(bytes.slice(0, length)), 0)).toThrow(WireError);
  }
});

test('a record that is not as long as it says is refused', () => {
  const value = Uint8Array.of(1, 2, 3);
  const records = [1, 2].map((timestamp) => ({ timestamp, key: null, value }));
  for (const change of [-2, 2]) {
    const bytes = encodeBatch({ records }, kernels);
    bytes[batch.HEADER_BYTES] = (bytes[batch.HEADER_BYTES] as number) + change;
    expect(() => readRecords(memoryOver(bytes), 0)).toThrow(/record\.length: record ends -?1 bytes off/);
  }
});

test('header fields are written where they are read', () => {
  const { view } = memoryOver(new Uint8Array(new SharedArrayBuffer(100)));
  const offset = 7;
  const fields = [
    [batch.setBaseOffset, batch.baseOffset, 2 ** 52 + 3],
    [batch.setBatchLength, batch.batchLength, 0x12345678],
    [batch.setPartitionLeaderEpoch, batch.partitionLeaderEpoch, -5],
    [batch.setMagic, batch.magic, 2],
    [batch.setCrc, batch.crc, 0xfedcba98],
    [batch.setAttributes, batch.attributes, 0x7c],
    [batch.setLastOffsetDelta, batch.lastOffsetDelta, 77],
    [batch.setBaseTimestamp, batch.baseTimestamp, -1],
    [batch.setMaxTimestamp, batch.maxTimestamp, -(2 ** 40)],
    [batch.setProducerId, batch.producerId, 2 ** 33],
    [batch.setProducerEpoch, batch.producerEpoch, -1],
    [batch.setBaseSequence, batch.baseSequence, 0x7fffffff],
    [batch.setRecordsCount, batch.recordsCount, 78],
  ] as const;
  for (const [set, , value] of fields) set(view, offset, value);
  for (const [, get, value] of fields) expect(get(view, offset)).toBe(value);
  expect(batch.sizeInBytes(view, offset)).toBe(0x12345678 + 12);
  expect([batch.isTransactional, batch.isControl, batch.isLogAppendTime].map((is) => is(view, offset))).toEqual([
    true,
    true,
    true,
  ]);
  expect(batch.codec(view, offset)).toBe(batch.CODEC.ZSTD);
});
