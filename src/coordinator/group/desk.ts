/** What a shard of the group coordinator works with, all of it handed in: its log, time, dice, settings, topics, a place for lines. */
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Deadlines } from '../../base/timers.ts';
import type { Settings } from '../../config/broker-table.ts';
import type { GroupBounds, GroupOverrides } from '../../config/group-settings.ts';
import type { Topics } from './topics.ts';
import type { Writes } from './writes.ts';

/** Read when they are used, so what is handed in may change. */
export type GroupSettings = GroupBounds &
  Pick<
    Settings,
    | 'groupConsumerAssignors'
    | 'groupConsumerMaxSize'
    | 'groupConsumerMigrationPolicy'
    | 'groupInitialRebalanceDelayMs'
    | 'groupMaxSessionTimeoutMs'
    | 'groupMaxSize'
    | 'groupMinSessionTimeoutMs'
    | 'offsetMetadataMaxBytes'
    | 'offsetsRetentionMinutes'
  >;

export interface Desk {
  readonly writes: Writes;
  /** Deadlines on the clock's monotonic time. */
  readonly timers: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: GroupSettings;
  /** What is set for a group alone. */
  readonly overrides: (group: string) => GroupOverrides;
  readonly topics: Topics;
  readonly logger: Logger;
}
