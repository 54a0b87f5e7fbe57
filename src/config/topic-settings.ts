/**
 * What a topic's settings come to: its own where it has them, else the broker's, else the defaults. Errors are sentences
 * for the answer to whoever asked; nothing here throws for a bad value.
 */
import type { CompressionType, Settings } from './broker-table.ts';
import { isKafkaTopicName } from './kafka-names.ts';
import { nearest } from './nearest.ts';
import { camelCase, parseValue, type Setting, SettingError } from './setting.ts';
import { FALLBACKS, TOPIC_SETTINGS, type TopicSettings, topicSetting } from './topic-table.ts';

export interface TopicConfig {
  readonly settings: TopicSettings;
  /** The part that the log of each partition takes. */
  readonly log: TopicLogConfig;
  /** Any of them makes the topic's settings invalid. */
  readonly errors: readonly string[];
  /** Settings of Kafka that are kept and shown, and have no effect. */
  readonly warnings: readonly string[];
}

export interface TopicLogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  readonly maxMessageBytes: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly fileDeleteDelayMs: number;
  readonly flushMessages: number;
  readonly flushMs: number;
  readonly cleanupPolicy: string;
  readonly compressionType: CompressionType;
  readonly compressionGzipLevel: number;
  readonly compressionZstdLevel: number;
  readonly producerIdExpirationMs: number;
}

/** More are not looked for: whoever gets so many settings wrong learns nothing from the rest. */
const ERRORS_MAX = 10;

/** A null value is a setting that is not given. */
export type TopicOverrides = Iterable<readonly [name: string, value: string | null]>;

export function topicConfig(overrides: TopicOverrides, broker: Settings): TopicConfig {
  const errors: string[] = [];
  const warnings: string[] = [];
  const values: Record<string, unknown> = {};
  for (const setting of TOPIC_SETTINGS) values[camelCase(setting.name)] = fallback(setting, broker);
  for (const [name, value] of overrides) {
    if (errors.length === ERRORS_MAX) break;
    if (value === null) continue;
    const setting = topicSetting(name);
    if (setting === undefined) {
      judgeForeign(name, value, errors, warnings);
      continue;
    }
    try {
      values[camelCase(setting.name)] = parseValue(setting, value);
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      errors.push(error.message);
    }
  }
  const settings = values as TopicSettings;
  return { settings, log: logConfig(settings, broker), errors, warnings };
}

function fallback(setting: (typeof TOPIC_SETTINGS)[number], broker: Settings): unknown {
  const values = broker as Readonly<Record<string, unknown>>;
  for (const { name, factor } of FALLBACKS[setting.name]) {
    const value = values[camelCase(name)];
    // A negative number means "no limit" in every unit.
    if (value !== null && value !== undefined) return typeof value === 'number' && value > 0 ? value * factor : value;
  }
  return setting.default;
}

function judgeForeign(name: string, value: string, errors: string[], warnings: string[]): void {
  if (name === 'remote.storage.enable' && value.trim().toLowerCase() === 'true') {
    errors.push('remote.storage.enable=true is not valid: there is no tiered storage, so it must be false.');
  } else if (isKafkaTopicName(name)) {
    warnings.push(`${name} is a topic setting of Kafka that has no effect here.`);
  } else {
    const meant = nearest(
      name,
      TOPIC_SETTINGS.map((setting: Setting) => setting.name),
    );
    errors.push(`${name} is not a topic setting${meant === null ? '.' : `; did you mean ${meant}?`}`);
  }
}

function logConfig(settings: TopicSettings, broker: Settings): TopicLogConfig {
  return {
    segmentBytes: settings.segmentBytes,
    segmentMs: settings.segmentMs,
    // Kafka takes no more off a segment's age than the age itself.
    segmentJitterMs: Math.min(settings.segmentJitterMs, settings.segmentMs),
    segmentIndexBytes: settings.segmentIndexBytes,
    indexIntervalBytes: settings.indexIntervalBytes,
    maxMessageBytes: settings.maxMessageBytes,
    timestampType: settings.messageTimestampType,
    timestampBeforeMaxMs: settings.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: settings.messageTimestampAfterMaxMs,
    retentionMs: settings.retentionMs,
    retentionBytes: settings.retentionBytes,
    fileDeleteDelayMs: settings.fileDeleteDelayMs,
    flushMessages: settings.flushMessages,
    flushMs: settings.flushMs,
    cleanupPolicy: settings.cleanupPolicy.join(','),
    compressionType: settings.compressionType,
    compressionGzipLevel: settings.compressionGzipLevel,
    compressionZstdLevel: settings.compressionZstdLevel,
    producerIdExpirationMs: broker.producerIdExpirationMs,
  };
}
