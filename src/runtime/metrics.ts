/** What a broker says about itself: the hot counters of all roles, read from shared memory, and what can be added up from them. */
import { FileTable } from '../log/leases.ts';
import { newPartitionView, type PublishedPartitions } from '../replica/published.ts';
import { COUNTERS, type CounterName, Counters } from './counters.ts';
import type { Crew } from './crew.ts';
import type { PartitionHost } from './partition-host.ts';
import { ACCEPTOR, BLOCKER } from './placement.ts';
import type { Pools } from './pools.ts';
import type { Shared } from './shared.ts';

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
  readonly connections: number;
  /** Leases on log files that answers under way hold. */
  readonly leases: number;
  /** Sums over all roles. */
  readonly total: CounterValues;
  /** By role: a0, p0, h0, b0 ... */
  readonly roles: Readonly<Record<string, CounterValues>>;
  readonly threads: Readonly<Record<string, readonly string[]>>;
  readonly partitions: readonly PartitionMetrics[];
}

export interface MetricsParts {
  readonly crew: Crew;
  readonly pools: Pools;
  readonly host: PartitionHost;
  readonly shared: Shared;
  readonly published: PublishedPartitions;
  readonly transport: 'native' | 'portable';
  readonly upMs: number;
}

export async function readMetrics(parts: MetricsParts): Promise<BrokerMetrics> {
  const { crew, pools, host, shared, published, transport, upMs } = parts;
  await crew.count();
  const roles: Record<string, CounterValues> = {};
  for (const name of [ACCEPTOR, ...pools.processors, ...pools.handlers, BLOCKER]) {
    const counters = new Counters(shared.counters, pools.rowOf(name));
    roles[name] = Object.fromEntries(COUNTERS.map((counter) => [counter, counters.get(counter)])) as CounterValues;
  }
  const total = Object.fromEntries(
    COUNTERS.map((counter) => [counter, Object.values(roles).reduce((sum, values) => sum + values[counter], 0)]),
  ) as CounterValues;
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
    connections: Atomics.load(new Int32Array(shared.connections), 0),
    leases: files.leased(),
    total,
    roles,
    threads: Object.fromEntries(crew.threads.map((thread) => [thread, crew.rolesOn(thread)])),
    partitions,
  };
}
