/**
 * End to end: batches go out at a rate, other connections read them back. A latency counts from when a batch was due until
 * a reader has it; acknowledgements are measured beside it. Readers stand at the end of the log before the first batch goes.
 */
import type { Batches } from './batches.ts';
import { FetchingLane } from './fetching.ts';
import type { Lane } from './lanes.ts';
import type { Measurement } from './measurement.ts';
import type { PerfOptions } from './options.ts';
import { EXIT_INCOMPLETE, PerfProblem } from './problem.ts';
import { ProducingLane } from './producing.ts';
import { Pump } from './pump.ts';
import { scheduleOf } from './schedule.ts';
import { offsetsOf } from './topic.ts';

/** How long acknowledged batches may take to reach their reader. */
const ARRIVAL_MS = 30_000;

/** Until the load is done or `interrupted`; a problem rejects. */
export async function endToEnd(
  writers: readonly Lane[],
  readers: readonly Lane[],
  options: PerfOptions,
  measurement: Measurement,
  batches: Batches,
  interrupted: AbortSignal,
): Promise<void> {
  const { topic, acks, inFlight, fetchBytes } = options;
  /** When those under way were due, by their number. */
  const underWay = new Map<number, number>();
  const arrived = Promise.withResolvers<void>();
  let isSent = false;
  let isOver = false;
  let numbers = 0;
  const fail = (problem: Error): void => {
    arrived.reject(problem);
    pump.fail(problem);
  };
  const producing = writers.map(
    (lane, at) =>
      new ProducingLane(lane, {
        topic,
        acks,
        inFlight,
        batchBytes: batches.bytes,
        batch: (dueMs) => {
          underWay.set(numbers, dueMs);
          numbers += 1;
          return batches.numbered(numbers - 1);
        },
        sent: (dueMs) => measurement.sent(dueMs, performance.now()),
        answered: (dueMs) => measurement.acknowledged(dueMs, performance.now()),
        failed: fail,
        ready: () => pump.wake(at),
      }),
  );
  const fetching = await Promise.all(
    readers.map(async (lane) => {
      const offsets = await offsetsOf(lane.connection, topic, lane.partitions, 'LATEST');
      return new FetchingLane(lane, offsets, {
        topic,
        fetchBytes,
        batch: (memory, at, records) => {
          const number = batches.numberOf(memory, at);
          const dueMs = underWay.get(number);
          if (dueMs === undefined) return;
          underWay.delete(number);
          measurement.answered(dueMs, performance.now(), records, batches.bytes);
        },
        answered: () => {
          if (isSent && underWay.size === 0) arrived.resolve();
          return !isOver;
        },
        failed: fail,
      });
    }),
  );
  const schedule = scheduleOf(options, batches.records, writers.length, performance.now());
  const pump = new Pump(producing, schedule);
  for (const { connection } of [...writers, ...readers]) connection.onLost(fail);
  interrupted.addEventListener('abort', () => {
    pump.interrupt();
    arrived.resolve();
  });
  // Rejections have an owner from the beginning.
  arrived.promise.catch(() => {});
  measurement.begin(schedule.measureMs);
  for (const fetcher of fetching) fetcher.ask();
  try {
    await pump.run();
    isSent = true;
    if (underWay.size > 0) await withinTime(arrived.promise, () => missing(underWay.size));
  } finally {
    isOver = true;
  }
}

function missing(count: number): PerfProblem {
  const why = 'Is the topic compacted, or does the broker store batches otherwise than they came?';
  return new PerfProblem(EXIT_INCOMPLETE, `${count} batches were not read back within ${ARRIVAL_MS / 1000} s. ${why}`);
}

async function withinTime(wanted: Promise<void>, late: () => Error): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ARRIVAL_MS);
  });
  try {
    await Promise.race([wanted, limit]);
  } finally {
    clearTimeout(timer);
  }
}
