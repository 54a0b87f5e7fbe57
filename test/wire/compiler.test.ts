import { describe, expect, test } from 'vitest';
import { BrokenInvariant } from '../../src/base/assert.ts';
import { memoryOver } from '../../src/base/memory.ts';
import { requestReader, requestWriter, responseReader, responseWriter } from '../../src/wire/compiler.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Reader } from '../../src/wire/reader.ts';
import {
  api,
  array,
  boolean,
  bytes,
  float64,
  int8,
  int32,
  int64,
  type RequestInput,
  type RequestOf,
  rawInt64,
  saturatingInt64,
  string,
  struct,
  uint16,
  uuid,
} from '../../src/wire/schema.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { Writer } from '../../src/wire/writer.ts';

/** Every word of the vocabulary once, over three versions: 0 plain, 1 with more fields, 2 flexible. */
const Sample = api({
  key: 900,
  name: 'Sample',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    flag: boolean({ default: true }),
    port: uint16(),
    ratio: float64({ since: 1, ignorable: true }),
    opaque: rawInt64({ since: 1, default: -1n, ignorable: true }),
    far: saturatingInt64(),
    blob: bytes(),
    maybeBlob: bytes({ nullableFrom: 1, default: null, since: 1, ignorable: true }),
    inner: struct({ a: int8(), list: array(array(int32())) }),
    maybeInner: struct(
      { b: int32(), c: string({ since: 2, ignorable: true }) },
      { since: 1, nullableFrom: 1, default: null },
    ),
    strict: int32({ since: 1, until: 1, default: 5 }),
    moved: string({ taggedFrom: 2, tag: 3, nullableFrom: 0, default: null }),
    tagged: struct({ x: int32({ default: 7 }), y: int64({ default: -1 }) }, { since: 2, tag: 0 }),
    maybeTagged: struct({ z: uuid() }, { since: 2, tag: 1, nullableFrom: 2, default: null }),
  },
  response: {},
});

const value: RequestOf<typeof Sample> = {
  flag: false,
  port: 65_535,
  ratio: -0.5,
  opaque: -(2n ** 63n),
  far: Number.MAX_SAFE_INTEGER,
  blob: Uint8Array.of(1, 2, 3),
  maybeBlob: null,
  inner: { a: -128, list: [[1], [], [2, 3]] },
  maybeInner: { b: 9, c: 'later' },
  strict: 5,
  moved: null,
  tagged: { x: 7, y: -1 },
  maybeTagged: null,
};

function write(version: number, input: RequestInput<typeof Sample>): string {
  const writer = new Writer();
  requestWriter(Sample, version)(writer, input);
  return Buffer.from(writer.memory.bytes.subarray(0, writer.offset)).toString('hex');
}

function readerOver(hex: string): Reader {
  const all = new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const reader = new Reader();
  reader.reset(memoryOver(all), 0, all.length);
  return reader;
}

const read = (version: number, hex: string) => requestReader(Sample, version)(readerOver(hex));

