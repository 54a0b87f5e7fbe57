import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { OPEN_READ } from '../../src/runtime/ground/native.ts';
import { describeNative, good, native, temporaryFolder } from './kit.ts';

const ENTRIES = 100_000;
const GONE = -5;

const folder = temporaryFolder();

function writeIndex(path: string): void {
  const view = new DataView(new ArrayBuffer(ENTRIES * 8));
  for (let i = 0; i < ENTRIES; i++) view.setInt32(i * 8, i * 10);
  writeFileSync(path, view);
}

describeNative('index maps', () => {
  it('answer EIO when their file was cut short, and the others go on', () => {
    const paths = ['whole', 'cut'].map((name) => join(folder, name)) as [string, string];
    const [whole, cut] = paths.map((path) => {
      writeIndex(path);
      const file = good(native.open(path, OPEN_READ));
      const map = good(native.map(file, ENTRIES * 8));
      good(native.close(file));
      return map;
    }) as [number, number];
    expect(native.searchOffset(cut, ENTRIES, 505)).toBe(50);
    truncateSync(paths[1], 0);
    for (let i = 0; i < 1000; i++) {
      expect(native.searchOffset(cut, ENTRIES, i * 10)).toBe(GONE);
      expect(native.searchTime(cut, 1000, i)).toBe(GONE);
      expect(native.searchOffset(whole, ENTRIES, i * 10 + 5)).toBe(i);
    }
    // It stays so until the file is mapped again.
    writeIndex(paths[1]);
    expect(native.searchOffset(cut, ENTRIES, 505)).toBe(GONE);
    good(native.unmap(cut));
    const file = good(native.open(paths[1], OPEN_READ));
    const again = good(native.map(file, ENTRIES * 8));
    expect(native.searchOffset(again, ENTRIES, 505)).toBe(50);
    good(native.unmap(again));
    good(native.unmap(whole));
    good(native.close(file));
  });

  it('see a file grow behind its earlier end', () => {
    const path = join(folder, 'grown');
    writeFileSync(path, new Uint8Array(0));
    const file = good(native.open(path, OPEN_READ));
    const map = good(native.map(file, ENTRIES * 8));
    writeIndex(path);
    expect(native.searchOffset(map, ENTRIES, 505)).toBe(50);
    good(native.unmap(map));
    good(native.close(file));
  });

  it('refuse more entries than they hold, no target, and a number that is no map', () => {
    const path = join(folder, 'small');
    writeFileSync(path, new Uint8Array(24));
    const file = good(native.open(path, OPEN_READ));
    const map = good(native.map(file, 24));
    expect(native.errorName(native.map(file, 0))).toBe('EINVAL');
    expect(() => native.searchOffset(map, 4, 0)).toThrow('4 entries');
    expect(() => native.searchTime(map, 3, 0)).toThrow('3 entries');
    expect(() => native.searchTime(map, -1, 0)).toThrow(TypeError);
    expect(() => native.searchOffset(map, 1, Number.NaN)).toThrow(TypeError);
    expect(native.searchOffset(map, 0, 5)).toBe(-1);
    good(native.unmap(map));
    expect(() => native.searchOffset(map, 1, 0)).toThrow('no map');
    expect(() => native.unmap(map)).toThrow(TypeError);
    good(native.close(file));
  });

  it('lose their pages in several threads at once', async () => {
    const path = join(folder, 'everywhere');
    writeIndex(path);
    const script = new URL('./search-thread.ts', import.meta.url);
    const workers = Array.from({ length: 4 }, () => new Worker(script, { workerData: { path, entries: ENTRIES } }));
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    truncateSync(path, 0);
    const ends = workers.map((worker) => new Promise<number>((resolve) => worker.once('exit', resolve)));
    expect(await Promise.all(ends)).toEqual([0, 0, 0, 0]);
  });

  it('leave every other bus error as deadly as it was', () => {
    const script = new URL('./bus-error.ts', import.meta.url).pathname;
    const run = spawnSync(process.execPath, [script, join(folder, 'unrelated')], { encoding: 'utf8' });
    expect(run.stdout).toBe('mapped\n');
    expect(run.signal).toBe('SIGBUS');
  });
});
