import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { placeReplicas, randomStart } from '../../src/cluster/placement.ts';

it("spreads as in Kafka's own example", () => {
  expect(placeReplicas([0, 1, 2, 3, 4], 0, 10, 3, { broker: 0, shift: 0 })).toEqual([
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 4],
    [3, 4, 0],
    [4, 0, 1],
    [0, 2, 3],
    [1, 3, 4],
    [2, 4, 0],
    [3, 0, 1],
    [4, 1, 2],
  ]);
});

it('goes on where it left off', () => {
  const start = { broker: 2, shift: 1 };
  const brokers = [5, 3, 9, 7];
  const whole = placeReplicas(brokers, 0, 12, 2, start);
  const again = placeReplicas(brokers, 8, 4, 2, { broker: start.broker, shift: start.shift + 1 });
  expect(again).toEqual(whole.slice(8));
});

it('gives each partition distinct brokers, and each broker as many first replicas as the others', () => {
  const property = fc.property(
    fc.uniqueArray(fc.nat(100), { minLength: 1, maxLength: 9 }),
    fc.integer({ min: 1, max: 60 }),
    fc.nat(),
    fc.nat(),
    (brokers, count, factor, seed) => {
      const replicationFactor = 1 + (factor % brokers.length);
      const start = randomStart(brokers.length, new SeededRandom(seed));
      const placed = placeReplicas(brokers, 0, count, replicationFactor, start);
      const leads = new Map<number, number>(brokers.map((id) => [id, 0]));
      expect(placed).toHaveLength(count);
      for (const replicas of placed) {
        expect(replicas).toHaveLength(replicationFactor);
        expect(new Set(replicas).size).toBe(replicationFactor);
        for (const id of replicas) expect(brokers).toContain(id);
        const first = replicas[0] as number;
        leads.set(first, (leads.get(first) as number) + 1);
      }
      expect(Math.max(...leads.values()) - Math.min(...leads.values())).toBeLessThanOrEqual(1);
    },
  );
  fc.assert(property, { numRuns: 300 });
});
