/** What partitions publish: readings are whole, slots do not touch each other, and who watches is told once. */
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import {
  newPartitionView,
  OFFLINE,
  ONLINE,
  PARTITIONS_MAX,
  PublishedPartitions,
  SLOT_BYTES,
  WATCHERS_MAX,
} from '../../src/replica/published.ts';
import { viewOf } from './views.ts';

function few(slots = 4): PublishedPartitions {
  return new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * slots));
}

describe('published partitions', () => {
  test('a slot gives back what was published last, and its neighbours stay as they were', () => {
    const published = few();
    const view = newPartitionView();
    for (const slot of [0, 1, 2, 3]) published.publish(slot, viewOf(slot + 1));
    published.publish(1, viewOf(77));
    published.setOwner(1, 31);
    published.setState(1, ONLINE);
    published.watch(1, 30);
    for (const [slot, n] of [1, 77, 3, 4].entries()) {
      published.read(slot, view);
      expect(view).toEqual(viewOf(n));
    }
    expect([0, 1, 2, 3].map((slot) => published.owner(slot))).toEqual([0, 31, 0, 0]);
    expect([0, 1, 2, 3].map((slot) => published.online(slot))).toEqual([false, true, false, false]);
    published.setState(1, OFFLINE);
    expect(published.online(1)).toBe(false);
    published.clear(1);
    published.read(1, view);
    expect(view).toEqual(newPartitionView());
    expect(published.takeWatchers(1)).toBe(0);
    published.read(2, view);
    expect(view).toEqual(viewOf(3));
  });

  test('the memory has room for every slot', () => {
    const published = new PublishedPartitions(PublishedPartitions.memory());
    const view = newPartitionView();
    published.publish(PARTITIONS_MAX - 1, viewOf(5));
    published.read(PARTITIONS_MAX - 1, view);
    expect(view).toEqual(viewOf(5));
  });

  test('watchers are bits that are taken once', () => {
    const published = few();
    expect(published.takeWatchers(2)).toBe(0);
    published.watch(2, 0);
    published.watch(2, 5);
    published.watch(2, WATCHERS_MAX - 1);
    published.watch(3, 1);
    expect(published.takeWatchers(2)).toBe(1 | (1 << 5) | (1 << 30));
    expect(published.takeWatchers(2)).toBe(0);
    expect(published.takeWatchers(3)).toBe(2);
  });

  test('a reading is never a mixture of two, however fast another thread publishes', async () => {
    const memory = new SharedArrayBuffer(SLOT_BYTES * 4);
    const stop = new SharedArrayBuffer(4);
    const published = new PublishedPartitions(memory);
    const worker = new Worker(new URL('./publish-worker.ts', import.meta.url), {
      workerData: { memory, stop, slot: 2 },
    });
    const ended = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const view = newPartitionView();
    let mixed = 0;
    const seen = new Set<number>();
    for (let reads = 0; reads < 1_500_000 || seen.size < 1_000; reads++) {
      published.read(2, view);
      const n = view.leaderEpoch;
      if (
        view.logStartOffset !== n * 3 ||
        (n > 0 && (view.highWatermark !== n * 1e9 + 1 || view.durableEndOffset !== n + 0.5)) ||
        view.visibleBytes !== n * 4_096
      ) {
        mixed += 1;
      }
      if (seen.size < 1_000) seen.add(n);
      // The writer's thread starts through this thread's event loop.
      if (seen.size < 2 && reads % 1_000 === 0) await new Promise(setImmediate);
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    await ended;
    expect(mixed).toBe(0);
  });
});
