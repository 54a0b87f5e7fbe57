import { beforeEach, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import {
  formatCheckpoint,
  formatOffsets,
  MalformedCheckpoint,
  parseCheckpoint,
  parseOffsets,
  readText,
  replaceFile,
} from '../../src/log/checkpoint.ts';
import { SimulatedDisk } from '../sim/disk.ts';

let disk: SimulatedDisk;

beforeEach(() => {
  disk = new SimulatedDisk();
  disk.makeDirectory('/d');
});

test("Kafka's text: version, count, entries", () => {
  const text = formatOffsets([
    { topic: 'orders', partition: 0, offset: 42 },
    { topic: 'a.b_c-d', partition: 12, offset: Number.MAX_SAFE_INTEGER },
  ]);
  expect(text).toBe('0\n2\norders 0 42\na.b_c-d 12 9007199254740991\n');
  expect(parseOffsets(text, 'f')).toEqual([
    { topic: 'orders', partition: 0, offset: 42 },
    { topic: 'a.b_c-d', partition: 12, offset: Number.MAX_SAFE_INTEGER },
  ]);
  expect(parseCheckpoint(formatCheckpoint([]), 'f')).toEqual([]);
});

test('a torn file is told from a whole one wherever it was torn', () => {
  const text = formatCheckpoint(['0 0', '5 1234', '6 99']);
  for (let length = 0; length < text.length; length++) {
    expect(() => parseCheckpoint(text.slice(0, length), 'f'), String(length)).toThrow(MalformedCheckpoint);
  }
});

test('damage is named with the file', () => {
  expect(() => parseCheckpoint('1\n0\n', '/d/f')).toThrow('/d/f is damaged: its version is "1"');
  expect(() => parseCheckpoint('0\n2\na 0 1\n', '/d/f')).toThrow('announces 2 entries and has 1');
  for (const line of ['a 0', 'a 0 1 2', 'a x 1', 'a 0 1.5', 'a 0 99999999999999999999', ' 0 1']) {
    expect(() => parseOffsets(`0\n1\n${line}\n`, 'f'), line).toThrow(MalformedCheckpoint);
  }
});

test('a durable replacement is there after power loss, whole', () => {
  for (let seed = 0; seed < 50; seed++) {
    const own = new SimulatedDisk();
    own.makeDirectory('/d');
    own.syncDirectory('/');
    replaceFile(own, '/d/f', 'one', true);
    replaceFile(own, '/d/f', 'the second', true);
    own.crash(new SeededRandom(seed));
    expect(readText(own, '/d/f')).toBe('the second');
  }
});

test('a replacement that fails leaves what was there, and no descriptor', () => {
  replaceFile(disk, '/d/f', 'one', true);
  for (const operation of ['open', 'writeBytes', 'sync', 'rename']) {
    disk.fault = (now) => (now === operation ? 'ENOSPC' : null);
    expect(() => replaceFile(disk, '/d/f', 'two', true)).toThrow('ENOSPC');
    disk.fault = null;
    expect(readText(disk, '/d/f')).toBe('one');
    expect(disk.openDescriptors).toBe(0);
  }
});
