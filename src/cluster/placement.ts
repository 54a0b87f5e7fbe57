/** Where the replicas of new partitions go: spread over the brokers as Kafka does when it looks at no racks. Pure. */
import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';

export interface PlacementStart {
  /** Index among the sorted brokers of partition 0's first replica. */
  readonly broker: number;
  /** How far the second replica stands from the first, less one. */
  readonly shift: number;
}

export function randomStart(brokers: number, random: Random): PlacementStart {
  return { broker: random.below(brokers), shift: random.below(brokers) };
}

/**
 * Replica lists for partitions `first` ... `first + count - 1`. First replicas go round the brokers; the others follow at
 * a distance that grows by one with each full round, so that the load of a lost broker falls on different ones.
 * Example, 5 brokers, start 0 and 0: 0,1,2 · 1,2,3 · 2,3,4 · 3,4,0 · 4,0,1 · 0,2,3 · 1,3,4 ...
 */
export function placeReplicas(
  brokers: readonly number[],
  first: number,
  count: number,
  replicationFactor: number,
  start: PlacementStart,
): number[][] {
  const n = brokers.length;
  assert(replicationFactor >= 1 && replicationFactor <= n, 'replication factor does not fit', { replicationFactor, n });
  const sorted = brokers.toSorted((a, b) => a - b);
  const placed: number[][] = [];
  let shift = start.shift;
  for (let partition = first; partition < first + count; partition++) {
    if (partition > 0 && partition % n === 0) shift += 1;
    const leader = (partition + start.broker) % n;
    const replicas = [sorted[leader] as number];
    for (let i = 0; i < replicationFactor - 1; i++) {
      const distance = 1 + ((shift + i) % (n - 1));
      replicas.push(sorted[(leader + distance) % n] as number);
    }
    placed.push(replicas);
  }
  return placed;
}
