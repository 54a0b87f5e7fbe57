import { describe, expect, it } from 'vitest';
import { WALK_BAD_LAYOUT, WALK_BAD_OFFSET_DELTA, WALK_NO_KEY, WALK_OK } from '../../src/base/kernels.ts';
import { memoryOver } from '../../src/base/memory.ts';
import { cutFrames, PortableKernels, searchOffsetIndex, searchTimeIndex } from '../../src/base/portable-kernels.ts';
import { encodeRecord, type MadeRecord } from './sections.ts';

const kernels = new PortableKernels();

function record(offsetDelta: number, changes: Partial<MadeRecord> = {}): MadeRecord {
  return { timestampDelta: 0n, offsetDelta, key: 3, value: 5, headers: [], ...changes };
}

function walk(bytes: readonly number[], count: number, needKeys = false): number {
  const memory = memoryOver(Uint8Array.from([9, ...bytes, 9]));
  return kernels.walkRecords(memory, 1, bytes.length, count, needKeys);
}

describe('the checksum', () => {
  const vectors: [string, Uint8Array, number][] = [
    ['the check string', new TextEncoder().encode('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['nothing', new Uint8Array(0), 0],
  ];

  it.each(vectors)('of %s is the published one', (_name, bytes, sum) => {
    expect(kernels.crc32c(memoryOver(bytes), 0, bytes.length)).toBe(sum);
  });

  it('goes on from an earlier sum', () => {
    const memory = memoryOver(Uint8Array.from({ length: 100 }, (_, i) => i * 7));
    const whole = kernels.crc32c(memory, 0, 100);
    for (let i = 0; i <= 100; i++) {
      expect(kernels.crc32c(memory, i, 100 - i, kernels.crc32c(memory, 0, i))).toBe(whole);
    }
  });

  it('refuses bytes outside', () => {
    expect(() => kernels.crc32c(memoryOver(new Uint8Array(10)), 5, 6)).toThrow(TypeError);
  });
});

describe('the walk', () => {
  it('passes whole records and finds the latest, of equal ones the first', () => {
    const headers = [[2, null] as const, [0, 4] as const];
    const records = [
      record(0, { timestampDelta: -5n }),
      record(1, { timestampDelta: 70n, key: null, headers }),
      record(2, { timestampDelta: 70n, value: null }),
      record(3, { timestampDelta: 1n }),
    ];
    expect(walk(records.flatMap(encodeRecord), 4)).toBe(WALK_OK);
    expect(kernels.walk).toEqual({ maxTimestampDelta: 70, maxTimestampIndex: 1 });
  });

  it('reads timestamps of all 64 bits', () => {
    for (const delta of [
      -(2n ** 63n),
      2n ** 63n - 1n,
      -1n,
      2n ** 31n,
      -(2n ** 31n) - 1n,
      2n ** 53n + 1n,
      123456789012n,
    ]) {
      expect(walk(encodeRecord(record(0, { timestampDelta: delta })), 1)).toBe(WALK_OK);
      expect(kernels.walk.maxTimestampDelta).toBe(Number(delta));
    }
  });

  it('says that no records are in order, and have no latest', () => {
    expect(walk([], 0)).toBe(WALK_OK);
    expect(kernels.walk.maxTimestampIndex).toBe(-1);
  });

  it('sees an offset delta out of order', () => {
    expect(walk([record(0), record(2)].flatMap(encodeRecord), 2)).toBe(WALK_BAD_OFFSET_DELTA);
  });

  it('sees a missing key where keys are needed', () => {
    expect(walk(encodeRecord(record(0, { key: null })), 1, true)).toBe(WALK_NO_KEY);
    expect(walk(encodeRecord(record(0, { key: 0 })), 1, true)).toBe(WALK_OK);
  });

  it('sees bytes left over, missing, and counts that do not fit', () => {
    const whole = [record(0), record(1, { headers: [[1, 1]] })].flatMap(encodeRecord);
    expect(walk(whole, 2)).toBe(WALK_OK);
    expect(walk([...whole, 0], 2)).toBe(WALK_BAD_LAYOUT);
    expect(walk(whole, 1)).toBe(WALK_BAD_LAYOUT);
    expect(walk(whole, 3)).toBe(WALK_BAD_LAYOUT);
    expect(walk(whole, -1)).toBe(WALK_BAD_LAYOUT);
    for (let length = 0; length < whole.length; length++) expect(walk(whole.slice(0, length), 2)).toBe(WALK_BAD_LAYOUT);
  });

  it('refuses lengths that reach behind the record, are below null, or take too many bytes', () => {
    // length 7: attributes, timestamp delta, offset delta, key, value, headers
    expect(walk([14, 0, 0, 0, 2, 65, 1, 0], 1)).toBe(WALK_OK);
    expect(walk([14, 0, 0, 0, 16, 65, 1, 0], 1)).toBe(WALK_BAD_LAYOUT);
    expect(walk([12, 0, 0, 0, 3, 1, 0], 1)).toBe(WALK_BAD_LAYOUT);
    expect(walk([12, 0, 0, 0, 1, 1, 1], 1)).toBe(WALK_BAD_LAYOUT);
    expect(walk([20, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 1, 0], 1)).toBe(WALK_BAD_LAYOUT);
  });
});

describe('cutting frames', () => {
  const cut = (bytes: number[], max = 100, outMax = 10) => {
    const out = new Int32Array(20);
    const count = cutFrames(memoryOver(Uint8Array.from(bytes)), 0, bytes.length, max, out, outMax);
    return [count, ...out.slice(0, (count < 0 ? -1 - count : count) * 2)];
  };

  it('takes whole frames and leaves the beginning of the next', () => {
    expect(cut([0, 0, 0, 2, 7, 7, 0, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 3, 7, 7])).toEqual([3, 4, 2, 10, 0, 14, 1]);
    expect(cut([0, 0, 0])).toEqual([0]);
  });

  it('stops when it has no room for more', () => {
    expect(cut([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 100, 2)).toEqual([2, 4, 0, 8, 0]);
  });

  it('says which frame is too long or below zero, even when it is not all there', () => {
    expect(cut([0, 0, 0, 0, 0, 0, 0, 101])).toEqual([-2, 4, 0]);
    expect(cut([0x80, 0, 0, 0])).toEqual([-1]);
  });
});

describe('searching an index', () => {
  it('finds the last entry at or below the target', () => {
    const offsets = new DataView(new ArrayBuffer(4 * 8));
    [3, 7, 7, 20].forEach((key, i) => {
      offsets.setInt32(i * 8, key);
    });
    expect([2, 3, 6, 7, 19, 20, 99].map((target) => searchOffsetIndex(offsets, 4, target))).toEqual([
      -1, 0, 0, 2, 2, 3, 3,
    ]);
    expect(searchOffsetIndex(offsets, 2, 99)).toBe(1);
    expect(searchOffsetIndex(offsets, 0, 99)).toBe(-1);
  });

  it('compares whole 64-bit times', () => {
    const times = new DataView(new ArrayBuffer(4 * 12));
    [-1n, 5_000_000_000n, 5_000_000_001n, 1_700_000_000_000n].forEach((key, i) => {
      times.setBigInt64(i * 12, key);
    });
    expect([-2, -1, 5e9 - 1, 5e9, 5e9 + 1, 2e12].map((target) => searchTimeIndex(times, 4, target))).toEqual([
      -1, 0, 0, 1, 2, 3,
    ]);
  });
});
