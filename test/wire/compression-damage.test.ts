/** Bytes that are damaged, cut short or made up: a CompressionError or bounded output, never another error and never for ever. */
import { describe, expect, test } from 'vitest';
import { CODEC } from '../../src/wire/batch.ts';
import { compress, decompress } from '../../src/wire/compression.ts';
import { CompressionError } from '../../src/wire/compression-error.ts';
import { xxHash32 } from '../../src/wire/xxhash32.ts';
import { LZ4_SAMPLES, RAW_SNAPPY_SAMPLE, river } from './compression-samples.ts';

const { GZIP, SNAPPY, LZ4, ZSTD } = CODEC;
const CAP = 1 << 20;

const linked = LZ4_SAMPLES['linked blocks of 64 KiB, block checksums, content size, content checksum'] as Uint8Array;
const unchecked = LZ4_SAMPLES['linked blocks, no checksums'] as Uint8Array;
const SAMPLES = [
  ['gzip', GZIP, compress(GZIP, river(3000))],
  ['framed snappy', SNAPPY, compress(SNAPPY, river(70_000))],
  ['raw snappy', SNAPPY, RAW_SNAPPY_SAMPLE],
  ['lz4', LZ4, compress(LZ4, river(70_000))],
  ['linked lz4 with checksums', LZ4, linked],
  ['linked lz4 without checksums', LZ4, unchecked],
  ['zstd', ZSTD, compress(ZSTD, river(3000))],
] as const;

/** The length of the output, -1 for a refusal; anything else that is thrown fails the test. */
function outcome(codec: number, bytes: Uint8Array, cap = CAP): number {
  try {
    const { length } = decompress(codec, bytes, cap);
    expect(length).toBeLessThanOrEqual(cap);
    return length;
  } catch (error) {
    expect(error).toBeInstanceOf(CompressionError);
    expect((error as Error).message).toMatch(/^(gzip|snappy|lz4|zstd): [^\n]+$/);
    return -1;
  }
}

function* randoms(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

describe.each(SAMPLES)('%s', (name, codec, bytes) => {
  test('no beginning of it is taken for the whole', () => {
    const whole = decompress(codec, bytes, CAP).length;
    for (let length = 0; length < bytes.length; length++) {
      const given = outcome(codec, bytes.slice(0, length));
      // Only the framing of Snappy has no end of its own: it may stop between two blocks.
      if (name === 'framed snappy' && given !== -1) expect([0, 32_768, 65_536]).toContain(given);
      else expect(given).toBe(-1);
      expect(given).toBeLessThan(whole);
    }
  });

  test('flipped bits', () => {
    const random = randoms(codec * 7919 + bytes.length);
    let refused = 0;
    for (let run = 0; run < 3000; run++) {
      const damaged = bytes.slice();
      for (let flips = 1 + (run % 3); flips > 0; flips--) {
        const at = random.next().value % damaged.length;
        damaged[at] = (damaged[at] as number) ^ (1 << (random.next().value % 8));
      }
      if (outcome(codec, damaged) === -1) refused += 1;
    }
    expect(refused).toBeGreaterThan(300);
  });

  test('pieces put together anew, and plain noise behind the header', () => {
    const random = randoms(codec + 1);
    for (let run = 0; run < 1000; run++) {
      const made = bytes.slice(0, 4 + (random.next().value % bytes.length));
      const from = random.next().value % made.length;
      if (run % 2 === 0) made.copyWithin(from, random.next().value % made.length);
      else for (let i = from; i < made.length; i++) made[i] = random.next().value;
      outcome(codec, made, run % 5 === 0 ? 100 : CAP);
    }
  });
});

const bytesOf = (...parts: readonly (string | Uint8Array | readonly number[])[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as string))));

