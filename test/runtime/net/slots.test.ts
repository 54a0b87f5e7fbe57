/** Small ranges: disjoint, never more pages than allowed, and no page kept without a slot in use. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena, PAGE_BYTES } from '../../../src/runtime/net/arena.ts';
import { SLOT_BYTES_MAX, Slots } from '../../../src/runtime/net/slots.ts';

const SIZES = [512, 2_048, 8_192, 16_384, 32_768, 65_536];
const ARENA_BYTES = 16 * PAGE_BYTES;

interface Held {
  readonly offset: number;
  readonly bytes: number;
}

const step = fc.oneof(
  fc.record({
    take: fc.oneof(
      fc.constantFrom(1, ...SIZES),
      fc.constantFrom(...SIZES.slice(0, -1)).map((bytes) => bytes + 1),
      fc.integer({ min: 1, max: SLOT_BYTES_MAX }),
    ),
  }),
  fc.record({ giveBack: fc.nat() }),
);

describe('slots', () => {
  test('are disjoint, bounded, and go back page by page', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(step, { maxLength: 200, size: 'max' }),
        (pagesMax, steps) => {
          const arena = new Arena(PAGE_BYTES, ARENA_BYTES);
          const slots = new Slots(arena, pagesMax * PAGE_BYTES);
          const held: Held[] = [];
          const pagesOf = (): Map<number, number> => {
            const pages = new Map<number, number>();
            for (const { offset, bytes } of held) pages.set(Math.floor(offset / PAGE_BYTES), bytes);
            return pages;
          };
          for (const one of steps) {
            if ('take' in one) {
              const size = SIZES.find((bytes) => bytes >= one.take) as number;
              const offset = slots.allocate(one.take);
              if (offset < 0) {
                const pages = pagesOf();
                expect(pages.size).toBe(Math.min(pagesMax, ARENA_BYTES / PAGE_BYTES));
                const sameClass = held.filter(({ bytes }) => bytes === size).length;
                const pagesOfClass = Array.from(pages.values()).filter((bytes) => bytes === size).length;
                expect(sameClass, 'no slot of this class was free').toBe(pagesOfClass * (PAGE_BYTES / size));
                continue;
              }
              expect(offset % size).toBe(0);
              for (const other of held) {
                expect(offset + size <= other.offset || other.offset + other.bytes <= offset).toBe(true);
              }
              held.push({ offset, bytes: size });
            } else if (held.length > 0) {
              slots.free((held.splice(one.giveBack % held.length, 1)[0] as Held).offset);
            }
            const pages = pagesOf().size;
            expect(slots.heldBytes).toBe(pages * PAGE_BYTES);
            expect(arena.inUseBytes).toBe(pages * PAGE_BYTES);
            expect(pages).toBeLessThanOrEqual(pagesMax);
          }
          for (const { offset } of held) slots.free(offset);
          expect(slots.heldBytes).toBe(0);
          expect(arena.inUseBytes).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test.each(SIZES)('of %i bytes, a page is used up to its last byte', (size) => {
    const slots = new Slots(new Arena(0, ARENA_BYTES), ARENA_BYTES);
    const offsets = Array.from({ length: PAGE_BYTES / size }, () => slots.allocate(size));
    expect(slots.heldBytes).toBe(PAGE_BYTES);
    expect(offsets.sort((a, b) => a - b)).toEqual(offsets.map((_, index) => index * size));
    slots.allocate(size);
    expect(slots.heldBytes).toBe(2 * PAGE_BYTES);
  });

  test('what was never given out cannot come back', () => {
    const slots = new Slots(new Arena(0, ARENA_BYTES), ARENA_BYTES);
    expect(() => slots.free(0)).toThrow('only a slot');
    expect(() => slots.allocate(SLOT_BYTES_MAX + 1)).toThrow('at most a page');
  });
});
