import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Memory, memoryOver, Pieces } from '../../../src/base/memory.ts';
import { type Disk, DiskError } from '../../../src/log/disk.ts';
import { loadAddon } from '../../../src/runtime/ground/addon.ts';
import type { Native } from '../../../src/runtime/ground/native.ts';
import { NativeDisk, nativeMemory } from '../../../src/runtime/ground/native-disk.ts';
import { PortableDisk } from '../../../src/runtime/ground/portable-disk.ts';
import { temporaryFolder } from '../../native/kit.ts';

const native = loadAddon();
const root = temporaryFolder();
let names = 0;
const fresh = () => join(root, `disk-${names++}`);

/** The code of the DiskError that the call ends with. */
function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof DiskError) return error.code;
    throw error;
  }
  return 'none';
}

interface Kind {
  readonly name: string;
  disk(): Disk;
  memory(bytes: Uint8Array): Memory;
}

const kinds: Kind[] = [
  { name: 'portable', disk: () => new PortableDisk(), memory: (bytes) => memoryOver(bytes) },
  ...(native === null
    ? []
    : [
        {
          name: 'native',
          disk: () => new NativeDisk(native),
          memory: (bytes: Uint8Array) => nativeMemory(native, bytes),
        },
        {
          name: 'native, with memory the addon does not know',
          disk: () => new NativeDisk(native),
          memory: (bytes: Uint8Array) => memoryOver(bytes),
        },
      ]),
];

