/** What the soak and its broker say to each other, and the settings that they agree on. */
import type { BrokerMetrics } from '../../src/broker.ts';

export interface Question {
  readonly number: number;
  /** To say its metrics, to collect the garbage of all its threads, or to change its pools. */
  readonly asked: 'metrics' | 'collect' | { readonly network: number; readonly io: number };
}

export interface SoakMetrics
  extends Pick<BrokerMetrics, 'total' | 'connections' | 'leases' | 'requestQueueSize' | 'offlinePartitions'> {
  readonly partitions: number;
}

export type Answer =
  | { readonly port: number }
  | { readonly failed: string }
  | { readonly number: number; readonly error: string }
  | { readonly number: number; readonly metrics: SoakMetrics | null };

/** What threads listen on for the word to collect (collect.mjs). */
export const COLLECT_CHANNEL = 'soak-collect';

/** Small segments that go soon, so that rolling and retention are all the time at work. */
export const BROKER_SETTINGS = {
  'log.segment.bytes': '1048576',
  'log.retention.bytes': '4194304',
  'log.retention.check.interval.ms': '1000',
  'log.segment.delete.delay.ms': '1000',
  'num.network.threads': '2',
  'num.io.threads': '2',
};
