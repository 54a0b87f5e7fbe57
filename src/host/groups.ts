/** What the coordinators of groups go by, from the broker's settings; it holds for as long as the broker runs. */
import type { Settings } from '../config/broker-table.ts';
import type { GroupSettings } from '../coordinator/group/desk.ts';

export function groupSettings(settings: Settings): GroupSettings {
  return {
    groupConsumerAssignors: settings.groupConsumerAssignors,
    groupConsumerHeartbeatIntervalMs: settings.groupConsumerHeartbeatIntervalMs,
    groupConsumerMaxHeartbeatIntervalMs: settings.groupConsumerMaxHeartbeatIntervalMs,
    groupConsumerMaxSessionTimeoutMs: settings.groupConsumerMaxSessionTimeoutMs,
    groupConsumerMaxSize: settings.groupConsumerMaxSize,
    groupConsumerMigrationPolicy: settings.groupConsumerMigrationPolicy,
    groupConsumerMinHeartbeatIntervalMs: settings.groupConsumerMinHeartbeatIntervalMs,
    groupConsumerMinSessionTimeoutMs: settings.groupConsumerMinSessionTimeoutMs,
    groupConsumerSessionTimeoutMs: settings.groupConsumerSessionTimeoutMs,
    groupInitialRebalanceDelayMs: settings.groupInitialRebalanceDelayMs,
    groupMaxSessionTimeoutMs: settings.groupMaxSessionTimeoutMs,
    groupMaxSize: settings.groupMaxSize,
    groupMinSessionTimeoutMs: settings.groupMinSessionTimeoutMs,
    offsetMetadataMaxBytes: settings.offsetMetadataMaxBytes,
    offsetsRetentionMinutes: settings.offsetsRetentionMinutes,
  };
}
