/** The settings of a broker, in Kafka's names, units and defaults; the ones marked `ours` Kafka does not have. */
import { boolean, INT_MAX, int, intOrAuto, LONG_MAX, list, long, oneOf, string, type ValuesOf } from './setting.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const DYNAMIC = { change: 'cluster-wide' } as const;
const OURS = { ours: true } as const;

export const COMPRESSION_TYPES = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const;
export type CompressionType = (typeof COMPRESSION_TYPES)[number];

const IDENTITY = [
  int('node.id', 0, 'The number of this broker in its cluster.', { min: 0, aliases: ['broker.id'] }),
  string('broker.rack', null, 'The rack this broker stands in, as shown in Metadata.'),
  list('log.dirs', null, 'The directories that hold the data. When not set, log.dir counts.'),
  string('log.dir', null, 'The directory that holds the data, where log.dirs is not set.'),
] as const;

const LISTENERS = [
  list(
    'listeners',
    ['PLAINTEXT://127.0.0.1:9092'],
    'What to listen on: NAME://host:port. No host is every address; port 0 takes a free one.',
  ),
  list(
    'advertised.listeners',
    null,
    'What clients are told to connect to, by listener name. When not set, the listener itself.',
  ),
  string(
    'listener.security.protocol.map',
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'Which security protocol each listener name speaks: NAME:PROTOCOL.',
  ),
] as const;

const NETWORK = [
  intOrAuto('num.network.threads', 'Threads that own connections; auto places them by the cores of the machine.', {
    ...DYNAMIC,
    min: 1,
    max: 31,
  }),
  intOrAuto('num.io.threads', 'Threads that own partitions; auto places them by the cores of the machine.', {
    ...DYNAMIC,
    min: 1,
    max: 32,
  }),
  int('queued.max.requests', 500, 'Requests that may wait or run before no more are read from sockets.', { min: 1 }),
  long(
    'queued.max.request.bytes',
    64 * MIB,
    'Request bytes held at once. A request that does not fit waits in its socket; a larger one is taken alone.',
    {
      min: MIB,
      max: INT_MAX,
    },
  ),
  int('socket.request.max.bytes', 100 * MIB, 'The largest request; a larger one closes its connection.', {
    min: 1,
    max: 1024 * MIB - 4,
  }),
  int('socket.send.buffer.bytes', -1, 'SO_SNDBUF of connections; -1 leaves it to the system, which tunes it.', {
    min: -1,
  }),
  int('socket.receive.buffer.bytes', -1, 'SO_RCVBUF of connections; -1 leaves it to the system, which tunes it.', {
    min: -1,
  }),
  int('socket.listen.backlog.size', 50, 'Connections that may wait to be accepted.', { min: 1 }),
  int(
    'max.connections',
    INT_MAX,
    'Connections at once, as far as the process may have descriptors; more are closed as they come.',
    { ...DYNAMIC, min: 0 },
  ),
  long(
    'connections.max.idle.ms',
    600_000,
    'A connection without traffic, or a reader without progress, for this long is closed.',
    { min: 1 },
  ),
  int(
    'connection.requests.in.flight.max',
    8,
    'Requests of one connection that may be under way; answers leave in order. 1 is how Kafka does it.',
    {
      ...OURS,
      min: 1,
      max: 1024,
    },
  ),
  long(
    'request.receive.timeout.ms',
    30_000,
    'How long a request that has begun may stand still; at 64 KiB/s or more it may take any time.',
    {
      ...OURS,
      min: 1,
    },
  ),
  int('fetch.max.bytes', 55 * MIB, 'The most one fetch answer carries; the first batch is always given.', {
    min: 1024,
  }),
  int('max.incremental.fetch.session.cache.slots', 1000, 'Fetch sessions that are remembered.', { min: 0 }),
  boolean(
    'zero.copy',
    true,
    'Whether ranges of a log may go to the socket by sendfile; false reads and sends them all, to see what that costs.',
    OURS,
  ),
  int(
    'zero.copy.min.bytes',
    131_072,
    'Ranges of a log from this size on go to the socket by sendfile; smaller ones are read and sent.',
    {
      ...OURS,
      min: 0,
    },
  ),
] as const;