describe('made-up snappy', () => {
  const refusals: [string, number[], RegExp][] = [
    ['nothing', [], /a block without a size/],
    ['a size that never ends', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], /a block without a size/],
    ['a size of 4 GiB', [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61], /4294967295 bytes announced by a block of 7/],
    ['a size without content', [1], /1 bytes announced by a block of 1/],
    ['content without a size', [0, 0x00, 0x61], /more than its size/],
    ['a copy from before the start', [4, 0x01, 0x01], /a copy from 1 bytes back/],
    ['a copy from nowhere', [5, 0x00, 0x61, 0x01, 0x00], /a copy from 0 bytes back/],
    ['a far copy', [5, 0x00, 0x61, 0x0f, 0xff, 0xff, 0xff, 0xff], /a copy from 4294967295 bytes back/],
    ['a copy beyond the size', [3, 0x00, 0x61, 0x01, 0x01], /more than its size/],
    ['a copy cut short', [5, 0x00, 0x61, 0x02, 0x01], /cut short/],
    ['literals that are not there', [9, 0x20, 0x61], /cut short/],
    ['4 GiB of literals', [9, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x61], /cut short/],
    ['a length cut short', [9, 0xfc, 0xff, 0xff], /cut short/],
    ['less than the size', [3, 0x00, 0x61], /2 bytes short/],
  ];
  test.each(refusals)('%s', (_, bytes, message) => {
    expect(() => decompress(SNAPPY, Uint8Array.from(bytes), CAP)).toThrow(message);
    expect(outcome(SNAPPY, Uint8Array.from(bytes))).toBe(-1);
  });

  const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0];
  const header = [...magic, 0, 0, 0, 1, 0, 0, 0, 1];
  const abcd = [0, 0, 0, 6, 4, 0x0c, 0x61, 0x62, 0x63, 0x64];
  const framed: [string, number[], RegExp][] = [
    ['the magic alone', magic, /within the header/],
    ['an old version', [...magic, 0, 0, 0, 0, 0, 0, 0, 1, ...abcd], /version 0/],
    ['blocks of no bytes for ever', [...header, ...new Array<number>(4000).fill(0)], /without a size/],
    ['a negative length', [...header, 0xff, 0xff, 0xff, 0xff, 0], /a block of -1 bytes where 1 are left/],
    ['a length of 2 GiB', [...header, 0x7f, 0xff, 0xff, 0xff, 0], /a block of 2147483647 bytes/],
    ['a length cut short', [...header, ...abcd, 0, 0], /within a block length/],
    ['a copy out of its block', [...header, ...abcd, 0, 0, 0, 3, 4, 0x01, 0x04], /a copy from 4 bytes back/],
    ['a second header cut short', [...header, ...abcd, ...magic], /within the header/],
  ];
  test.each(framed)('framed: %s', (_, bytes, message) => {
    expect(() => decompress(SNAPPY, Uint8Array.from(bytes), CAP)).toThrow(message);
  });

  test('joined streams are read, and the cap counts all blocks', () => {
    const joined = Uint8Array.from([...header, ...abcd, ...header, ...abcd, ...abcd]);
    expect(Buffer.from(decompress(SNAPPY, joined, 12)).toString()).toBe('abcdabcdabcd');
    expect(() => decompress(SNAPPY, joined, 11)).toThrow(/12 bytes, more than 11/);
  });
});

