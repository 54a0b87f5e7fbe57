/** The buddy allocator against a list of what is held: ranges never overlap, and what comes back makes the whole again. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena, arenaBytes, PAGE_BYTES } from '../../../src/runtime/net/arena.ts';

const PAGES = 32;
const START = 3 * PAGE_BYTES;

interface Held {
  readonly offset: number;
  readonly bytes: number;
}

type Step = { readonly take: number } | { readonly giveBack: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    take: fc.oneof(
      fc.integer({ min: 0, max: 4 * PAGE_BYTES }),
      fc.integer({ min: 0, max: PAGES }).map((pages) => pages * PAGE_BYTES),
      fc.integer({ min: 1, max: 40 * PAGE_BYTES }),
    ),
  }),
  fc.record({ giveBack: fc.nat() }),
);

/** The largest power of two of pages that lies free at a place that is a multiple of itself. */
function largestHole(held: readonly Held[]): number {
  const used = new Set<number>();
  for (const { offset, bytes } of held) {
    for (let at = 0; at < bytes; at += PAGE_BYTES) used.add((offset - START + at) / PAGE_BYTES);
  }
  for (let pages = PAGES; pages >= 1; pages /= 2) {
    for (let at = 0; at < PAGES; at += pages) {
      let free = true;
      for (let page = at; page < at + pages; page++) if (used.has(page)) free = false;
      if (free) return pages * PAGE_BYTES;
    }
  }
  return 0;
}

describe('arena', () => {
  test('gives disjoint ranges as long as any hole is large enough, and is whole again in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const arena = new Arena(START, PAGES * PAGE_BYTES);
        const held: Held[] = [];
        // Whoever had the memory before may have touched all of it.
        let peak = PAGES * PAGE_BYTES;
        for (const one of steps) {
          if ('take' in one) {
            const bytes = arenaBytes(one.take);
            const hole = largestHole(held);
            const offset = arena.allocate(one.take);
            if (bytes > hole) {
              expect(offset).toBe(-1);
              continue;
            }
            expect(offset).toBeGreaterThanOrEqual(START);
            expect(offset + bytes).toBeLessThanOrEqual(START + PAGES * PAGE_BYTES);
            expect((offset - START) % bytes).toBe(0);
            for (const other of held) {
              expect(offset + bytes <= other.offset || other.offset + other.bytes <= offset).toBe(true);
            }
            held.push({ offset, bytes });
          } else if (held.length > 0) {
            const [back] = held.splice(one.giveBack % held.length, 1) as [Held];
            arena.free(back.offset);
          }
          const inUse = held.reduce((sum, { bytes }) => sum + bytes, 0);
          peak = Math.max(peak, inUse);
          expect(arena.inUseBytes).toBe(inUse);
          expect(arena.peakBytes).toBe(peak);
          let free = 0;
          const idle: Held[] = [];
          arena.trim((offset, bytes) => {
            free += bytes;
            idle.push({ offset, bytes });
          });
          peak = inUse;
          expect(free + inUse).toBe(PAGES * PAGE_BYTES);
          const ends = [...held, ...idle].sort((a, b) => a.offset - b.offset);
          for (let i = 1; i < ends.length; i++) {
            expect((ends[i] as Held).offset).toBe((ends[i - 1] as Held).offset + (ends[i - 1] as Held).bytes);
          }
        }
        for (const { offset } of held) arena.free(offset);
        expect(arena.inUseBytes).toBe(0);
        expect(arena.allocate(PAGES * PAGE_BYTES)).toBe(START);
      }),
      { numRuns: 200 },
    );
  });

  test('a range is given back once, and only a range', () => {
    const arena = new Arena(0, 8 * PAGE_BYTES);
    const offset = arena.allocate(2 * PAGE_BYTES);
    expect(() => arena.free(offset + PAGE_BYTES)).toThrow('only what was allocated');
    expect(() => arena.free(offset + 5)).toThrow('only what was allocated');
    arena.free(offset);
    expect(() => arena.free(offset)).toThrow('only what was allocated');
    const [first, second] = [arena.allocate(1), arena.allocate(1)];
    arena.free(first);
    arena.free(second);
    expect(() => arena.free(second), 'it is part of a larger one now').toThrow('only what was allocated');
  });

  test('the range given back last is taken first: its pages are warm', () => {
    const arena = new Arena(0, 8 * PAGE_BYTES);
    const offsets = Array.from({ length: 8 }, () => arena.allocate(PAGE_BYTES));
    for (const page of [0, 2, 5]) arena.free(offsets[page] as number);
    expect(arena.allocate(1)).toBe(offsets[5]);
    expect(arena.allocate(1)).toBe(offsets[2]);
    expect(arena.allocate(1)).toBe(offsets[0]);
    expect(arena.allocate(1)).toBe(-1);
  });

  test('sizes beyond two gibibytes are numbers, not what is left of them in 32 bits', () => {
    expect(arenaBytes(0)).toBe(PAGE_BYTES);
    expect(arenaBytes(PAGE_BYTES + 1)).toBe(2 * PAGE_BYTES);
    expect(arenaBytes(2 ** 30 + 1)).toBe(2 ** 31);
    expect(arenaBytes(2 ** 31 + 3)).toBe(2 ** 32);
    expect(() => new Arena(0, 3 * PAGE_BYTES)).toThrow('power of two');
  });
});