const TOPICS = [
  int('num.partitions', 1, 'Partitions of a topic that is created without a number.', { min: 1 }),
  int('default.replication.factor', 1, 'Replicas of a topic that is created without a number.', {
    min: 1,
    max: 32_767,
  }),
  boolean('auto.create.topics.enable', true, 'Whether a client that asks for an unknown topic gets it created.'),
  boolean('delete.topic.enable', true, 'Whether clients may delete topics.'),
  int(
    'max.request.partition.size.limit',
    2000,
    'Partitions in one answer that describes topics; the rest follow in pages.',
    {
      min: 1,
    },
  ),
  int('min.insync.replicas', 1, 'In-sync replicas that a produce with acks=all needs.', { ...DYNAMIC, min: 1 }),
] as const;

const LOG = [
  int('message.max.bytes', 1_048_588, 'The largest record batch.', { ...DYNAMIC, min: 0 }),
  oneOf(
    'compression.type',
    COMPRESSION_TYPES,
    'producer',
    'How batches are stored: in this compression, or as the producer sent them.',
    DYNAMIC,
  ),
  int('compression.gzip.level', -1, 'How hard gzip tries where compression.type asks for it; -1 is its own default.', {
    ...DYNAMIC,
    min: -1,
    max: 9,
  }),
  int('compression.zstd.level', 3, 'How hard zstd tries where compression.type asks for it.', {
    ...DYNAMIC,
    min: -131_072,
    max: 22,
  }),
  int('log.segment.bytes', 1024 * MIB, 'A log file that would grow beyond this is rolled.', { ...DYNAMIC, min: MIB }),
  long('log.roll.ms', null, 'A log file older than this is rolled. When not set, log.roll.hours counts.', {
    ...DYNAMIC,
    min: 1,
  }),
  int('log.roll.hours', 168, 'A log file older than this is rolled.', { min: 1 }),
  long(
    'log.roll.jitter.ms',
    null,
    'At most this much is taken off the age, so that logs do not roll all at once. When not set, log.roll.jitter.hours counts.',
    {
      ...DYNAMIC,
      min: 0,
    },
  ),
  int('log.roll.jitter.hours', 0, 'At most this much is taken off the age, so that logs do not roll all at once.', {
    min: 0,
  }),
  int('log.index.interval.bytes', 4096, 'Bytes of log between two index entries.', { ...DYNAMIC, min: 0 }),
  int('log.index.size.max.bytes', 10 * MIB, 'The size of an index file; when it is full the log rolls.', {
    ...DYNAMIC,
    min: 4,
  }),
  long(
    'log.retention.ms',
    null,
    'Log files older than this are deleted; -1 keeps them. When not set, log.retention.minutes counts.',
    {
      ...DYNAMIC,
      min: -1,
    },
  ),
  int(
    'log.retention.minutes',
    null,
    'Log files older than this are deleted; -1 keeps them. When not set, log.retention.hours counts.',
    {
      min: -1,
    },
  ),
  int('log.retention.hours', 168, 'Log files older than this are deleted; -1 keeps them.', { min: -1 }),
  long('log.retention.bytes', -1, 'A partition larger than this loses its oldest log files; -1 for no limit.', {
    ...DYNAMIC,
    min: -1,
  }),
  long('log.retention.check.interval.ms', 300_000, 'How often it is looked for log files to delete.', { min: 1 }),
  long('log.segment.delete.delay.ms', 60_000, 'How long a deleted log file stays on disk.', { ...DYNAMIC, min: 0 }),
  list(
    'log.cleanup.policy',
    ['delete'],
    'What happens to old data: delete, compact or both. Compaction demands keys; nothing is compacted so far.',
    {
      ...DYNAMIC,
      words: ['compact', 'delete'],
    },
  ),
  long(
    'log.flush.interval.messages',
    LONG_MAX,
    'Records after which a log is synced to disk. Left alone, the system decides.',
    { ...DYNAMIC, min: 1 },
  ),
  long('log.flush.interval.ms', null, 'The longest a record stays unsynced. Left alone, the system decides.', {
    ...DYNAMIC,
    min: 0,
  }),
  oneOf(
    'compressed.batch.validation',
    ['header', 'full'],
    'header',
    'Whether a compressed batch is taken by what its header says, or only when its records have been opened and checked (full).',
    OURS,
  ),
  boolean(
    'flush.group.commit',
    false,
    'Whether an acknowledgement waits until its records are on disk; one sync serves all that wait.',
    OURS,
  ),
  int('log.flush.offset.checkpoint.interval.ms', 60_000, 'How often the point that recovery starts from is written.', {
    min: 1,
  }),
  oneOf(
    'log.message.timestamp.type',
    ['CreateTime', 'LogAppendTime'],
    'CreateTime',
    'Whose clock stamps records: the producer or the broker.',
    DYNAMIC,
  ),
  long('log.message.timestamp.before.max.ms', LONG_MAX, 'How far a record may be stamped in the past.', {
    ...DYNAMIC,
    min: 0,
  }),
  long('log.message.timestamp.after.max.ms', HOUR_MS, 'How far a record may be stamped in the future.', {
    ...DYNAMIC,
    min: 0,
  }),
  int('producer.id.expiration.ms', 24 * HOUR_MS, 'How long a silent idempotent producer is remembered.', {
    ...DYNAMIC,
    min: 1,
  }),
  intOrAuto(
    'file.handles.max',
    'Log files open at once; auto takes what the process may open and leaves room for connections.',
    {
      ...OURS,
      min: 16,
    },
  ),
] as const;