describe('the vocabulary, byte by byte', () => {
  test('version 0: only what it carries', () => {
    const hex =
      '00 ffff 7fffffffffffffff 00000003010203 80 00000003 00000001 00000001 00000000 00000002 00000002 00000003 ffff';
    const plain = { ...value, maybeInner: null };
    expect(write(0, plain)).toBe(hex.replaceAll(' ', ''));
    expect(read(0, hex)).toEqual({ ...plain, ratio: 0, opaque: -1n });
  });

  test('version 1: nullable struct with its mark', () => {
    const head = '00 ffff bfe0000000000000 8000000000000000 7fffffffffffffff 00000003010203 ffffffff 80 00000000';
    const bare = { ...value, inner: { a: -128, list: [] }, moved: 'm' };
    expect(write(1, { ...bare, strict: 6 })).toBe(`${head} 01 00000009 00000006 0001 6d`.replaceAll(' ', ''));
    expect(read(1, `${head} 01 00000009 00000006 0001 6d`)).toEqual({
      ...bare,
      maybeInner: { b: 9, c: '' },
      strict: 6,
    });
    expect(read(1, `${head} ff 00000006 0001 6d`)).toEqual({ ...bare, maybeInner: null, strict: 6 });
    expect(write(1, { ...bare, maybeInner: null, strict: 6 })).toBe(`${head} ff 00000006 0001 6d`.replaceAll(' ', ''));
  });

  test('version 2: compact lengths, tags in order and only where they differ', () => {
    const head = '00 ffff bfe0000000000000 8000000000000000 7fffffffffffffff 04010203 00 80 01 00 ff';
    const bare = { ...value, inner: { a: -128, list: [] }, maybeInner: null };
    expect(write(2, bare)).toBe(`${head} 00`.replaceAll(' ', ''));
    const full = { ...bare, moved: 'm', tagged: { x: 7, y: 8 }, maybeTagged: { z: 'abcdefghijklmnop' } };
    const tags = '03 00 0d 00000007 0000000000000008 00 01 12 01 6162636465666768696a6b6c6d6e6f70 00 03 02 02 6d';
    expect(write(2, full)).toBe(`${head} ${tags}`.replaceAll(' ', ''));
    expect(read(2, `${head} ${tags}`)).toEqual(full);
  });

  test('tagged fields may be left out in writing', () => {
    const { tagged, maybeTagged, moved, ...rest } = value;
    expect(write(2, rest)).toBe(write(2, { ...rest, tagged, maybeTagged, moved }));
  });

  test('a tagged value of 128 bytes and more moves up for its size', () => {
    for (const length of [124, 125, 126, 127, 128, 16_380, 16_381, 16_382, 20_000]) {
      const moved = 'm'.repeat(length);
      expect(read(2, write(2, { ...value, moved })).moved).toBe(moved);
    }
  });

  test('unknown tags are skipped, wrong sizes are not', () => {
    const head = '01 0000 0000000000000000 0000000000000000 0000000000000000 01 00 00 01 00 ff';
    expect(read(2, `${head} 02 02 03 aabbcc 3f 00`)).toMatchObject({ tagged: { x: 7, y: -1 } });
    expect(() => read(2, `${head} 01 3f 04 aabbcc`)).toThrow(WireError);
    expect(() => read(2, `${head} 01 03 03 02 6d`)).toThrow(WireError);
    expect(() => read(2, `${head} 01 03 03 02 6d 00`)).toThrow(/moved: tagged field ends 1 bytes off/);
    expect(() => read(2, `${head} 05 03 02 02 6d`)).toThrow(/5 announced, /);
  });

  test('what a version cannot carry is refused, unless it is the default or may be ignored', () => {
    expect(() => write(0, { ...value, maybeInner: null, strict: 6 })).toThrow(
      /Sample request v0\.strict: version 0 cannot carry it/,
    );
    expect(() => write(0, value)).toThrow(/maybeInner: version 0 cannot carry it/);
    expect(() => write(2, { ...value, strict: 4 })).toThrow(/strict: version 2 cannot carry it/);
    expect(() => write(1, { ...value, tagged: { x: 8, y: -1 } })).toThrow(/tagged: version 1 cannot carry it/);
    expect(write(0, { ...value, maybeInner: null, ratio: 3, opaque: 8n })).toBe(
      write(0, { ...value, maybeInner: null }),
    );
  });

  test('values out of their range are refused with the name of the field', () => {
    const wrong: [Partial<RequestInput<typeof Sample>>, RegExp][] = [
      [{ port: 65_536 }, /port: 65536 is no uint16/],
      [{ port: 1.5 }, /port: 1.5/],
      [{ inner: { a: 128, list: [] } }, /inner\.a: 128 is no int8/],
      [{ inner: { a: 0, list: [[2 ** 31]] } }, /inner\.list\[\]\[\]: 2147483648 is no int32/],
      [{ far: 2 ** 53 }, /far: 9007199254740992 is no safe integer/],
      [{ opaque: 2n ** 63n }, /opaque: 9223372036854775808 is no 64-bit/],
      [{ moved: 'x'.repeat(32_768) }, /moved: string of 32768 bytes/],
      [{ moved: 'ž'.repeat(16_384) }, /moved: string of 32768 bytes/],
      [{ maybeTagged: { z: 'short' } }, /z: a uuid of 5 bytes/],
    ];
    for (const [part, message] of wrong) expect(() => write(2, { ...value, ...part })).toThrow(message);
  });
});

