/** What processors and acceptors keep to, from the broker's settings and what the system lets the process open. */
import type { Settings } from '../config/broker-table.ts';
import type { Listener } from '../config/listeners.ts';
import type { ProcessorLimits } from '../runtime/control.ts';
import { openFilesLimit } from '../runtime/ground/ground.ts';

/** What a broker opens beside log files and connections: listeners, polls, wake-ups, locks, checkpoints, threads. */
const OTHER_DESCRIPTORS = 128;
const CONNECTIONS_MIN = 16;

/** `auto` leaves half of what the process may open to connections. */
export function fileHandles({ fileHandlesMax }: Settings): number {
  return fileHandlesMax === 'auto' ? Math.floor(openFilesLimit() / 2) : fileHandlesMax;
}

/** Never so many that a log file could not be opened for want of a descriptor: its directory would be taken for broken. */
export function connectionsMax(settings: Settings): number {
  const room = openFilesLimit() - fileHandles(settings) - OTHER_DESCRIPTORS;
  return Math.min(settings.maxConnections, Math.max(room, CONNECTIONS_MIN));
}

export function processorLimits(settings: Settings, listeners: readonly Listener[]): ProcessorLimits {
  return {
    connection: {
      frameBytesMax: settings.socketRequestMaxBytes,
      inFlightMax: settings.connectionRequestsInFlightMax,
      idleMs: settings.connectionsMaxIdleMs,
      receiveTimeoutMs: settings.requestReceiveTimeoutMs,
    },
    zeroCopyMinBytes: settings.zeroCopy ? settings.zeroCopyMinBytes : Number.POSITIVE_INFINITY,
    fetchBytesMax: settings.fetchMaxBytes,
    autoCreateTopics: settings.autoCreateTopicsEnable,
    describedPartitionsMax: settings.maxRequestPartitionSizeLimit,
    queuedRequestsMax: settings.queuedMaxRequests,
    sessionSlotsMax: settings.maxIncrementalFetchSessionCacheSlots,
    nodeId: settings.nodeId,
    listeners: listeners.map(({ name }) => name),
  };
}
