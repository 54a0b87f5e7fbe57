/** The four compressions: what Kafka and the reference programs wrote is read, what we write is read back, caps hold. */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import * as batch from '../../src/wire/batch.ts';
import { compress, decompress } from '../../src/wire/compression.ts';
import { CompressionError } from '../../src/wire/compression-error.ts';
import { encodeBatch, readRecords } from '../../src/wire/records.ts';
import { xxHash32 } from '../../src/wire/xxhash32.ts';
import { LZ4_SAMPLES, RAW_SNAPPY_SAMPLE, river } from './compression-samples.ts';
import { crc32c } from './crc32c.ts';
import { readGolden } from './golden.ts';

const { GZIP, SNAPPY, LZ4, ZSTD } = batch.CODEC;
const CODECS = [
  ['gzip', GZIP],
  ['snappy', SNAPPY],
  ['lz4', LZ4],
  ['zstd', ZSTD],
] as const;
const CAP = 1 << 24;

/** Bytes without repetitions, from a linear congruence. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

interface GoldenBatch {
  readonly codec: number;
  readonly hex: string;
  readonly records: readonly { readonly key: string | null; readonly value: string | null }[];
}

const goldens = readGolden<GoldenBatch>('batches.jsonl').filter((golden) => golden.codec !== batch.CODEC.NONE);

test('goldens exist of every codec', () => {
  expect(new Set(goldens.map((golden) => golden.codec))).toEqual(new Set([GZIP, SNAPPY, LZ4, ZSTD]));
});

test.each(goldens)('records that Kafka compressed are read, codec $codec', (golden) => {
  const bytes = new Uint8Array(Buffer.from(golden.hex, 'hex'));
  const plain = decompress(golden.codec, bytes.subarray(batch.HEADER_BYTES), CAP);
  const base64 = (value: Uint8Array | null) => (value === null ? null : Buffer.from(value).toString('base64'));
  const records = readRecords(memoryOver(bytes), 0, memoryOver(plain));
  expect(records.map((record) => ({ key: base64(record.key), value: base64(record.value) }))).toEqual(
    golden.records.map(({ key, value }) => ({ key, value })),
  );
});

test('raw Snappy as other clients write it', () => {
  expect(same(decompress(SNAPPY, RAW_SNAPPY_SAMPLE, CAP), river(3000))).toBe(true);
});

test.each(Object.entries(LZ4_SAMPLES))('an LZ4 frame of the reference program: %s', (_, bytes) => {
  expect(same(decompress(LZ4, bytes, CAP), river(100_000))).toBe(true);
});

test('xxHash32 gives the published values', () => {
  const hash = (text: string, seed?: number) => xxHash32(Buffer.from(text), 0, text.length, seed);
  expect(hash('')).toBe(0x02cc5d05);
  expect(hash('abc')).toBe(0x32d153ff);
  expect(hash('Nobody inspects the spammish repetition')).toBe(0xe2293b2f);
  expect(hash('', 0x9e3779b1)).toBe(0x36b78ae7);
});

describe.each(CODECS)('%s', (_, codec) => {
  const inputs = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300, max: 2 }),
    // Repetitions at all distances: pieces of what came before, between new bytes.
    fc
      .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(), fc.nat({ max: 600 })), { maxLength: 400 })
      .map((steps) => {
        const bytes: number[] = [];
        for (const [fresh, back, length] of steps) {
          for (const byte of fresh) bytes.push(byte);
          const distance = bytes.length === 0 ? 0 : 1 + (back % bytes.length);
          for (let i = 0; i < length && distance > 0; i++) bytes.push(bytes[bytes.length - distance] as number);
        }
        return Uint8Array.from(bytes);
      }),
  );

  test('what is compressed comes back', () => {
    fc.assert(
      fc.property(inputs, (input) => same(decompress(codec, compress(codec, input), CAP), input)),
      { numRuns: 150 },
    );
  });

  const sizes = [0, 1, 2, 4, 5, 12, 13, 16, 17, 61, 256, 257, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 1 << 20];

  test.each(sizes)('%i bytes: zeros, repetitive, incompressible', (size) => {
    for (const input of [new Uint8Array(size), river(size), noise(size)]) {
      const compressed = compress(codec, input);
      expect(same(decompress(codec, compressed, CAP), input)).toBe(true);
      expect(compressed.length).toBeLessThanOrEqual(size + (size >>> 8) + 32);
    }
  });

  test('repetitive bytes get smaller', () => {
    expect(compress(codec, river(1 << 20)).length).toBeLessThan((1 << 20) / 20);
  });

  test('a view into a larger buffer is read as itself, and results have their buffers to themselves', () => {
    const room = new Uint8Array(6000);
    room.set(river(3000), 1501);
    const compressed = compress(codec, room.subarray(1501, 4501));
    expect(compressed.buffer.byteLength).toBe(compressed.length);
    room.set(compressed, 7);
    const plain = decompress(codec, room.subarray(7, 7 + compressed.length), CAP);
    expect(same(plain, river(3000))).toBe(true);
    expect(plain.buffer.byteLength).toBe(3000);
  });

  test('the cap is exact', () => {
    for (const input of [river(10_000), noise(10_000), new Uint8Array(1 << 18)]) {
      const compressed = compress(codec, input);
      expect(decompress(codec, compressed, input.length).length).toBe(input.length);
      expect(() => decompress(codec, compressed, input.length - 1)).toThrow(CompressionError);
      expect(() => decompress(codec, compressed, 1)).toThrow(/bytes/);
    }
    expect(decompress(codec, compress(codec, new Uint8Array(0)), 1).length).toBe(0);
  });

  test('a bomb is refused at the cap', () => {
    const bomb = compress(codec, new Uint8Array(1 << 25));
    expect(() => decompress(codec, bomb, 1 << 20)).toThrow(new RegExp(`more than ${1 << 20}`));
  });

  test('a batch compressed by us is read', () => {
    const records = Array.from({ length: 100 }, (_, i) => ({
      timestamp: 1000 + i,
      key: Uint8Array.of(i),
      value: river(i * 3),
    }));
    const bytes = encodeBatch({ records, codec, compress: (plain) => compress(codec, plain) }, { crc32c });
    const plain = decompress(batch.codec(memoryOver(bytes).view, 0), bytes.subarray(batch.HEADER_BYTES), CAP);
    expect(readRecords(memoryOver(bytes), 0, memoryOver(plain))).toEqual(
      records.map((record, offset) => ({ ...record, offset, headers: [] })),
    );
  });
});

test.each([0, 5, 6, 7, -1])('codec %i is no compression', (codec) => {
  expect(() => decompress(codec, Uint8Array.of(1, 2, 3), CAP)).toThrow(
    new CompressionError(`codec ${codec} is no compression`),
  );
  expect(() => compress(codec, Uint8Array.of(1, 2, 3))).toThrow(CompressionError);
});

describe('the frames that Kafka writes', () => {
  test('snappy: the framing of the Java client, in blocks of 32 KiB', () => {
    const compressed = Buffer.from(compress(SNAPPY, noise(40_000)));
    expect(compressed.subarray(0, 16).toString('hex')).toBe('82534e415050590000000001000000' + '01');
    const second = 20 + compressed.readInt32BE(16);
    expect(compressed.subarray(20, 23).toString('hex')).toBe('808002');
    expect(compressed.readInt32BE(second)).toBe(compressed.length - second - 4);
    expect(compress(SNAPPY, new Uint8Array(0)).length).toBe(16);
  });

  test('lz4: independent blocks of 64 KiB, no checksums; incompressible ones are stored', () => {
    const compressed = Buffer.from(compress(LZ4, noise(65_536 + 10)));
    expect(compressed.subarray(0, 7).toString('hex')).toBe('04224d18604082');
    expect(compressed.readUInt32LE(7)).toBe(0x80000000 + 65_536);
    expect(compressed.readUInt32LE(11 + 65_536)).toBe(0x80000000 + 10);
    expect(compressed.subarray(-4).toString('hex')).toBe('00000000');
    expect(compress(LZ4, new Uint8Array(0)).length).toBe(11);
  });

  test('lz4: a block ends with five literals at least, and no match begins within the last twelve bytes', () => {
    let matches = 0;
    for (let size = 1; size <= 400; size++) {
      const compressed = compress(LZ4, river(size));
      const word = Buffer.from(compressed).readUInt32LE(7);
      if (word >= 0x80000000) continue;
      let written = 0;
      let at = 11;
      const length = (nibble: number) => {
        let sum = nibble;
        for (let more = nibble === 15 ? 255 : 0; more === 255; sum += more) more = compressed[at++] as number;
        return sum;
      };
      for (;;) {
        const token = compressed[at++] as number;
        const literals = length(token >>> 4);
        at += literals;
        written += literals;
        if (at === 11 + word) {
          expect(literals).toBeGreaterThanOrEqual(5);
          break;
        }
        expect(written).toBeLessThanOrEqual(size - 12);
        at += 2;
        written += length(token & 15) + 4;
        matches += 1;
      }
      expect(written).toBe(size);
    }
    expect(matches).toBeGreaterThan(400);
  });
});

describe('a runtime without zstd', () => {
  afterEach(() => {
    vi.doUnmock('node:zlib');
    vi.resetModules();
  });

  test('says so, and does the rest', async () => {
    vi.resetModules();
    vi.doMock('node:zlib', async (original) => ({
      ...(await original<typeof import('node:zlib')>()),
      zstdDecompressSync: undefined,
      zstdCompressSync: undefined,
    }));
    const without = await import('../../src/wire/compression.ts');
    const message = 'zstd: this runtime has none, Node 22.15 or later has';
    expect(() => without.decompress(ZSTD, compress(ZSTD, river(100)), CAP)).toThrow(message);
    expect(() => without.compress(ZSTD, river(100))).toThrow(message);
    expect(same(without.decompress(GZIP, without.compress(GZIP, river(100)), CAP), river(100))).toBe(true);
  });
});
