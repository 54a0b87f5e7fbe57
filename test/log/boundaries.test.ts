/** The hint about batch boundaries: what is noted is found, what fell out or was cleared is not, nothing is made up. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Boundaries } from '../../src/log/boundaries.ts';

test('a batch that was met is found at its first offset only', () => {
  const boundaries = new Boundaries();
  expect(boundaries.find(10)).toBe(-1);
  boundaries.note(10, 4_000, 300);
  const entry = boundaries.find(10);
  expect([boundaries.position(entry), boundaries.sizeBytes(entry)]).toEqual([4_000, 300]);
  expect(boundaries.find(11)).toBe(-1);
  boundaries.note(10, 4_000, 0);
  expect(boundaries.sizeBytes(boundaries.find(10))).toBe(300);
  boundaries.clear();
  expect(boundaries.find(10)).toBe(-1);
});

test('appended batches are known to a reader who came before them, each from the end of the one before', () => {
  const boundaries = new Boundaries();
  boundaries.find(0);
  boundaries.appended(0, 100, 4);
  boundaries.appended(100, 60, 9);
  expect(boundaries.find(0)).toBe(-1);
  const entry = boundaries.find(5);
  expect([boundaries.position(entry), boundaries.sizeBytes(entry)]).toEqual([100, 60]);
});

test('whatever was noted last for an offset is what is found, or nothing', () => {
  const note = fc.tuple(fc.nat(200), fc.nat(1_000_000), fc.integer({ min: 1, max: 1_000 }));
  fc.assert(
    fc.property(fc.array(note, { maxLength: 100 }), fc.nat(200), (notes, asked) => {
      const boundaries = new Boundaries();
      const last = new Map<number, readonly [number, number]>();
      for (const [offset, position, sizeBytes] of notes) {
        boundaries.note(offset, position, sizeBytes);
        last.set(offset, [position, sizeBytes]);
      }
      const entry = boundaries.find(asked);
      if (entry < 0) return;
      expect([boundaries.position(entry), boundaries.sizeBytes(entry)]).toEqual(last.get(asked));
    }),
  );
});
