/**
 * The settings of a topic. Where a topic says nothing, the broker's setting of the same meaning counts: the first of its
 * fallbacks that is set, in the topic's unit.
 */
import { COMPRESSION_TYPES } from './broker-table.ts';
import { int, LONG_MAX, list, long, oneOf, type Setting, type ValuesOf } from './setting.ts';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const TOPIC_SETTINGS = [
  int('segment.bytes', 1024 * MIB, 'A log file that would grow beyond this is rolled.', { min: MIB }),
  long('segment.ms', 7 * DAY_MS, 'A log file older than this is rolled.', { min: 1 }),
  long('segment.jitter.ms', 0, 'At most this much is taken off segment.ms, so that logs do not roll all at once.', {
    min: 0,
  }),
  int('segment.index.bytes', 10 * MIB, 'The size of an index file; when it is full the log rolls.', { min: 4 }),
  int('index.interval.bytes', 4096, 'Bytes of log between two index entries.', { min: 0 }),
  int('max.message.bytes', 1_048_588, 'The largest record batch.', { min: 0 }),
  oneOf(
    'message.timestamp.type',
    ['CreateTime', 'LogAppendTime'],
    'CreateTime',
    'Whose clock stamps records: the producer or the broker.',
  ),
  long('message.timestamp.before.max.ms', LONG_MAX, 'How far a record may be stamped in the past.', { min: 0 }),
  long('message.timestamp.after.max.ms', HOUR_MS, 'How far a record may be stamped in the future.', { min: 0 }),
  long('retention.ms', 7 * DAY_MS, 'Log files older than this are deleted; -1 keeps them.', { min: -1 }),
  long('retention.bytes', -1, 'A partition larger than this loses its oldest log files; -1 for no limit.', { min: -1 }),
  long('file.delete.delay.ms', 60_000, 'How long a deleted log file stays on disk.', { min: 0 }),
  list(
    'cleanup.policy',
    ['delete'],
    'What happens to old data: delete, compact or both. Compaction demands keys; nothing is compacted so far.',
    {
      words: ['compact', 'delete'],
    },
  ),
  oneOf(
    'compression.type',
    COMPRESSION_TYPES,
    'producer',
    'How batches are stored: in this compression, or as the producer sent them.',
  ),
  int('compression.gzip.level', -1, 'How hard gzip tries where compression.type asks for it; -1 is its own default.', {
    min: -1,
    max: 9,
  }),
  int('compression.zstd.level', 3, 'How hard zstd tries where compression.type asks for it.', {
    min: -131_072,
    max: 22,
  }),
  long('flush.messages', LONG_MAX, 'Records after which a log is synced to disk. Left alone, the system decides.', {
    min: 1,
  }),
  long('flush.ms', LONG_MAX, 'The longest a record stays unsynced. Left alone, the system decides.', { min: 0 }),
  int('min.insync.replicas', 1, 'In-sync replicas that a produce with acks=all needs.', { min: 1 }),
] as const;

export type TopicSettings = ValuesOf<typeof TOPIC_SETTINGS>;
export type TopicSettingName = (typeof TOPIC_SETTINGS)[number]['name'];

export interface Fallback {
  readonly name: string;
  /** The broker's unit in the topic's. */
  readonly factor: number;
}

/** The broker settings behind each topic setting, the strongest first. */
export const FALLBACKS: Record<TopicSettingName, readonly Fallback[]> = {
  'segment.bytes': same('log.segment.bytes'),
  'segment.ms': [...same('log.roll.ms'), { name: 'log.roll.hours', factor: HOUR_MS }],
  'segment.jitter.ms': [...same('log.roll.jitter.ms'), { name: 'log.roll.jitter.hours', factor: HOUR_MS }],
  'segment.index.bytes': same('log.index.size.max.bytes'),
  'index.interval.bytes': same('log.index.interval.bytes'),
  'max.message.bytes': same('message.max.bytes'),
  'message.timestamp.type': same('log.message.timestamp.type'),
  'message.timestamp.before.max.ms': same('log.message.timestamp.before.max.ms'),
  'message.timestamp.after.max.ms': same('log.message.timestamp.after.max.ms'),
  'retention.ms': [
    ...same('log.retention.ms'),
    { name: 'log.retention.minutes', factor: MINUTE_MS },
    { name: 'log.retention.hours', factor: HOUR_MS },
  ],
  'retention.bytes': same('log.retention.bytes'),
  'file.delete.delay.ms': same('log.segment.delete.delay.ms'),
  'cleanup.policy': same('log.cleanup.policy'),
  'compression.type': same('compression.type'),
  'compression.gzip.level': same('compression.gzip.level'),
  'compression.zstd.level': same('compression.zstd.level'),
  'flush.messages': same('log.flush.interval.messages'),
  'flush.ms': same('log.flush.interval.ms'),
  'min.insync.replicas': same('min.insync.replicas'),
};

function same(name: string): Fallback[] {
  return [{ name, factor: 1 }];
}

const BY_NAME = new Map<string, Setting>(TOPIC_SETTINGS.map((setting) => [setting.name, setting]));

export function topicSetting(name: string): Setting | undefined {
  return BY_NAME.get(name);
}
