/** The records of a batch where the log finds them: somewhere in memory, shared or not. */
import { describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { compress } from '../../src/wire/compression.ts';
import { CompressionError } from '../../src/wire/compression-error.ts';
import {
  DECOMPRESSED_BYTES_MAX,
  DECOMPRESSED_BYTES_MIN,
  DECOMPRESSED_RATIO_MAX,
  decompressedBytesMax,
  decompressRecords,
} from '../../src/wire/decompress-batch.ts';
import { river } from './compression-samples.ts';

const CODECS = [CODEC.GZIP, CODEC.SNAPPY, CODEC.LZ4, CODEC.ZSTD];

describe.each(CODECS)('codec %i', (codec) => {
  const compressed = compress(codec, river(50_000));

  test.each([ArrayBuffer, SharedArrayBuffer])('is taken from the middle of %o', (Room) => {
    const memory = memoryOver(new Uint8Array(new Room(compressed.length + 200)).subarray(3));
    for (let i = 0; i < compressed.length; i++) memory.bytes[61 + i] = compressed[i] as number;
    const records = decompressRecords(codec, memory, 61, compressed.length);
    expect(Buffer.compare(records, river(50_000))).toBe(0);
    expect(records.buffer).toBeInstanceOf(ArrayBuffer);
    expect(() => decompressRecords(codec, memory, 61, compressed.length - 1)).toThrow(CompressionError);
  });
});

test('records may grow to a floor, beyond that by a ratio, never beyond a ceiling', () => {
  expect(decompressedBytesMax(0)).toBe(DECOMPRESSED_BYTES_MIN);
  expect(decompressedBytesMax(DECOMPRESSED_BYTES_MIN / DECOMPRESSED_RATIO_MAX + 1)).toBe(
    DECOMPRESSED_BYTES_MIN + DECOMPRESSED_RATIO_MAX,
  );
  expect(decompressedBytesMax(2 ** 31 - 1)).toBe(DECOMPRESSED_BYTES_MAX);
});

test('a bomb is refused', () => {
  const bomb = compress(CODEC.ZSTD, new Uint8Array(DECOMPRESSED_BYTES_MIN + 1));
  expect(() => decompressRecords(CODEC.ZSTD, memoryOver(bomb), 0, bomb.length)).toThrow(
    `zstd: more than ${DECOMPRESSED_BYTES_MIN} bytes`,
  );
});
