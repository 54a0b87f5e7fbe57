import { beforeEach, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { CachedFile, FileCache } from '../../src/log/files.ts';
import { FileTable } from '../../src/log/leases.ts';
import { SimulatedDisk } from '../sim/disk.ts';

let disk: SimulatedDisk;
let table: FileTable;

beforeEach(() => {
  disk = new SimulatedDisk();
  disk.makeDirectory('/d');
  table = new FileTable(new Int32Array(FileTable.memory(8)), 0, 8);
});

const file = (name: string) => new CachedFile(`/d/${name}`, 'create');

test('a file is opened when it is needed, once', () => {
  const cache = new FileCache(disk, table, 4);
  const a = file('a');
  expect(cache.openFiles).toBe(0);
  expect(cache.descriptor(a)).toBe(cache.descriptor(a));
  expect(disk.calls.get('open')).toBe(1);
});

test('the one unused longest goes', () => {
  const cache = new FileCache(disk, table, 2);
  const [a, b, c] = [file('a'), file('b'), file('c')];
  cache.descriptor(a);
  cache.descriptor(b);
  cache.descriptor(a);
  cache.descriptor(c);
  expect([a, b, c].map((each) => each.slot >= 0)).toEqual([true, false, true]);
  expect(disk.openDescriptors).toBe(2);
});

test('a file under lease stays readable when it was let go and removed', () => {
  const cache = new FileCache(disk, table, 1);
  const a = file('a');
  disk.writeBytes(cache.descriptor(a), 0, Uint8Array.of(7));
  const slot = cache.lease(a);
  cache.descriptor(file('b'));
  disk.remove('/d/a');
  expect(a.slot).toBe(-1);
  const into = memoryOver(new Uint8Array(1));
  expect(disk.read(table.descriptor(slot), 0, into, 0, 1)).toBe(1);
  expect(into.bytes[0]).toBe(7);
  cache.release(slot);
  expect(disk.openDescriptors).toBe(1);
});

test('a file that is gone does not come back empty', () => {
  const cache = new FileCache(disk, table, 1);
  const a = file('a');
  cache.descriptor(a);
  cache.forget(a);
  disk.remove('/d/a');
  expect(() => cache.descriptor(a)).toThrow('ENOENT');
});

test('no slot left is an error of the system, and leaks nothing', () => {
  const small = new FileTable(new Int32Array(FileTable.memory(1)), 0, 1);
  const cache = new FileCache(disk, small, 1);
  const a = file('a');
  cache.lease(a);
  expect(() => cache.descriptor(file('b'))).toThrow('EMFILE');
  expect(disk.openDescriptors).toBe(1);
});

test('closing closes all that nobody leases', () => {
  const cache = new FileCache(disk, table, 4);
  const a = file('a');
  const slot = cache.lease(a);
  cache.descriptor(file('b'));
  cache.close();
  expect(cache.openFiles).toBe(0);
  expect(disk.openDescriptors).toBe(1);
  cache.release(slot);
  expect(disk.openDescriptors).toBe(0);
});

test('fewer files from now on: the next opening lets go of the rest', () => {
  const cache = new FileCache(disk, table, 4);
  for (const name of ['a', 'b', 'c', 'd']) cache.descriptor(file(name));
  cache.filesMax = 2;
  cache.descriptor(file('e'));
  expect(cache.openFiles).toBe(2);
  expect(disk.openDescriptors).toBe(2);
});