describe.each(kinds)('the $name disk', (kind) => {
  const disk = kind.disk();
  const shared = kind.memory(new Uint8Array(new SharedArrayBuffer(1000)));
  for (let i = 0; i < 1000; i++) shared.bytes[i] = i % 251;

  it('writes pieces one behind the other and reads them back, up to the end', () => {
    const path = fresh();
    const file = disk.open(path, 'create');
    const plain = kind.memory(new Uint8Array([1, 2, 3]));
    const pieces = new Pieces();
    pieces.add(shared, 100, 50);
    pieces.add(plain, 0, 0);
    pieces.add(plain, 1, 2);
    pieces.add(shared, 0, 10);
    disk.write(file, 20, pieces);
    expect(disk.size(file)).toBe(82);
    const expected = [...shared.bytes.subarray(100, 150), 2, 3, ...shared.bytes.subarray(0, 10)];
    expect([...readFileSync(path).subarray(20)]).toEqual(expected);
    const into = kind.memory(new Uint8Array(new SharedArrayBuffer(200)));
    expect(disk.read(file, 20, into, 5, 195)).toBe(62);
    expect([...into.bytes.subarray(5, 67)]).toEqual(expected);
    expect(disk.read(file, 20, into, 0, 7)).toBe(7);
    expect(disk.read(file, 82, into, 0, 7)).toBe(0);
    pieces.clear();
    disk.write(file, 0, pieces);
    disk.sync(file);
    disk.close(file);
  });

  it('writes bytes of any length', () => {
    const path = fresh();
    const file = disk.open(path, 'create');
    const bytes = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7) & 0xff);
    disk.writeBytes(file, 3, bytes);
    disk.writeBytes(file, 0, bytes.subarray(0, 0));
    expect(Buffer.compare(readFileSync(path).subarray(3), bytes)).toBe(0);
    disk.truncate(file, 4);
    expect([...(disk.readFile(path) ?? [])]).toEqual([0, 0, 0, 0]);
    disk.close(file);
  });

  it('opens for what it is asked', () => {
    const path = fresh();
    expect(codeOf(() => disk.open(path, 'read'))).toBe('ENOENT');
    expect(codeOf(() => disk.open(path, 'write'))).toBe('ENOENT');
    const file = disk.open(path, 'create');
    disk.writeBytes(file, 0, Uint8Array.of(1, 2));
    disk.close(disk.open(path, 'create'));
    expect(disk.size(file)).toBe(2);
    const reader = disk.open(path, 'read');
    expect(codeOf(() => disk.writeBytes(reader, 0, Uint8Array.of(1)))).toBe('EBADF');
    disk.close(reader);
    disk.close(file);
    expect(codeOf(() => disk.open(join(path, 'below'), 'create'))).toBe('ENOTDIR');
  });

  it('names operation, path and code in its errors', () => {
    const path = join(root, 'missing');
    expect(() => disk.open(path, 'read')).toThrow(`open ${path}: ENOENT`);
    expect(() => disk.remove(path)).toThrow(`remove ${path}: ENOENT`);
    expect(() => disk.rename(path, fresh())).toThrow(`rename ${path}: ENOENT`);
    expect(() => disk.list(path)).toThrow(`list ${path}: ENOENT`);
    expect(() => disk.syncDirectory(path)).toThrow(`syncDirectory ${path}: ENOENT`);
    expect(() => disk.size(9999)).toThrow('size descriptor 9999: EBADF');
    expect(disk.readFile(path)).toBe(null);
    expect(codeOf(() => disk.readFile(root))).toBe('EISDIR');
  });

  it('says when there is no room', () => {
    const full = disk.open('/dev/full', 'write');
    const pieces = new Pieces();
    pieces.add(shared, 0, 10);
    expect(codeOf(() => disk.write(full, 0, pieces))).toBe('ENOSPC');
    expect(codeOf(() => disk.writeBytes(full, 0, Uint8Array.of(1)))).toBe('ENOSPC');
    disk.close(full);
  });

  it('keeps directories', () => {
    const top = fresh();
    const deep = join(top, 'a', 'b');
    disk.makeDirectory(deep);
    disk.makeDirectory(deep);
    writeFileSync(join(deep, 'file'), '');
    expect([disk.isDirectory(deep), disk.isDirectory(join(deep, 'file')), disk.isDirectory(join(top, 'x'))]).toEqual([
      true,
      false,
      false,
    ]);
    expect([disk.exists(deep), disk.exists(join(deep, 'file')), disk.exists(join(top, 'x'))]).toEqual([
      true,
      true,
      false,
    ]);
    disk.rename(join(deep, 'file'), join(deep, 'renamed'));
    expect(disk.list(deep)).toEqual(['renamed']);
    expect(codeOf(() => disk.removeDirectory(deep))).toBe('ENOTEMPTY');
    disk.remove(join(deep, 'renamed'));
    disk.removeDirectory(deep);
    expect(disk.list(join(top, 'a'))).toEqual([]);
    disk.syncDirectory(top);
  });

  const indexes = [
    ['offset', 8, (view: DataView, at: number, key: number) => view.setInt32(at, key)],
    ['time', 12, (view: DataView, at: number, key: number) => view.setBigInt64(at, BigInt(key))],
  ] as const;

  it.each(indexes)('searches an %s index while it grows, and no further than asked', (name, bytes, put) => {
    const path = fresh();
    const file = disk.open(path, 'create');
    const entry = new DataView(new ArrayBuffer(bytes * 1000));
    for (let entries = 0; entries < 20_000; entries += 1000) {
      for (let i = 0; i < 1000; i++) put(entry, i * bytes, (entries + i) * 3);
      disk.writeBytes(file, entries * bytes, new Uint8Array(entry.buffer));
      expect(disk.searchIndex(file, name, entries + 1000, 1e9)).toBe(entries + 999);
      expect(disk.searchIndex(file, name, entries + 500, 1e9)).toBe(entries + 499);
      expect(disk.searchIndex(file, name, entries + 1000, -1)).toBe(-1);
    }
    for (let target = 0; target < 60_000; target += 997) {
      expect(disk.searchIndex(file, name, 20_000, target)).toBe(Math.floor(target / 3));
    }
    expect(disk.searchIndex(file, name, 0, 5)).toBe(-1);
    truncateSync(path, 0);
    expect(codeOf(() => disk.searchIndex(file, name, 20_000, 5))).toBe('EIO');
    put(entry, 0, 4);
    disk.writeBytes(file, 0, new Uint8Array(entry.buffer));
    expect([3, 4].map((target) => disk.searchIndex(file, name, 1, target))).toEqual([-1, 0]);
    disk.close(file);
    expect(codeOf(() => disk.searchIndex(file, name, 20_000, 5))).toBe('EBADF');
  });

  it('searches the new file when a descriptor is used again', () => {
    const [one, two] = [fresh(), fresh()];
    const view = new DataView(new ArrayBuffer(16));
    view.setInt32(8, 100);
    writeFileSync(one, view);
    view.setInt32(8, 5);
    writeFileSync(two, view);
    const first = disk.open(one, 'read');
    expect(disk.searchIndex(first, 'offset', 2, 50)).toBe(0);
    disk.close(first);
    const second = disk.open(two, 'read');
    expect(second).toBe(first);
    expect(disk.searchIndex(second, 'offset', 2, 50)).toBe(1);
    const other = kind.disk();
    expect(other.searchIndex(second, 'offset', 2, 50)).toBe(1);
    disk.close(second);
    const third = disk.open(one, 'read');
    expect(third).toBe(first);
    expect(other.searchIndex(third, 'offset', 2, 50)).toBe(0);
    disk.close(third);
  });

  it.each(kinds)('locks a file against the $name disk', (otherKind) => {
    const path = fresh();
    const other = otherKind.disk();
    const lock = disk.lock(path);
    expect(codeOf(() => disk.lock(path))).toBe('EAGAIN');
    expect(codeOf(() => other.lock(path))).toBe('EAGAIN');
    disk.close(lock);
    const next = other.lock(path);
    expect(codeOf(() => disk.lock(path))).toBe('EAGAIN');
    other.close(next);
    disk.close(disk.lock(path));
  });

  it('locks a file against other processes, until they are killed', async () => {
    const path = fresh();
    const script = new URL('./lock-holder.ts', import.meta.url).pathname;
    const holder = spawn(process.execPath, [script, path, kind.name], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(codeOf(() => disk.lock(path))).toBe('EAGAIN');
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    disk.close(disk.lock(path));
  });

  it('takes a lock file whose owner is gone, or never was one', () => {
    const gone = spawnSync('true').pid;
    for (const text of ['', `${gone} 1\n`, `${gone} \n`, `${process.pid} 1\n`, 'something else']) {
      const path = fresh();
      writeFileSync(path, text);
      const lock = disk.lock(path);
      expect(codeOf(() => disk.lock(path))).toBe('EAGAIN');
      disk.close(lock);
    }
    expect(readdirSync(root).filter((name) => name.includes('.new.') || name.includes('.old.'))).toEqual([]);
    const nowhere = join(root, 'no-such-folder', 'lock');
    expect(codeOf(() => disk.lock(nowhere))).toBe('ENOENT');
    expect(existsSync(nowhere)).toBe(false);
    const folder = fresh();
    mkdirSync(folder);
    expect(codeOf(() => disk.lock(folder))).toBe('EISDIR');
  });
});