const GROUPS = [
  int('group.min.session.timeout.ms', 6000, 'The shortest session a member of a classic group may ask for.'),
  int('group.max.session.timeout.ms', 1_800_000, 'The longest session a member of a classic group may ask for.'),
  int(
    'group.initial.rebalance.delay.ms',
    0,
    'How long an empty classic group waits for more members to come, anew with each that does, before it begins.',
    { min: 0 },
  ),
  int('group.max.size', INT_MAX, 'Members that a classic group takes.', { min: 1 }),
  int(
    'group.consumer.session.timeout.ms',
    45_000,
    'How long a member of a group of the consumer protocol may be silent.',
    { min: 1 },
  ),
  int('group.consumer.min.session.timeout.ms', 45_000, 'The least that the session may be set to.', { min: 1 }),
  int('group.consumer.max.session.timeout.ms', 60_000, 'The most that the session may be set to.', { min: 1 }),
  int(
    'group.consumer.heartbeat.interval.ms',
    5000,
    'How often members of groups of the consumer protocol are told to heartbeat.',
    { min: 1 },
  ),
  int('group.consumer.min.heartbeat.interval.ms', 5000, 'The least that the interval may be set to.', { min: 1 }),
  int('group.consumer.max.heartbeat.interval.ms', 15_000, 'The most that the interval may be set to.', { min: 1 }),
  int('group.consumer.max.size', INT_MAX, 'Members that a group of the consumer protocol takes.', { min: 1 }),
  oneOf(
    'group.consumer.migration.policy',
    ['disabled', 'upgrade', 'downgrade', 'bidirectional'],
    'bidirectional',
    'Whether a classic group with members becomes one of the consumer protocol when a member of that joins (upgrade), and is given back when the last of them goes (downgrade).',
  ),
  list(
    'group.consumer.assignors',
    ['uniform', 'range'],
    'How partitions are shared in groups of the consumer protocol; the first is for groups whose members name none.',
    { words: ['uniform', 'range'] },
  ),
  int('offset.metadata.max.bytes', 4096, 'The longest text that is taken along with a committed offset.'),
  int(
    'offsets.retention.minutes',
    10_080,
    'How long the offsets of a group without members are kept, and offsets that a group does not consume any more.',
    { min: 1 },
  ),
  int(
    'offsets.topic.num.partitions',
    50,
    'Partitions of __consumer_offsets, when it is made: so many coordinators share the groups.',
    {
      min: 1,
    },
  ),
  int(
    'offsets.topic.replication.factor',
    3,
    'Copies of __consumer_offsets, when it is made; as many as there are brokers, if those are fewer.',
    {
      min: 1,
    },
  ),
  int('offsets.topic.segment.bytes', 104_857_600, 'Segment size of __consumer_offsets, when it is made.', { min: 1 }),
  long('offsets.retention.check.interval.ms', 600_000, 'How often it is looked for offsets to expire.', { min: 1 }),
] as const;

export const BROKER_SETTINGS = [...IDENTITY, ...LISTENERS, ...NETWORK, ...TOPICS, ...LOG, ...GROUPS] as const;

export type Settings = ValuesOf<typeof BROKER_SETTINGS>;
