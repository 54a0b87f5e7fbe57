/** Puts the threads' side of a broker together from its settings: crew, pools, partition host and tuning. Starts nothing. */
import type { Logger } from '../base/logger.ts';
import type { Listener } from '../config/listeners.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { topicConfig } from '../config/topic-settings.ts';
import type { PublishedPartitions } from '../replica/published.ts';
import type { FromThread, ImageMessage } from '../runtime/control.ts';
import type { Shared } from '../runtime/shared.ts';
import { Crew } from './crew.ts';
import type { Data } from './data.ts';
import { groupSettings } from './groups.ts';
import { connectionsMax, fileHandles, processorLimits } from './limits.ts';
import { PartitionHost } from './partition-host.ts';
import type { PoolSizes } from './placement.ts';
import { Pools } from './pools.ts';
import type { ThreadEntries } from './thread-entries.ts';
import { Tuning } from './tuning.ts';

export interface AssemblyParts {
  readonly live: LiveSettings;
  readonly transport: 'native' | 'portable';
  readonly entries: ThreadEntries;
  readonly cores: number;
  readonly profile: string | null;
  readonly listeners: readonly Listener[];
  readonly shared: Shared;
  readonly published: PublishedPartitions;
  readonly data: Data;
  readonly logger: Logger;
  seed(): number;
  image(): ImageMessage;
  heard(message: FromThread): void;
  failed(problem: Error): void;
  resize(sizes: PoolSizes): void;
  /** No data directory is left. */
  lost(why: string): void;
}

export interface Assembly {
  readonly crew: Crew;
  readonly pools: Pools;
  readonly host: PartitionHost;
  readonly tuning: Tuning;
}

export function assemble(parts: AssemblyParts): Assembly {
  const { live, transport, cores, shared, published, data, logger } = parts;
  const { settings } = live;
  const { nodeId } = settings;
  const portable = transport === 'portable';
  const crew = new Crew({
    kind: transport,
    entries: parts.entries,
    shared,
    sockets: {
      receiveBytes: settings.socketReceiveBufferBytes,
      sendBytes: settings.socketSendBufferBytes,
      backlog: settings.socketListenBacklogSize,
    },
    connectionsMax: connectionsMax(settings),
    profile: parts.profile,
    logger,
    heard: (message) => parts.heard(message),
    failed: (problem) => parts.failed(problem),
  });
  const host = new PartitionHost({
    crew,
    data,
    published,
    nodeId,
    logger,
    config: (topic) => {
      const { log, settings: effective } = topicConfig(topic.configs, live.settings);
      return { config: log, minInsyncReplicas: effective.minInsyncReplicas };
    },
    lost: (why) => parts.lost(why),
  });
  const pools = new Pools({
    crew,
    portable,
    limits: processorLimits(settings, parts.listeners),
    queuedBytesMax: settings.queuedMaxRequestBytes,
    groupCommit: settings.flushGroupCommit,
    fullValidation: settings.compressedBatchValidation === 'full',
    retentionCheckMs: settings.logRetentionCheckIntervalMs,
    checkpointMs: settings.logFlushOffsetCheckpointIntervalMs,
    filesMax: fileHandles(settings),
    groups: groupSettings(settings),
    groupExpiryCheckMs: settings.offsetsRetentionCheckIntervalMs,
    seed: () => parts.seed(),
    image: () => parts.image(),
    routes: () => host.map.routes(),
  });
  const tuning = new Tuning({
    live,
    nodeId,
    cores,
    portable,
    listeners: parts.listeners.length,
    logger,
    limitConnections: (count) => pools.limitConnections(count),
    resize: (sizes) => parts.resize(sizes),
  });
  return { crew, pools, host, tuning };
}
