/** The seeded dice: the published generator, the same numbers for the same seed, within bounds and spread. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';

const MASK = 0xffff_ffffn;
const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & MASK;

/** xoshiro128** as its authors wrote it down, in whole numbers without bounds. */
function* reference(seed: number): Generator<number> {
  const s: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
  let z = BigInt(seed) & MASK;
  for (let i = 0; i < 4; i++) {
    z = (z + 0x9e3779b9n) & MASK;
    let t = z ^ (z >> 16n);
    t = (t * 0x21f0aaadn) & MASK;
    t ^= t >> 15n;
    t = (t * 0x735a2d97n) & MASK;
    s[i] = t ^ (t >> 15n);
  }
  for (;;) {
    yield Number((rotate((s[1] * 5n) & MASK, 7n) * 9n) & MASK);
    const t = (s[1] << 9n) & MASK;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
  }
}

describe('seeded random', () => {
  test('gives the numbers of xoshiro128**', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (seed) => {
        const random = new SeededRandom(seed);
        const expected = reference(seed);
        for (let i = 0; i < 20; i++) expect(random.below(2 ** 32)).toBe(expected.next().value);
      }),
    );
  });

  test('stays below its limit and reaches every number', () => {
    const random = new SeededRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const at = random.below(10);
      counts[at] = (counts[at] as number) + 1;
    }
    expect(counts.length).toBe(10);
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200);
    expect(random.below(1)).toBe(0);
  });

  test('bytes are the low ones of successive numbers', () => {
    const expected = reference(42);
    expect(new SeededRandom(42).bytes16()).toEqual(
      Uint8Array.from({ length: 16 }, () => expected.next().value as number),
    );
  });
});
