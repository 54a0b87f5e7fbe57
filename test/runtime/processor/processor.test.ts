/** A processor by its rings and control messages: it says that it holds partitions back only when their owners can see all that was asked before. */
import { expect, test } from 'vitest';
import { APPEND } from '../../../src/runtime/rings/messages.ts';
import { ProcessorBench, RING_SLOTS, TOPIC } from './processor-kit.ts';

/** One connection that asks, and the slots that the handler was asked to append to since. */
function asking(): {
  bench: ProcessorBench;
  produce(partitions: readonly number[]): void;
  taken(): number[];
  hold(slots: readonly number[]): unknown[];
} {
  const bench = new ProcessorBench();
  const transport = bench.connect();
  return {
    bench,
    produce: (partitions) => bench.produce(transport, partitions),
    taken: () =>
      bench.asked().map(({ type, slot }) => {
        expect(type).toBe(APPEND);
        return slot;
      }),
    hold: (slots) => {
      const replies: unknown[] = [];
      bench.processor.control({ kind: 'hold', slots }, () => replies.push('held'));
      return replies;
    },
  };
}

test('hold answers at once when the rings have taken all', () => {
  const { hold, produce, taken } = asking();
  produce([0, 1, 2]);
  expect(hold([0])).toEqual(['held']);
  expect(taken()).toEqual([0, 1, 2]);
});

test('hold waits until what did not fit the ring is in it; what comes meanwhile goes to the next owner', () => {
  const { bench, hold, produce, taken } = asking();
  produce(TOPIC.slots);
  const replies = hold([9]);
  const order: number[] = [];
  while (replies.length === 0) {
    const some = taken();
    expect(some.length).toBeGreaterThan(0);
    order.push(...some);
    expect(replies).toEqual([]);
    bench.processor.settle(0);
  }
  // The last of them is in the ring now, and not before.
  expect(order).toEqual(TOPIC.slots.slice(0, 2 * RING_SLOTS));
  expect(taken()).toEqual(TOPIC.slots.slice(2 * RING_SLOTS));
  produce([9, 3]);
  bench.processor.settle(0);
  expect(taken()).toEqual([3]);
  bench.processor.control({ kind: 'resume', slots: [9] }, () => {});
  expect(taken()).toEqual([9]);
});