describe.runIf(native !== null)('the native disk', () => {
  /** The addon, but no call takes more than `most` bytes. */
  function hesitant(most: number): Native {
    const addon = native as Native;
    return {
      ...addon,
      write: (file, memory, offset, length, position) =>
        addon.write(file, memory, offset, Math.min(length, most), position),
      read: (file, memory, offset, length, position) =>
        addon.read(file, memory, offset, Math.min(length, most), position),
      writePieces: (file, table, first, count, position) => {
        const short = table.slice(first * 3, (first + count) * 3);
        let left = most;
        for (let i = 0; i < count; i++) {
          short[i * 3 + 2] = Math.min(short[i * 3 + 2] as number, left);
          left -= short[i * 3 + 2] as number;
        }
        return addon.writePieces(file, short, 0, count, position);
      },
    };
  }

  it.each([1, 2, 3, 5, 7, 16, 1000])('goes on after writes and reads of %i bytes at most', (most) => {
    const addon = native as Native;
    const disk = new NativeDisk(hesitant(most));
    const memory = nativeMemory(
      addon,
      Uint8Array.from({ length: 300 }, (_, i) => i),
    );
    const pieces = new Pieces();
    const expected: number[] = [];
    for (const [offset, length] of [
      [0, 7],
      [50, 0],
      [100, 1],
      [10, 30],
      [3, 0],
      [200, 16],
      [9, 9],
    ] as const) {
      pieces.add(memory, offset, length);
      expected.push(...memory.bytes.subarray(offset, offset + length));
    }
    const file = disk.open(fresh(), 'create');
    disk.write(file, 0, pieces);
    const into = nativeMemory(addon, new Uint8Array(100));
    expect(disk.read(file, 0, into, 0, 100)).toBe(expected.length);
    expect([...into.bytes.subarray(0, expected.length)]).toEqual(expected);
    disk.close(file);
  });

  it('fails a write that takes nothing', () => {
    const disk = new NativeDisk(hesitant(0));
    const memory = nativeMemory(native as Native, new Uint8Array(10));
    const pieces = new Pieces();
    pieces.add(memory, 0, 10);
    const file = disk.open(fresh(), 'create');
    expect(codeOf(() => disk.write(file, 0, pieces))).toBe('EIO');
    expect(codeOf(() => disk.writeBytes(file, 0, new Uint8Array(1)))).toBe('EIO');
    disk.close(file);
  });
});
