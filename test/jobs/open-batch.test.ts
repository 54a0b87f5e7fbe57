/** The job that opens a batch: every codec into every other, what is kept of the header, what is refused. */
import { describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { openBatch } from '../../src/jobs/open-batch.ts';
import type { OpenedBatch, Opening } from '../../src/log/admission.ts';
import { RECORD_FAULT } from '../../src/log/record-faults.ts';
import * as batch from '../../src/wire/batch.ts';
import { compress } from '../../src/wire/compression.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { encodeBatch, type NewBatch, type NewRecord } from '../../src/wire/records.ts';
import { batchOf, kernels, readBatches, utf8 } from '../kit/records.ts';

const NOW = 1_700_000_000_000;
/** Where the batch lies in what was received. */
const OFFSET = 1_001;
const { NONE, GZIP, ZSTD } = batch.CODEC;

const AS_IT_IS: Omit<Opening, 'codec'> = {
  level: undefined,
  bytesMax: 1_000_000,
  needKeys: false,
  timestamps: { oldest: 0, newest: NOW + 1_000 },
};

const RECORDS: readonly NewRecord[] = [
  { timestamp: NOW, key: utf8('a'), value: utf8('x'.repeat(500)), headers: [{ key: 'trace', value: utf8('1') }] },
  { timestamp: NOW + 7, key: null, value: utf8('') },
  { timestamp: NOW - 5, key: utf8(''), value: null, headers: [{ key: '', value: null }] },
];

function open(bytes: Uint8Array, opening: Partial<Opening> & { codec: number }): OpenedBatch {
  const memory = new SharedArrayBuffer(OFFSET + bytes.length + 50);
  new Uint8Array(memory).set(bytes, OFFSET);
  return openBatch({ memory, offset: OFFSET, length: bytes.length, opening: { ...AS_IT_IS, ...opening } });
}

function made(opened: OpenedBatch): Uint8Array {
  expect(opened).toMatchObject({ error: ERROR.NONE, fault: RECORD_FAULT.NONE, record: -1 });
  if (opened.bytes === null) throw new Error('nothing was made');
  return new Uint8Array(opened.bytes).slice();
}

function packed(codec: number, spec: Partial<NewBatch> = {}, change = (plain: Uint8Array) => plain): Uint8Array {
  const pack = (plain: Uint8Array) => (codec === NONE ? change(plain) : compress(codec, change(plain)));
  return encodeBatch({ records: RECORDS, codec, compress: pack, ...spec }, kernels);
}

const CODECS = Object.entries(batch.CODEC);
const PAIRS = CODECS.flatMap(([from, a]) => CODECS.map(([to, b]) => ({ from, to, a, b })));

describe.each(PAIRS)('$from to $to', ({ a, b }) => {
  test('records, producer and attributes are kept', () => {
    const producer = { producerId: 77, producerEpoch: 3, baseSequence: 12 };
    const sent = packed(a, producer);
    const opened = open(sent, { codec: b });
    if (a === b) {
      expect(opened).toEqual({ error: ERROR.NONE, fault: RECORD_FAULT.NONE, record: -1, bytes: null });
      return;
    }
    const memory = memoryOver(made(opened));
    const [read] = readBatches(memory, 0, memory.bytes.length);
    expect(read).toMatchObject({ codec: b, lastOffset: 2, sizeBytes: memory.bytes.length });
    expect(read?.records).toEqual(RECORDS.map((record, offset) => ({ headers: [], ...record, offset })));
    const { view } = memory;
    expect([batch.producerId(view, 0), batch.producerEpoch(view, 0), batch.baseSequence(view, 0)]).toEqual([77, 3, 12]);
    expect([batch.baseTimestamp(view, 0), batch.maxTimestamp(view, 0)]).toEqual([NOW, NOW + 7]);
    expect(batch.attributes(view, 0)).toBe(b);
  });
});

describe('a batch made anew', () => {
  test('levels count: gzip and zstd', () => {
    const records = Array.from({ length: 300 }, (_, i) => ({ timestamp: NOW, key: null, value: utf8(`${i * i} abc`) }));
    const sent = packed(NONE, { records });
    const size = (codec: number, level: number) => made(open(sent, { codec, level })).length;
    expect(size(GZIP, 9)).toBeLessThan(size(GZIP, 1));
    expect(size(ZSTD, 19)).toBeLessThan(size(ZSTD, -50));
  });

  test('has dense offset deltas, whatever the producer wrote', () => {
    const one = [{ timestamp: NOW, key: utf8('k'), value: utf8('v'.repeat(90)) }];
    // Two bytes of length, one of attributes, one of the timestamp delta, then the offset delta.
    const sent = packed(NONE, { records: one }, (plain) => plain.map((byte, at) => (at === 4 ? 14 : byte)));
    const memory = memoryOver(made(open(sent, { codec: GZIP })));
    const [read] = readBatches(memory, 0, memory.bytes.length);
    expect(read?.records.map(({ offset }) => offset)).toEqual([0]);
    expect(open(sent, { codec: NONE }).error, 'kept as it came it is refused').toBe(ERROR.INVALID_RECORD);
  });

  test('says the largest timestamp of its records', () => {
    const sent = packed(GZIP);
    batch.setMaxTimestamp(memoryOver(sent).view, 0, NOW + 900_000);
    const { view } = memoryOver(made(open(sent, { codec: GZIP })));
    expect(batch.maxTimestamp(view, 0)).toBe(NOW + 7);
  });

  test('fits: one byte more than the largest batch is refused', () => {
    const sent = packed(GZIP);
    const { length } = made(open(sent, { codec: NONE }));
    expect(made(open(sent, { codec: NONE, bytesMax: length }))).toHaveLength(length);
    expect(open(sent, { codec: NONE, bytesMax: length - 1 })).toMatchObject({
      error: ERROR.MESSAGE_TOO_LARGE,
      bytes: null,
    });
  });
});

describe.each(CODECS)('refuses, from %s', (_name, from) => {
  const codec = from === ZSTD ? GZIP : ZSTD;

  test('a record without a key, by its number', () => {
    expect(open(packed(from), { codec, needKeys: true })).toEqual({
      error: ERROR.INVALID_RECORD,
      fault: RECORD_FAULT.NO_KEY,
      record: 1,
      bytes: null,
    });
  });

  test('timestamps out of range, by the number of the first', () => {
    const late = { error: ERROR.INVALID_TIMESTAMP, fault: RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE, bytes: null };
    expect(open(packed(from), { codec, timestamps: { oldest: 0, newest: NOW + 6 } })).toEqual({ ...late, record: 1 });
    expect(open(packed(from), { codec, timestamps: { oldest: NOW, newest: NOW + 7 } })).toEqual({ ...late, record: 2 });
    expect(open(packed(from), { codec, timestamps: { oldest: NOW - 5, newest: NOW + 7 } }).error).toBe(ERROR.NONE);
    expect(open(packed(from), { codec, timestamps: null }).error, 'the broker stamps').toBe(ERROR.NONE);
    const timeless = packed(from, { records: [{ timestamp: -1, key: null, value: null }] });
    expect(open(timeless, { codec, timestamps: { oldest: NOW, newest: NOW } }).error, 'none').toBe(ERROR.NONE);
  });

  test('records that are cut short or too many', () => {
    const short = packed(from, {}, (plain) => plain.slice(0, -1));
    expect(open(short, { codec }).error).toBe(ERROR.INVALID_RECORD);
    const more = packed(from, {}, (plain) => Uint8Array.from([...plain, 0]));
    expect(open(more, { codec }).error).toBe(ERROR.INVALID_RECORD);
  });
});

test.each(CODECS.filter(([, codec]) => codec !== NONE))('refuses what is not %s', (_name, from) => {
  const garbage = packed(from, { compress: () => new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9, 9, 9]) });
  expect(open(garbage, { codec: NONE }).error).toBe(ERROR.CORRUPT_MESSAGE);
  expect(open(garbage, { codec: from }).error).toBe(ERROR.CORRUPT_MESSAGE);
});

test('what came is left as it is', () => {
  const sent = batchOf(['a', 'b'], { codec: GZIP });
  const memory = new SharedArrayBuffer(sent.length);
  new Uint8Array(memory).set(sent);
  openBatch({ memory, offset: 0, length: sent.length, opening: { ...AS_IT_IS, timestamps: null, codec: ZSTD } });
  expect(new Uint8Array(memory).slice()).toEqual(sent);
});
