/** Fetch sessions: ids name their processor, epochs count, places are limited, and sessions move with their connection. */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import {
  type FetchedPartition,
  type FetchSession,
  FetchSessions,
  nextEpoch,
  partitionKey,
} from '../../src/replica/fetch-session.ts';
import { ERROR } from '../../src/wire/errors.ts';

function sessions(processor = 3, slots = 10, evictAfterMs = 1_000): FetchSessions {
  return new FetchSessions(processor, slots, new SeededRandom(9), evictAfterMs);
}

function partition(topic: string): FetchedPartition {
  return {
    topic,
    topicId: '',
    partition: 0,
    fetchOffset: 7,
    bytesMax: 1,
    leaderEpoch: -1,
    sentHighWatermark: 5,
    sentLogStart: 0,
  };
}

describe('fetch sessions', () => {
  test('hold a bounded number of partitions together: one that grows beyond is over, and what ends makes room', () => {
    const kept = new FetchSessions(3, 10, new SeededRandom(9), 1_000, 5);
    const [a, b] = [1, 2].map((connection) => kept.create(connection, false, 0)) as [FetchSession, FetchSession];
    const add = (session: FetchSession, ...names: string[]): boolean => {
      for (const name of names) session.partitions.set(name, partition(name));
      return kept.fit(session);
    };
    expect([add(a, 'x', 'y'), add(b, 'x', 'y', 'z')]).toEqual([true, true]);
    a.partitions.delete('y');
    expect([kept.fit(a), add(a, 'z')]).toEqual([true, true]);
    expect(add(b, 'w')).toBe(false);
    expect(kept.use(b.id, 1, false, 0)).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    const c = kept.create(3, false, 0) as FetchSession;
    expect(add(c, 'x', 'y', 'z')).toBe(true);
    // They take their partitions along when their connection moves, and when it goes.
    const moved = kept.take(3);
    const d = kept.create(4, false, 0) as FetchSession;
    expect(add(d, 'x', 'y', 'z')).toBe(true);
    kept.drop(4);
    kept.adopt(moved, 5);
    expect(add(a, 'w')).toBe(false);
  });

  test('ids are positive, different and carry the processor in their low five bits', () => {
    const kept = sessions(31, 3_000);
    const ids = new Set<number>();
    for (let i = 0; i < 3_000; i++) {
      const { id, epoch } = kept.create(1, false, 0) as FetchSession;
      expect(id & 31).toBe(31);
      expect(id).toBeGreaterThan(31);
      expect(id).toBeLessThanOrEqual(0x7fffffff);
      expect(epoch).toBe(1);
      ids.add(id);
    }
    expect(ids.size).toBe(3_000);
    expect(kept.count).toBe(3_000);
  });

  test('the dice at both ends still give a valid id', () => {
    for (const roll of [0, 0x03fffffd]) {
      const dice = { below: (limit: number) => Math.min(roll, limit - 1), bytes16: () => new Uint8Array(16) };
      const { id } = new FetchSessions(0, 1, dice).create(1, true, 0) as FetchSession;
      expect(id).toBeGreaterThan(0);
      expect(id | 0).toBe(id);
    }
  });

  test('epochs count up by one and wrap to 1', () => {
    expect(nextEpoch(1)).toBe(2);
    expect(nextEpoch(0x7ffffffe)).toBe(0x7fffffff);
    expect(nextEpoch(0x7fffffff)).toBe(1);
    const kept = sessions();
    const session = kept.create(1, false, 0) as FetchSession;
    expect(kept.use(session.id, 1, false, 5)).toBe(session);
    expect(session.usedAt).toBe(5);
    expect(kept.use(session.id, 1, false, 6)).toBe(ERROR.INVALID_FETCH_SESSION_EPOCH);
    expect(kept.use(session.id, 3, false, 6)).toBe(ERROR.INVALID_FETCH_SESSION_EPOCH);
    expect(kept.use(session.id, 2, true, 6)).toBe(ERROR.FETCH_SESSION_TOPIC_ID_ERROR);
    expect(kept.use(session.id, 2, false, 6)).toBe(session);
    expect(kept.use(session.id + 32, 3, false, 6)).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    kept.remove(session.id);
    expect(kept.use(session.id, 3, false, 6)).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
  });

  test('when all places are taken only the one unused for longest gives way, and only after its time', () => {
    const kept = sessions(0, 2);
    const first = kept.create(1, false, 0) as FetchSession;
    const second = kept.create(1, false, 100) as FetchSession;
    expect(kept.create(1, false, 999)).toBeNull();
    expect(kept.use(first.id, 1, false, 500)).toBe(first);
    expect(kept.create(1, false, 1_099)).toBeNull();
    const third = kept.create(1, false, 1_100) as FetchSession;
    expect(kept.count).toBe(2);
    expect(kept.use(second.id, 1, false, 1_100)).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    expect(kept.use(first.id, 2, false, 1_100)).toBe(first);
    expect(kept.use(third.id, 1, false, 1_100)).toBe(third);
    expect(sessions(0, 0).create(1, false, 0)).toBeNull();
  });

  test('those of a connection go with it: dropped, or taken along with all they know', () => {
    const here = sessions(1);
    const moving = here.create(7, true, 0) as FetchSession;
    const staying = here.create(8, false, 0) as FetchSession;
    moving.partitions.set('a', partition('a'));
    here.use(moving.id, 1, true, 3);
    const there = sessions(2);
    there.adopt(structuredClone(here.take(7)), 55);
    expect(here.count).toBe(1);
    expect(here.use(moving.id, 2, true, 4)).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    const arrived = there.use(moving.id, 2, true, 4) as FetchSession;
    expect(arrived.connection).toBe(55);
    expect(arrived.partitions.get('a')).toEqual(partition('a'));
    there.drop(55);
    expect(there.count).toBe(0);
    here.drop(7);
    expect(here.use(staying.id, 1, false, 4)).toBe(staying);
  });

  test('keys keep names, ids and numbers apart', () => {
    const id = '\0'.repeat(15);
    const keys = [
      partitionKey('a', '', 11),
      partitionKey('a1', '', 1),
      partitionKey('', `${id}1`, 1),
      partitionKey('', `${id}1`, 11),
      partitionKey('', `${id}2`, 1),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
