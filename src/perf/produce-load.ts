/** Produce: every lane writes whole batches, flat out or at the rate; a request's latency ends with its answer. */
import type { Batches } from './batches.ts';
import type { Lane } from './lanes.ts';
import type { Measurement } from './measurement.ts';
import type { PerfOptions } from './options.ts';
import { ProducingLane } from './producing.ts';
import { Pump } from './pump.ts';
import { scheduleOf } from './schedule.ts';

/** Until the load is done or `interrupted`; a problem rejects. */
export async function produce(
  lanes: readonly Lane[],
  options: PerfOptions,
  measurement: Measurement,
  batches: Batches,
  interrupted: AbortSignal,
): Promise<void> {
  const { topic, acks, inFlight } = options;
  const producing = lanes.map(
    (lane, at) =>
      new ProducingLane(lane, {
        topic,
        acks,
        inFlight,
        batchBytes: batches.bytes,
        batch: () => batches.template,
        sent: (dueMs) => measurement.sent(dueMs, performance.now()),
        answered: (dueMs) => measurement.answered(dueMs, performance.now(), batches.records, batches.bytes),
        failed: (problem) => pump.fail(problem),
        ready: () => pump.wake(at),
      }),
  );
  const schedule = scheduleOf(options, batches.records, lanes.length, performance.now());
  const pump = new Pump(producing, schedule);
  for (const { connection } of lanes) connection.onLost((problem) => pump.fail(problem));
  interrupted.addEventListener('abort', () => pump.interrupt());
  measurement.begin(schedule.measureMs);
  await pump.run();
}
