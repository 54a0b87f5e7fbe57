/** A map that never changes, against Map. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ShardedMap } from '../../src/base/sharded-map.ts';

const step = fc.array(
  fc.oneof(
    fc.record({ key: fc.string({ maxLength: 3 }), value: fc.nat() }),
    fc.record({ key: fc.string({ maxLength: 3 }), value: fc.constant(null) }),
  ),
  { maxLength: 20 },
);

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return Array.from(map).sort(([a], [b]) => (a < b ? -1 : 1));
}

test('holds what a Map holds, and no edit shows in the maps before it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const model = new Map<string, number>();
      let map = ShardedMap.empty<number>();
      const before: { map: ShardedMap<number>; held: [string, number][] }[] = [];
      for (const edits of steps) {
        before.push({ map, held: sorted(model) });
        const edit = map.edit();
        for (const { key, value } of edits) {
          if (value === null) {
            model.delete(key);
            edit.delete(key);
          } else {
            model.set(key, value);
            edit.set(key, value);
          }
          expect(edit.get(key)).toBe(model.get(key));
        }
        map = edit.done();
        expect(map.size).toBe(model.size);
        expect(sorted(map)).toEqual(sorted(model));
        expect(Array.from(map.keys())).toEqual(Array.from(map, ([key]) => key));
        expect(Array.from(map.values())).toEqual(Array.from(map, ([, value]) => value));
        for (const { key } of edits) {
          expect(map.get(key)).toBe(model.get(key));
          expect(map.has(key)).toBe(model.has(key));
        }
      }
      for (const { map: old, held } of before) expect(sorted(old)).toEqual(held);
    }),
  );
});
