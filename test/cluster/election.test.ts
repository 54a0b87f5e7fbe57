import { describe, expect, it } from 'vitest';
import { afterLoss, afterRegistration, electLeader } from '../../src/cluster/election.ts';
import type { PartitionImage } from '../../src/cluster/image.ts';

function partition(leader: number, replicas: number[], isr: number[]): PartitionImage {
  return { leader, leaderEpoch: 5, partitionEpoch: 9, replicas, isr };
}

function live(...ids: number[]): (id: number) => boolean {
  return (id) => ids.includes(id);
}

describe('the leader', () => {
  it.each<[string, number[], number[], number[], number]>([
    ['is the first replica of the assignment', [2, 1, 3], [1, 2, 3], [1, 2, 3], 2],
    ['is alive', [2, 1, 3], [1, 2, 3], [1, 3], 1],
    ['is in the ISR', [2, 1, 3], [3], [1, 2, 3], 3],
    ['is none when nobody in the ISR is alive', [2, 1, 3], [3], [1, 2], -1],
    ['is never chosen by the order of the ISR', [1, 2, 3], [3, 2, 1], [2, 3], 2],
  ])('%s', (_, replicas, isr, alive, leader) => {
    expect(electLeader(replicas, isr, live(...alive))).toBe(leader);
  });
});

/** What is expected: leader, ISR, whether the leader epoch grows; null for no change at all. */
type Row = [what: string, was: PartitionImage, alive: number[], next: [number, number[], boolean] | null];

function expectNext(was: PartitionImage, got: PartitionImage | null, next: Row[3]): void {
  if (next === null) {
    expect(got).toBeNull();
    return;
  }
  const [leader, isr, grows] = next;
  expect(got).toEqual({ leader, isr, leaderEpoch: grows ? 6 : 5, partitionEpoch: 10, replicas: was.replicas });
}

describe('broker 1 has registered', () => {
  it.each<Row>([
    ['it leads again, in a new epoch', partition(1, [1], [1]), [1], [1, [1], true]],
    ['it gets a partition back that had no leader', partition(-1, [1], [1]), [1], [1, [1], true]],
    ['it has no part in the partition', partition(2, [2, 3], [2, 3]), [1, 2, 3], null],
    ['another one leads and it was not in the ISR', partition(2, [1, 2], [2]), [1, 2], null],
    ['another one leads: it must catch up first', partition(2, [1, 2], [1, 2]), [1, 2], [2, [2], false]],
    ['it led, but another one knows everything', partition(1, [1, 2], [1, 2]), [1, 2], [2, [2], true]],
    ['it led, and the other one is dead', partition(1, [1, 2], [1, 2]), [1], [1, [1], true]],
    ['the leader is dead and it is not in the ISR', partition(2, [1, 2], [2]), [1], [-1, [2], true]],
    ['nobody leads and it is not in the ISR', partition(-1, [1, 2], [2]), [1], null],
  ])('%s', (_, was, alive, next) => {
    expectNext(was, afterRegistration(was, 1, live(...alive)), next);
  });
});

describe('broker 1 is lost', () => {
  it.each<Row>([
    ['it led alone: it stays the one that knows everything', partition(1, [1], [1]), [], [-1, [1], true]],
    ['the next one in the assignment takes over', partition(1, [1, 3, 2], [1, 2, 3]), [2, 3], [3, [2, 3], true]],
    ['it only followed', partition(2, [1, 2], [1, 2]), [2], [2, [2], false]],
    ['it was not in the ISR', partition(2, [1, 2], [2]), [2], null],
    ['it has no part in the partition', partition(2, [2], [2]), [2], null],
    ['those left in the ISR are dead, too', partition(1, [1, 2], [1, 2]), [], [-1, [2], true]],
    ['there was no leader already', partition(-1, [1], [1]), [], null],
  ])('%s', (_, was, alive, next) => {
    expectNext(was, afterLoss(was, 1, live(...alive)), next);
  });
});
