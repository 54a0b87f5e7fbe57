import { beforeEach, describe, expect, test } from 'vitest';
import { CachedFile } from '../../src/log/files.ts';
import { IndexFile } from '../../src/log/index-file.ts';
import { OffsetIndex } from '../../src/log/offset-index.ts';
import { TimeIndex } from '../../src/log/time-index.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { environment, NOW, type TestEnvironment } from './fixture.ts';

let disk: SimulatedDisk;
let world: TestEnvironment;
const PATH = '/d/x';

beforeEach(() => {
  disk = new SimulatedDisk();
  disk.makeDirectory('/d');
  world = environment(disk);
});

const file = () => new CachedFile(PATH, 'create');

describe.each(['offset', 'time'] as const)('%s entries', (kind) => {
  const base = kind === 'time' ? NOW : 0;
  const written = (index: IndexFile) => disk.size(world.files.descriptor(index.file));

  test('are found before and after they are written', () => {
    const index = new IndexFile(world, file(), kind);
    expect(index.search(base + 5)).toBe(-1);
    for (let i = 0; i < 1_000; i++) {
      index.append(base + i * 10, i * 100);
      const probe = Math.floor(i / 2);
      expect(index.search(base + probe * 10 + 3)).toBe(probe);
      expect(index.search(base + i * 10)).toBe(i);
      expect(index.value(probe)).toBe(probe * 100);
      expect(index.key(i)).toBe(base + i * 10);
    }
    expect(index.search(base - 1)).toBe(-1);
    expect(index.search(Number.MAX_SAFE_INTEGER)).toBe(999);
    index.flush();
    expect(index.search(base + 9_999)).toBe(999);
    expect(index.search(base + 4_567)).toBe(456);
  });

  test('are written many at a time', () => {
    const index = new IndexFile(world, file(), kind);
    for (let i = 0; i < 1_000; i++) index.append(base + i, i);
    expect(disk.calls.get('writeBytes')).toBeLessThan(10);
  });

  test('fill a file of a fixed size, which is cut to them', () => {
    const index = new IndexFile(world, file(), kind);
    const entryBytes = kind === 'offset' ? 8 : 12;
    index.preallocate(1_000);
    expect(written(index)).toBe(1_000 - (1_000 % entryBytes));
    index.append(base + 1, 2);
    index.trim();
    expect(written(index)).toBe(entryBytes);
    expect(index.load()).toBe(true);
    expect(index.entries).toBe(1);
    disk.truncate(world.files.descriptor(index.file), entryBytes + 1);
    expect(index.load()).toBe(false);
  });

  test('that a killed process left in a long file are found with few reads, as far as they count', () => {
    const index = new IndexFile(world, file(), kind);
    index.preallocate(1_000_000);
    let entries = 0;
    for (const count of [0, 1, 2, 511, 512, 513, 1_024, 1_500, 9_000]) {
      for (; entries < count; entries++) index.append(base + 1 + entries * 10, 1 + entries);
      index.flush();
      for (const counted of [0, 1, 511, 512, 513, 700, count].filter((some) => some <= count)) {
        const again = new IndexFile(world, new CachedFile(PATH, 'write'), kind);
        const before = disk.calls.get('read') ?? 0;
        again.loadWritten((key, value) => key < base + 1 + counted * 10 && value <= counted);
        expect([count, counted, again.entries]).toEqual([count, counted, counted]);
        // A window, an entry, and two more for every doubling of their number.
        expect((disk.calls.get('read') ?? 0) - before).toBeLessThanOrEqual(
          2 + 2 * Math.ceil(Math.log2(1 + count / 512)),
        );
      }
    }
  });
});

test('the offset index has int32 and int32, big-endian', () => {
  const index = new OffsetIndex(world, file(), 1_000);
  index.append(1_005, 0x01020304);
  index.index.flush();
  expect(Array.from(disk.bytesOf(PATH))).toEqual([0, 0, 0, 5, 1, 2, 3, 4]);
});

test('the time index has int64 and int32, rises strictly and keeps a place for its end', () => {
  const index = new TimeIndex(world, file(), 1_000);
  index.append(NOW, 1_005);
  index.append(NOW, 1_009);
  index.append(NOW - 1, 1_010);
  expect(index.index.entries).toBe(1);
  index.index.flush();
  const view = new DataView(disk.bytesOf(PATH).buffer);
  expect([view.getBigInt64(0), view.getInt32(8)]).toEqual([BigInt(NOW), 5]);
  expect(index.isFull(24)).toBe(true);
  expect(index.isFull(36)).toBe(false);
});

test('a batch is looked for from the last entry that ends at or before its offset', () => {
  const index = new OffsetIndex(world, file(), 100);
  expect(index.lookup(150)).toBe(0);
  index.append(120, 5_000);
  index.append(140, 10_000);
  expect([100, 119, 120, 139, 140, 999].map((offset) => index.lookup(offset))).toEqual([
    0, 0, 5_000, 5_000, 10_000, 10_000,
  ]);
});

test('an index that cannot belong to its log is refused', () => {
  const make = (lastOffset: number, position: number) => {
    const index = new OffsetIndex(world, file(), 100);
    index.clear();
    index.append(lastOffset, position);
    index.index.flush();
    return new OffsetIndex(world, new CachedFile(PATH, 'write'), 100);
  };
  expect(make(120, 50).load(1_000)).toBe(true);
  expect(make(120, 1_000).load(1_000)).toBe(false);
  const zeros = new OffsetIndex(world, file(), 100);
  zeros.clear();
  zeros.index.preallocate(800);
  expect(new OffsetIndex(world, new CachedFile(PATH, 'write'), 100).load(1_000)).toBe(false);
});