test('only announced versions are compiled', () => {
  expect(() => requestReader(Sample, 3)).toThrow(BrokenInvariant);
  expect(() => responseWriter(Produce, 14)).toThrow(BrokenInvariant);
  expect(() => requestReader(Produce, -1)).toThrow(BrokenInvariant);
  expect(requestReader(Produce, 9)).toBe(requestReader(Produce, 9));
});

describe('lengths that lie are refused before anything is made of them', () => {
  const lies: [string, string, RegExp][] = [
    ['topics of 2^31 - 1', '7fffffff', /topics: 2147483647 announced, /],
    ['a negative count', 'fffffffe', /topics: negative count -2/],
    ['one more than can be there', '00000003 0000 0000', /topics: 3 announced, /],
    ['a long name', '00000001 7fff 61', /topics\[\]\.name: 32767 bytes announced, 1 there/],
    ['a negative length', '00000001 fffe 61', /topics\[\]\.name: negative length -2/],
  ];
  test.each(lies)('Metadata v1: %s', (_, hex, message) => {
    expect(() => requestReader(Metadata, 1)(readerOver(hex))).toThrow(WireError);
    expect(() => requestReader(Metadata, 1)(readerOver(hex))).toThrow(message);
  });

  const compactLies: [string, string, RegExp][] = [
    ['a count of 2^32 - 2', 'ffffffff0f 00 00 00', /topics: 4294967294 announced, /],
    ['a varint without end', 'ffffffffff', /topics: variable-length integer/],
    ['a varint of 33 bits', 'ffffffff1f 00', /topics: variable-length integer/],
    ['null', '02 00 00 01 00 00 00', /topics\[\]\.name: null where a value is demanded/],
    ['a string above the limit', `02 818002 ${'61'.repeat(32_768)} 00 01 00 00 00`, /name: string of 32768 bytes/],
    ['invalid UTF-8', '02 03 c328 00 01 00 00', /topics\[\]\.name: invalid UTF-8/],
    ['a surrogate', '02 04 eda080 00 01 00 00', /topics\[\]\.name: invalid UTF-8/],
    ['more tags than bytes', '01 01 00 00 05 00', /Metadata request v9: 5 announced, /],
  ];
  test.each(compactLies)('Metadata v9: %s', (_, hex, message) => {
    expect(() => requestReader(Metadata, 9)(readerOver(hex))).toThrow(WireError);
    expect(() => requestReader(Metadata, 9)(readerOver(hex))).toThrow(message);
  });

  test('records', () => {
    const produce = 'ffff 0001 000003e8 00000001 0001 61 00000001 00000000';
    expect(
      requestReader(Produce, 3)(readerOver(`${produce} ffffffff`)).topicData[0]?.partitionData[0]?.records,
    ).toBeNull();
    expect(() => requestReader(Produce, 3)(readerOver(`${produce} 00000002 aa`))).toThrow(/records: 2 announced, /);
    expect(() => requestReader(Produce, 3)(readerOver(`${produce} fffffffe aa`))).toThrow(
      /records: negative length -2/,
    );
  });

  test('every count of a CreateTopics response is held against what is left of it', () => {
    const hex = '00000000 02 0261 00000000000000000000000000000000 0000 00 00000001 0001 ffffff7f';
    expect(() => responseReader(CreateTopics, 7)(readerOver(hex))).toThrow(/configs: \d+ announced, /);
  });
});

