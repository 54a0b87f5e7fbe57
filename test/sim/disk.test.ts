/** The simulated disk itself: a copy of it may end in any way, and the disk it was made of goes on. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { SimulatedDisk } from './disk.ts';

const TEXT = new TextDecoder();

function write(disk: SimulatedDisk, path: string, text: string, synced: boolean): void {
  const file = disk.open(path, 'create');
  disk.writeBytes(file, 0, new TextEncoder().encode(text));
  if (synced) disk.sync(file);
  disk.close(file);
}

function read(disk: SimulatedDisk, path: string): string | null {
  const bytes = disk.readFile(path);
  return bytes === null ? null : TEXT.decode(bytes);
}

/** A directory and one file in it, both durable; the file has another name and more in it since. */
function changed(): SimulatedDisk {
  const disk = new SimulatedDisk();
  disk.makeDirectory('/data');
  disk.syncDirectory('/');
  write(disk, '/data/old', 'synced', true);
  disk.syncDirectory('/data');
  write(disk, '/data/old', 'SYNCED and more', false);
  disk.rename('/data/old', '/data/new');
  return disk;
}

test('a copy shows what the disk shows, and neither sees what becomes of the other', () => {
  const disk = changed();
  const copy = disk.fork();
  expect([copy.list('/data'), read(copy, '/data/new')]).toEqual([['new'], 'SYNCED and more']);
  copy.remove('/data/new');
  write(disk, '/data/new', 'again', false);
  expect([disk.list('/data'), copy.list('/data')]).toEqual([['new'], []]);
});

test('a copy loses in a crash what the disk could lose, and nothing that was synced', () => {
  const seen = new Set<string>();
  const disk = changed();
  for (let seed = 0; seed < 200; seed++) {
    const copy = disk.fork();
    copy.crash(new SeededRandom(seed));
    const [name] = copy.list('/data');
    const text = read(copy, `/data/${name}`) ?? '';
    expect(text.length).toBeGreaterThanOrEqual('synced'.length);
    seen.add(`${name} ${text}`);
  }
  for (const name of ['old', 'new'])
    for (const text of ['synced', 'SYNCED and more']) expect(seen).toContain(`${name} ${text}`);
  expect(seen.size).toBeGreaterThan(8);
  expect(read(disk, '/data/new')).toBe('SYNCED and more');
});

test('what is synced under its new name stays, whatever name it has', () => {
  const disk = changed();
  const copy = disk.fork();
  const file = copy.open('/data/new', 'write');
  copy.sync(file);
  for (let seed = 0; seed < 20; seed++) {
    const torn = copy.fork();
    torn.crash(new SeededRandom(seed));
    expect(read(torn, `/data/${torn.list('/data')[0]}`)).toBe('SYNCED and more');
  }
});
