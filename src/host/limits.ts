/** What processors keep to, from the broker's settings; it holds for as long as the broker runs. */
import type { Settings } from '../config/broker-table.ts';
import type { Listener } from '../config/listeners.ts';
import type { ProcessorLimits } from '../runtime/control.ts';

export function processorLimits(settings: Settings, listeners: readonly Listener[]): ProcessorLimits {
  return {
    connection: {
      frameBytesMax: settings.socketRequestMaxBytes,
      inFlightMax: settings.connectionRequestsInFlightMax,
      idleMs: settings.connectionsMaxIdleMs,
      receiveTimeoutMs: settings.requestReceiveTimeoutMs,
    },
    zeroCopyMinBytes: settings.zeroCopyMinBytes,
    fetchBytesMax: settings.fetchMaxBytes,
    autoCreateTopics: settings.autoCreateTopicsEnable,
    describedPartitionsMax: settings.maxRequestPartitionSizeLimit,
    queuedRequestsMax: settings.queuedMaxRequests,
    sessionSlotsMax: settings.maxIncrementalFetchSessionCacheSlots,
    nodeId: settings.nodeId,
    listeners: listeners.map(({ name }) => name),
  };
}