describe('made-up lz4', () => {
  const INDEPENDENT = 0x60;
  const LINKED = 0x40;

  function word(value: number): Uint8Array {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return bytes;
  }
  function header(flags: number, blockSize = 0x40, more: readonly number[] = []): Uint8Array {
    const descriptor = Uint8Array.from([flags, blockSize, ...more]);
    const checksum = (xxHash32(descriptor, 0, descriptor.length) >>> 8) & 0xff;
    return bytesOf(word(0x184d2204), descriptor, [checksum]);
  }
  function block(...bytes: number[]): Uint8Array {
    return bytesOf(word(bytes.length), bytes);
  }
  const stored = (...bytes: number[]) => bytesOf(word(0x80000000 + bytes.length), bytes);
  const END = word(0);
  /** Four literals from 'a' on, and the four bytes before them again. */
  const again = block(0x40, 0x61, 0x62, 0x63, 0x64, 0x04, 0x00, 0x00);
  const back8 = block(0x00, 0x08, 0x00, 0x00);
  const ok = bytesOf(header(INDEPENDENT), again, END);
  const changed = (at: number, value: number) => {
    const bytes = ok.slice();
    bytes[at] = value;
    return bytes;
  };

  test('the kit makes frames that are read', () => {
    expect(Buffer.from(decompress(LZ4, ok, CAP)).toString()).toBe('abcdabcd');
    const two = bytesOf(header(LINKED), again, back8, stored(0x7a), stored(), END);
    expect(Buffer.from(decompress(LZ4, two, CAP)).toString()).toBe('abcdabcdabcdz');
  });

  const size = (...low: number[]) => [...low, 0, 0, 0, 0, 0, 0, 0, 0].slice(0, 8);
  const hash = xxHash32(Buffer.from('abcdabcd'), 0, 8);
  const refusals: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /within the frame header/],
    ['another magic', changed(0, 0x02), /not an LZ4 frame/],
    ['another version', bytesOf(header(0xa0), again, END), /version 2/],
    ['a reserved flag', bytesOf(header(INDEPENDENT | 0x02), again, END), /not defined/],
    ['a reserved bit of the block size', bytesOf(header(INDEPENDENT, 0x41), again, END), /not defined/],
    ['a block size of 32 bytes', bytesOf(header(INDEPENDENT, 0x30), again, END), /not defined/],
    ['a dictionary', bytesOf(header(INDEPENDENT | 0x01, 0x40, [1, 0, 0, 0]), again, END), /dictionary/],
    ['a wrong header checksum', changed(6, 0x83), /wrong header checksum/],
    ['no end mark', ok.slice(0, -4), /between blocks/],
    ['bytes behind', bytesOf(ok, [0]), /1 bytes after the frame/],
    ['a second frame', bytesOf(ok, ok), /bytes after the frame/],
    [
      'a block above the block size',
      bytesOf(header(INDEPENDENT), word(65_537), river(65_537), END),
      /a block of 65537 bytes/,
    ],
    ['a block cut short', bytesOf(header(INDEPENDENT), word(100), END), /a block is cut short/],
    ['a match from nowhere', bytesOf(header(LINKED), block(0x10, 0x61, 0, 0, 0), END), /from 0 bytes back/],
    ['a match from before the start', bytesOf(header(LINKED), block(0x10, 0x61, 2, 0, 0), END), /from 2 bytes back/],
    ['a match out of an independent block', bytesOf(header(INDEPENDENT), again, back8, END), /from 8 bytes back/],
    ['no last literals', bytesOf(header(INDEPENDENT), block(0x10, 0x61, 1, 0), END), /cut short/],
    ['literals that are not there', bytesOf(header(INDEPENDENT), block(0x20, 0x61), END), /cut short/],
    ['a length that never ends', bytesOf(header(INDEPENDENT), block(0xf0, ...Array(500).fill(255)), END), /cut short/],
    ['a match that never ends', bytesOf(header(INDEPENDENT), block(0x1f, 0x61, 1, 0, 255), END), /cut short/],
    [
      'more than the block size',
      bytesOf(header(INDEPENDENT), block(0x1f, 0x61, 1, 0, ...Array(300).fill(255), 0, 0), END),
      /a block of more than 65536 bytes/,
    ],
    [
      'a content size too small',
      bytesOf(header(INDEPENDENT | 8, 0x40, size(7)), again, END),
      /8 bytes where 7 were announced/,
    ],
    [
      'a content size beyond everything',
      bytesOf(header(INDEPENDENT | 8, 0x40, new Array(8).fill(255)), again, END),
      /more than 1048576 bytes/,
    ],
    ['a content size cut short', bytesOf(header(INDEPENDENT | 8, 0x40, [8])), /within the frame header/],
    [
      'a wrong content checksum',
      bytesOf(header(INDEPENDENT | 4), again, END, word(hash + 1)),
      /wrong content checksum/,
    ],
    ['no content checksum', bytesOf(header(INDEPENDENT | 4), again, END), /within the content checksum/],
    ['a wrong block checksum', bytesOf(header(INDEPENDENT | 16), again, word(1), END), /wrong block checksum/],
  ];
  test.each(refusals)('%s', (_, bytes, message) => {
    expect(() => decompress(LZ4, bytes, CAP)).toThrow(message);
    expect(outcome(LZ4, bytes)).toBe(-1);
  });

  test('blocks of nothing end with the bytes', () => {
    const blocks = new Array<Uint8Array>(20_000).fill(stored());
    expect(decompress(LZ4, bytesOf(header(LINKED), ...blocks, END), CAP).length).toBe(0);
  });

  test('checksums that fit are taken', () => {
    const checked = bytesOf(header(INDEPENDENT | 12, 0x40, size(8)), again, END, word(hash));
    expect(decompress(LZ4, checked, 8).length).toBe(8);
  });
});

