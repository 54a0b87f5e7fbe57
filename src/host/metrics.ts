/** What a broker says about itself: the hot counters of all roles, read from shared memory, and what can be added up from them. */
import { FileTable } from '../log/leases.ts';
import { newPartitionView, type PublishedPartitions } from '../replica/published.ts';
import { COUNTERS, type CounterName, Counters } from '../runtime/counters.ts';
import { type PhaseTimes, readRequestTimes } from '../runtime/processor/request-times.ts';
import type { Shared } from '../runtime/shared.ts';
import { apiByKey } from '../wire/messages/all.ts';
import type { Crew } from './crew.ts';
import type { LoopDelay } from './loop-delay.ts';
import type { PartitionHost } from './partition-host.ts';
import { BLOCKER } from './placement.ts';
import type { Pools } from './pools.ts';

export type CounterValues = Readonly<Record<CounterName, number>>;

export interface PartitionMetrics {
  readonly topic: string;
  readonly partition: number;
  readonly handler: string;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  readonly durableEndOffset: number;
  readonly offline: string | null;
}

export interface BrokerMetrics {
  readonly transport: 'native' | 'portable';
  readonly upMs: number;
  /** How late the main thread's event loop was, since the start. */
  readonly eventLoop: { readonly delayP99Ms: number; readonly delayMaxMs: number };
  readonly connections: number;
  /** Leases on log files that answers under way hold. */
  readonly leases: number;
  /** Requests that lie in the rings to the handlers. */
  readonly requestQueueSize: number;
  /** How long a request lay there, on average since the start. */
  readonly requestQueueTimeMs: number;
  /** Answers of handlers that a processor has not taken yet, by processor. */
  readonly responseQueueSize: Readonly<Record<string, number>>;
  /** Share of the last minute or so, from 0 to 1, in which the threads of processors slept. */
  readonly networkProcessorAvgIdlePercent: number;
  /** The same for handlers. A thread that has both counts in both. */
  readonly requestHandlerAvgIdlePercent: number;
  /** Sums over all roles. */
  readonly total: CounterValues;
  /** By role: a0, p0, h0, b0 ... */
  readonly roles: Readonly<Record<string, CounterValues>>;
  readonly threads: Readonly<Record<string, readonly string[]>>;
  /** Sums over all answered requests by API, in a broker that profiles itself; else null. */
  readonly requestTimes: Readonly<Record<string, PhaseTimes>> | null;
  readonly partitions: readonly PartitionMetrics[];
  /** How many of them are out of service. */
  readonly offlinePartitions: number;
}

export interface MetricsParts {
  readonly crew: Crew;
  readonly pools: Pools;
  readonly host: PartitionHost;
  readonly shared: Shared;
  readonly published: PublishedPartitions;
  readonly transport: 'native' | 'portable';
  readonly upMs: number;
  readonly delay: LoopDelay;
}

export async function readMetrics(parts: MetricsParts): Promise<BrokerMetrics> {
  const { crew, pools, host, shared, published, transport, upMs, delay } = parts;
  await crew.count();
  const roles: Record<string, CounterValues> = {};
  for (const name of [...pools.acceptors, ...pools.processors, ...pools.handlers, BLOCKER]) {
    const counters = new Counters(shared.counters, pools.rowOf(name));
    roles[name] = Object.fromEntries(COUNTERS.map((counter) => [counter, counters.get(counter)])) as CounterValues;
  }
  const total = Object.fromEntries(
    COUNTERS.map((counter) => [counter, Object.values(roles).reduce((sum, values) => sum + values[counter], 0)]),
  ) as CounterValues;
  const of = (names: readonly string[], counter: CounterName): number =>
    names.reduce((sum, name) => sum + (roles[name] as CounterValues)[counter], 0);
  const { processors, handlers } = pools;
  const view = newPartitionView();
  const partitions = host.map.all().map(({ slot, topic, partition, handler, offline }) => {
    published.read(slot, view);
    const { logStartOffset, highWatermark, logEndOffset, durableEndOffset } = view;
    return { topic, partition, handler, logStartOffset, highWatermark, logEndOffset, durableEndOffset, offline };
  });
  const files = new FileTable(new Int32Array(shared.files));
  return {
    transport,
    upMs,
    eventLoop: delay.read(),
    connections: Atomics.load(new Int32Array(shared.connections), 0),
    leases: files.leased(),
    requestQueueSize: of(handlers, 'ringQueued'),
    requestQueueTimeMs: total.requestQueueMs / Math.max(1, total.requestsTaken),
    responseQueueSize: Object.fromEntries(processors.map((name) => [name, of([name], 'ringQueued')])),
    networkProcessorAvgIdlePercent: of(processors, 'idleShare') / processors.length,
    requestHandlerAvgIdlePercent: of(handlers, 'idleShare') / handlers.length,
    total,
    roles,
    threads: Object.fromEntries(crew.threads.map((thread) => [thread, crew.rolesOn(thread)])),
    requestTimes: requestTimesOf(shared),
    partitions,
    offlinePartitions: partitions.filter(({ offline }) => offline !== null).length,
  };
}

/** By name of the API. */
export function requestTimesOf({ times }: Shared): BrokerMetrics['requestTimes'] {
  if (times === null) return null;
  return Object.fromEntries(
    Array.from(readRequestTimes(times), ([key, sums]) => [apiByKey(key)?.name ?? `API ${key}`, sums]),
  );
}
