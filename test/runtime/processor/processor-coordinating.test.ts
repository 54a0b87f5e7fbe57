/** Requests for coordinators: each is told from all that had its operation's number before. */
import { expect, test } from 'vitest';
import { COORDINATE } from '../../../src/runtime/rings/messages.ts';
import { ERROR } from '../../../src/wire/errors.ts';
import { type AskedOwner, GROUPS, ProcessorBench } from './processor-kit.ts';

test('a number that was answered is given again, and its handler can tell', () => {
  const bench = new ProcessorBench();
  const client = bench.connect();
  const asked = Array.from({ length: 3 }, () => {
    bench.heartbeat(client);
    bench.turn();
    const [one] = bench.asked() as [AskedOwner];
    bench.refuse(one.operation, one.part, ERROR.NOT_COORDINATOR);
    bench.turn();
    return one;
  });
  expect(asked).toMatchObject(
    asked.map(() => ({ type: COORDINATE, operation: asked[0]?.operation, slot: GROUPS.slots[0] })),
  );
  expect(new Set(asked.map(({ more }) => more)).size).toBe(asked.length);
  expect(bench.counter('callsOpen')).toBe(0);
});
