/** What a topic's settings say about its logs, resolved to numbers. Times in milliseconds; -1 where Kafka means "no limit". */
import type { TopicLogConfig } from '../config/topic-settings.ts';

export type LogConfig = TopicLogConfig;

const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const PRODUCER_ID_EXPIRATION_MS = DAY_MS;

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4_096,
  maxMessageBytes: 1_048_588,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: NO_LIMIT,
  timestampAfterMaxMs: HOUR_MS,
  retentionMs: 7 * DAY_MS,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  flushMessages: NO_LIMIT,
  flushMs: NO_LIMIT,
  cleanupPolicy: 'delete',
  compressionType: 'producer',
  compressionGzipLevel: -1,
  compressionZstdLevel: 3,
  producerIdExpirationMs: PRODUCER_ID_EXPIRATION_MS,
};

export function hasPolicy(config: LogConfig, policy: 'compact' | 'delete'): boolean {
  return config.cleanupPolicy.split(',').some((name) => name.trim() === policy);
}
