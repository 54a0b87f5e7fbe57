/** Consume: every lane reads its partitions, to their end at the beginning, for a time, or for a number of records. */
import { FetchingLane } from './fetching.ts';
import type { Lane } from './lanes.ts';
import type { Measurement } from './measurement.ts';
import type { PerfOptions } from './options.ts';
import { offsetsOf } from './topic.ts';

/** Until the load is done or `interrupted`; a problem rejects. An answer's latency counts from its request. */
export async function consume(
  lanes: readonly Lane[],
  options: PerfOptions,
  measurement: Measurement,
  interrupted: AbortSignal,
): Promise<void> {
  const { topic, fetchBytes, from, warmupMs, durationMs, records } = options;
  const isToTheEnd = durationMs === Number.POSITIVE_INFINITY && records === Number.POSITIVE_INFINITY;
  const places = await Promise.all(
    lanes.map(async ({ connection, partitions }) => ({
      starts: await offsetsOf(connection, topic, partitions, from),
      ends: await offsetsOf(connection, topic, partitions, 'LATEST'),
    })),
  );
  const done = Promise.withResolvers<void>();
  const measureMs = performance.now() + warmupMs;
  measurement.begin(measureMs);
  let running = lanes.length;
  let isOver = false;
  const fetching = lanes.map((lane, at) => {
    const { starts, ends } = places[at] as (typeof places)[number];
    const atItsEnd = (): boolean =>
      isToTheEnd && lane.partitions.every((partition, index) => fetcher.position(partition) >= (ends[index] as number));
    const fetcher = new FetchingLane(lane, starts, {
      topic,
      fetchBytes,
      batch: () => {},
      answered: (sentMs, taken, bytes) => {
        if (taken > 0) measurement.answered(sentMs, performance.now(), taken, bytes);
        if (measurement.records >= records) done.resolve();
        if (!atItsEnd()) return !isOver;
        running -= 1;
        if (running === 0) done.resolve();
        return false;
      },
      failed: done.reject,
    });
    lane.connection.onLost(done.reject);
    return { fetcher, atItsEnd };
  });
  const timer = durationMs === Number.POSITIVE_INFINITY ? null : setTimeout(done.resolve, warmupMs + durationMs);
  interrupted.addEventListener('abort', () => done.resolve());
  for (const { fetcher, atItsEnd } of fetching) {
    if (!atItsEnd()) fetcher.ask();
    else running -= 1;
  }
  if (running === 0) done.resolve();
  try {
    await done.promise;
  } finally {
    isOver = true;
    if (timer !== null) clearTimeout(timer);
  }
}
