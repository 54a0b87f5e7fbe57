/** How the topics that brokers keep for themselves are made, from the broker's settings. */
import type { InternalTopicDefaults } from '../cluster/decision.ts';
import { GROUP_LOG } from '../cluster/internal-topics.ts';
import type { Settings } from '../config/broker-table.ts';

export function internalTopics(settings: Settings): ReadonlyMap<string, InternalTopicDefaults> {
  return new Map([
    [
      GROUP_LOG,
      {
        numPartitions: settings.offsetsTopicNumPartitions,
        replicationFactorMax: settings.offsetsTopicReplicationFactor,
        configs: new Map([
          ['cleanup.policy', 'compact'],
          ['compression.type', 'producer'],
          ['segment.bytes', String(settings.offsetsTopicSegmentBytes)],
        ]),
      },
    ],
  ]);
}
