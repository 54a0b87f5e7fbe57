import { expect, test } from 'vitest';
import { MalformedCheckpoint } from '../../src/log/checkpoint.ts';
import { LeaderEpochs, NO_EPOCH } from '../../src/log/leader-epochs.ts';

function epochs(...pairs: [epoch: number, startOffset: number][]): LeaderEpochs {
  const made = new LeaderEpochs();
  for (const [epoch, startOffset] of pairs) made.assign(epoch, startOffset);
  return made;
}

const pairs = (of: LeaderEpochs) => of.entries.map(({ epoch, startOffset }) => [epoch, startOffset]);

test('an epoch begins where its first batch does', () => {
  const three = epochs([0, 0], [0, 5], [2, 9], [2, 12], [5, 20]);
  expect(pairs(three)).toEqual([
    [0, 0],
    [2, 9],
    [5, 20],
  ]);
  expect(three.latest).toBe(5);
  expect([0, 8, 9, 19, 20, 1000].map((offset) => three.epochOf(offset))).toEqual([0, 0, 2, 2, 5, 5]);
  expect(new LeaderEpochs().latest).toBe(NO_EPOCH);
  expect(epochs([3, 10]).epochOf(9)).toBe(NO_EPOCH);
});

test('entries that contradict a new one go', () => {
  expect(pairs(epochs([0, 0], [2, 9], [4, 12], [3, 10]))).toEqual([
    [0, 0],
    [2, 9],
    [3, 10],
  ]);
});

test('where an epoch ends', () => {
  const three = epochs([1, 4], [3, 10], [6, 25]);
  expect(three.endOffsetFor(6, 40)).toEqual({ epoch: 6, endOffset: 40 });
  expect(three.endOffsetFor(3, 40)).toEqual({ epoch: 3, endOffset: 25 });
  expect(three.endOffsetFor(4, 40)).toEqual({ epoch: 3, endOffset: 25 });
  expect(three.endOffsetFor(1, 40)).toEqual({ epoch: 1, endOffset: 10 });
  expect(three.endOffsetFor(0, 40)).toEqual({ epoch: 0, endOffset: 4 });
  expect(three.endOffsetFor(7, 40)).toBeNull();
  expect(three.endOffsetFor(-1, 40)).toBeNull();
});

test('cutting the end takes epochs that begin there', () => {
  const three = epochs([0, 0], [1, 10], [2, 20]);
  three.changed = false;
  three.truncateFromEnd(25);
  expect(three.changed).toBe(false);
  three.truncateFromEnd(20);
  expect(pairs(three)).toEqual([
    [0, 0],
    [1, 10],
  ]);
  expect(three.changed).toBe(true);
});

test('cutting the start keeps the epoch that holds it', () => {
  const three = epochs([0, 0], [1, 10], [2, 20]);
  three.truncateFromStart(15);
  expect(pairs(three)).toEqual([
    [1, 15],
    [2, 20],
  ]);
  three.truncateFromStart(20);
  expect(pairs(three)).toEqual([[2, 20]]);
  three.changed = false;
  three.truncateFromStart(20);
  three.truncateFromStart(5);
  expect(three.changed).toBe(false);
});

test("Kafka's text and back", () => {
  const text = '0\n2\n0 0\n7 1234\n';
  const read = LeaderEpochs.parse(text, 'f');
  expect(read.changed).toBe(false);
  expect(read.format()).toBe(text);
  expect(() => LeaderEpochs.parse('0\n1\nx 0\n', 'f')).toThrow(MalformedCheckpoint);
  expect(() => LeaderEpochs.parse('', 'f')).toThrow(MalformedCheckpoint);
});
