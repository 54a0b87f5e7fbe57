import { expect, test } from 'vitest';
import {
  deletedDirectory,
  fileName,
  LOG,
  leadingOffset,
  offsetOf,
  PRODUCER_SNAPSHOT,
  parentOf,
  parsePartitionDirectory,
} from '../../src/log/names.ts';

test('a file is called by twenty digits of its first offset', () => {
  expect(fileName(0, LOG)).toBe('00000000000000000000.log');
  expect(fileName(1_234_567, PRODUCER_SNAPSHOT)).toBe('00000000000001234567.snapshot');
  expect(fileName(Number.MAX_SAFE_INTEGER, LOG)).toBe('00009007199254740991.log');
});

test('names that are not ours have no offset', () => {
  expect(offsetOf('00000000000000000042.log', LOG)).toBe(42);
  const garbage = ['42.log', '00000000000000000042.logs', '0000000000000000004x.log', '00000000000000000042.index'];
  for (const name of [...garbage, '-0000000000000000042.log', '99999999999999999999.log', '.log', '']) {
    expect(offsetOf(name, LOG), name).toBe(-1);
  }
});

test('the offset in front of any ending', () => {
  expect(leadingOffset('00000000000000000007.log.deleted')).toBe(7);
  expect(leadingOffset('00000000000000000007')).toBe(-1);
  expect(leadingOffset('leader-epoch-checkpoint')).toBe(-1);
});

test('partition directories', () => {
  expect(parsePartitionDirectory('orders-0')).toEqual({ topic: 'orders', partition: 0 });
  expect(parsePartitionDirectory('a-b-12')).toEqual({ topic: 'a-b', partition: 12 });
  for (const name of [
    'orders',
    'orders-',
    '-1',
    'orders-01',
    'orders--',
    'or ders-1',
    'orders-99999999999',
    `${'x'.repeat(250)}-1`,
  ]) {
    expect(parsePartitionDirectory(name), name).toBeNull();
  }
});

test('a deleted directory keeps within what a file system takes as a name', () => {
  const id = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
  expect(deletedDirectory('orders', 3, id)).toBe('orders-3.00102030405060708090a0b0c0d0e0f0-delete');
  const long = deletedDirectory('t'.repeat(249), 10_000, id);
  expect(long).toHaveLength(255);
  expect(long).toMatch(/^t+-10000\.[0-9a-f]{32}-delete$/);
});

test('the directory above', () => {
  expect(parentOf('/data/orders-0')).toBe('/data');
  expect(parentOf('/data')).toBe('/');
});