test('64-bit numbers beyond 2^53 are refused, or saturate where only their order counts', () => {
  const fetch = (offset: string, logStart: string) =>
    `ffffffff 00000000 00000000 7fffffff 00 00000001 0001 61 00000001 00000000 ${offset} ${logStart} 00100000`;
  const v6 = (hex: string) => requestReader(Fetch, 6)(readerOver(hex)).topics[0]?.partitions[0];
  expect(v6(fetch('7fffffffffffffff', '0000000000000000'))?.fetchOffset).toBe(Number.MAX_SAFE_INTEGER);
  expect(v6(fetch('8000000000000000', '001fffffffffffff'))).toMatchObject({
    fetchOffset: Number.MIN_SAFE_INTEGER,
    logStartOffset: Number.MAX_SAFE_INTEGER,
  });
  expect(() => v6(fetch('0000000000000000', '0020000000000000'))).toThrow(/logStartOffset: 64-bit value/);
  expect(() => v6(fetch('0000000000000000', 'ffdfffffffffffff'))).toThrow(/logStartOffset: 64-bit value/);
});

test('records of an answer may be holes: their length is in the message, their bytes are not', () => {
  const partition = (index: number, records: Uint8Array | { length: number } | null) => ({
    partitionIndex: index,
    errorCode: 0,
    highWatermark: 10,
    lastStableOffset: 10,
    logStartOffset: 0,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records,
  });
  const hole = { length: 300, name: 'segment range' };
  const bytesInline = Uint8Array.of(9, 8, 7);
  const topic = (records: (Uint8Array | { length: number } | null)[]) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 1,
    responses: [{ topic: 'a', topicId: '\0'.repeat(16), partitions: records.map((bytes, i) => partition(i, bytes)) }],
  });
  for (const version of [4, 11, 12, 13, 18]) {
    const writer = new Writer(memoryOver(new Uint8Array(8)));
    const response = { ...topic([hole, bytesInline, null, hole]), sessionId: version < 7 ? 0 : 1 };
    responseWriter(Fetch, version)(writer, response);
    expect(writer.holes.map((placed) => placed.hole)).toEqual([hole, hole]);
    expect(writer.totalBytes).toBe(writer.writtenBytes + 600);

    const whole: number[] = [];
    let from = 0;
    for (const { at, hole: placed } of writer.holes) {
      whole.push(...writer.memory.bytes.subarray(from, at), ...new Array(placed.length).fill(0xee));
      from = at;
    }
    whole.push(...writer.memory.bytes.subarray(from, writer.offset));
    const memory = memoryOver(Uint8Array.from(whole));
    const reader = new Reader();
    reader.reset(memory, 0, whole.length);
    const found = responseReader(
      Fetch,
      version,
    )(reader).responses[0]?.partitions.map(({ records }) =>
      records === null ? null : memory.bytes.slice(records.offset, records.offset + records.length),
    );
    const filled = new Uint8Array(300).fill(0xee);
    expect(found).toEqual([filled, bytesInline, null, filled]);
  }
});

test('two fields of a struct may be described by one and the same word', () => {
  const place = struct({ partition: int32() });
  const Twice = api({
    key: 901,
    name: 'Twice',
    versions: [0, 0],
    flexibleFrom: 0,
    request: { owned: place, wanted: place },
    response: {},
  });
  const writer = new Writer();
  requestWriter(Twice, 0)(writer, { owned: { partition: 1 }, wanted: { partition: 2 } });
  const reader = new Reader();
  reader.reset(writer.memory, 0, writer.writtenBytes);
  expect(requestReader(Twice, 0)(reader)).toEqual({ owned: { partition: 1 }, wanted: { partition: 2 } });
});
