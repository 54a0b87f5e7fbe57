/** What a leader says of its log's offsets, over epochs that wrote much, little and nothing. */
import { describe, expect, test } from 'vitest';
import { type FoundOffset, findEpochEnd, findOffset } from '../../src/replica/offsets.ts';
import { LIST_OFFSETS_TIMESTAMP } from '../../src/wire/messages/list-offsets.ts';
import { NOW } from '../log/fixture.ts';
import { Opened } from '../log/opened.ts';

const NOTHING: FoundOffset = { error: 0, leaderEpoch: -1, timestamp: -1, offset: -1 };

function epochEnd(opened: Opened, epoch: number, current: number): [number, number] {
  const out = { ...NOTHING };
  findEpochEnd(opened.log, epoch, current, out);
  return [out.leaderEpoch, out.offset];
}

function offset(opened: Opened, timestamp: number, end: number, current = 5): FoundOffset {
  const out = { ...NOTHING };
  findOffset(opened.log, timestamp, end, current, out);
  return out;
}

describe('the end of an epoch', () => {
  test('in a log of epochs 2 and 4, led in epoch 6', () => {
    const opened = new Opened();
    opened.append({ count: 3 }, 2);
    opened.append({ count: 5 }, 4);
    expect([-2, -1, 0, 1, 2, 3, 4, 5, 6, 7].map((epoch) => epochEnd(opened, epoch, 6))).toEqual([
      [-1, -1],
      [-1, -1],
      [0, 0],
      [1, 0],
      [2, 3],
      [2, 3],
      [4, 8],
      [4, 8],
      [6, 8],
      [-1, -1],
    ]);
  });

  test('in an empty log', () => {
    const opened = new Opened();
    expect([-1, 0, 2, 3].map((epoch) => epochEnd(opened, epoch, 2))).toEqual([
      [-1, -1],
      [0, 0],
      [2, 0],
      [-1, -1],
    ]);
  });

  test('when the beginning of the log is deleted', () => {
    const opened = new Opened();
    opened.append({ count: 3 }, 2);
    opened.append({ count: 5 }, 4);
    opened.log.advanceLogStart(4);
    expect([2, 3, 4].map((epoch) => epochEnd(opened, epoch, 4))).toEqual([
      [2, 4],
      [3, 4],
      [4, 8],
    ]);
  });
});

describe('the offset of', () => {
  test('the ends of the log, with their epochs', () => {
    const opened = new Opened();
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.EARLIEST, 0)).toMatchObject({ offset: 0, leaderEpoch: 5 });
    opened.append({ count: 3 }, 2);
    opened.append({ count: 5 }, 4);
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.LATEST, 8)).toMatchObject({ offset: 8, leaderEpoch: 5 });
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.EARLIEST, 8)).toMatchObject({ offset: 0, leaderEpoch: 2 });
    opened.log.advanceLogStart(5);
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.EARLIEST_LOCAL, 8)).toMatchObject({ offset: 5, leaderEpoch: 4 });
    opened.log.advanceLogStart(8);
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.EARLIEST, 8)).toMatchObject({ offset: 8, leaderEpoch: 5 });
  });

  test('a moment and the newest record, never behind the end that may be read', () => {
    const opened = new Opened();
    opened.append({ count: 3, timestamp: NOW }, 2);
    opened.append({ count: 5, timestamp: NOW + 50 }, 4);
    expect(offset(opened, NOW + 1, 8)).toMatchObject({ offset: 1, timestamp: NOW + 1, leaderEpoch: 2 });
    expect(offset(opened, NOW + 3, 8)).toMatchObject({ offset: 3, timestamp: NOW + 50, leaderEpoch: 4 });
    expect(offset(opened, NOW + 3, 3)).toEqual(NOTHING);
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.MAX_TIMESTAMP, 8)).toMatchObject({ offset: 7, timestamp: NOW + 54 });
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP.MAX_TIMESTAMP, 7)).toEqual(NOTHING);
  });

  test.each(['LATEST_TIERED', 'EARLIEST_PENDING_UPLOAD'] as const)('%s: there is no such place', (place) => {
    const opened = new Opened();
    opened.append({ count: 3 });
    expect(offset(opened, LIST_OFFSETS_TIMESTAMP[place], 3)).toEqual(NOTHING);
  });
});
