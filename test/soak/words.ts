/** What the soak and its broker say to each other, and the settings that they agree on. */
import type { BrokerMetrics } from '../../src/broker.ts';

export interface Question {
  readonly number: number;
  /** New sizes of the pools; null asks for metrics. */
  readonly resize: { readonly network: number; readonly io: number } | null;
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

/** Small segments that go soon, so that rolling and retention are all the time at work. */
export const BROKER_SETTINGS = {
  'log.segment.bytes': '1048576',
  'log.retention.bytes': '4194304',
  'log.retention.check.interval.ms': '1000',
  'log.segment.delete.delay.ms': '1000',
  'num.network.threads': '2',
  'num.io.threads': '2',
};