describe('several frames', () => {
  const zstd = compress(ZSTD, river(1000));
  const gzip = compress(GZIP, river(1000));
  const skippable = Uint8Array.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

  test('zstd: all are read, what may be skipped is', () => {
    const joined = bytesOf(skippable, zstd, skippable, compress(ZSTD, new Uint8Array(0)), zstd);
    const twice = Buffer.concat([river(1000), river(1000)]);
    expect(Buffer.compare(decompress(ZSTD, joined, 2000), twice)).toBe(0);
    expect(() => decompress(ZSTD, joined, 1999)).toThrow(/more than 1999 bytes/);
    expect(decompress(ZSTD, skippable, CAP).length).toBe(0);
    const full = bytesOf(zstd, compress(ZSTD, new Uint8Array(0)));
    expect(decompress(ZSTD, full, 1000).length).toBe(1000);
    // A frame of one byte that does not say so.
    const silent = bytesOf(zstd, [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x09, 0, 0, 0x61]);
    expect(decompress(ZSTD, silent, 1001).length).toBe(1001);
    expect(() => decompress(ZSTD, silent, 1000)).toThrow(/more than 1000 bytes/);
  });

  test('zstd: not without end, and nothing else behind', () => {
    expect(decompress(ZSTD, bytesOf(...new Array(64).fill(zstd)), CAP).length).toBe(64_000);
    expect(() => decompress(ZSTD, bytesOf(...new Array(65).fill(zstd)), CAP)).toThrow(/more than 64 frames/);
    expect(() => decompress(ZSTD, bytesOf(zstd, 'behind'), CAP)).toThrow(/not a Zstandard frame/);
    expect(() => decompress(ZSTD, bytesOf(zstd, zstd.slice(0, -1)), CAP)).toThrow(/cut short/);
    expect(() => decompress(ZSTD, skippable.slice(0, -1), CAP)).toThrow(/cut short/);
  });

  test('zstd: made-up headers', () => {
    const start = [0x28, 0xb5, 0x2f, 0xfd];
    const huge = [...start, 0xe0, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0];
    expect(() => decompress(ZSTD, Uint8Array.from(huge), CAP)).toThrow(/more than 1048576 bytes/);
    expect(() => decompress(ZSTD, Uint8Array.from([...start, 0x28, 0, 1, 0, 0]), CAP)).toThrow(/not defined/);
    expect(() => decompress(ZSTD, Uint8Array.from([...start, 0x20, 0, 7, 0, 0]), CAP)).toThrow(/not defined/);
    // One block that repeats a byte 131072 times, 600 times over: 2.4 KB that are 75 MiB.
    const repeated = new Array(600).fill([0x02, 0x00, 0x10, 0x61]).flat();
    const bomb = Uint8Array.from([...start, 0x00, 0x88, ...repeated, 1, 0, 0]);
    // The decoder itself stops at the cap: nobody looks at the size of what is there already.
    expect(() => decompress(ZSTD, bomb, CAP)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/more than 1048576 bytes/),
        cause: expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }),
      }),
    );
  });

  test('gzip: all members are read', () => {
    const joined = bytesOf(gzip, gzip);
    expect(decompress(GZIP, joined, 2000).length).toBe(2000);
    expect(() => decompress(GZIP, joined, 1999)).toThrow(/more than 1999 bytes/);
    expect(() => decompress(GZIP, bytesOf(gzip, gzip.slice(0, -1)), CAP)).toThrow(CompressionError);
  });
});
