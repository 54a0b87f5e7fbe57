/** The world of a group, as its settings and those of its shard, topics and clock make it at this moment. */

import { groupTimes } from '../../../config/group-settings.ts';
import type { Assignor } from '../assignors/assignor.ts';
import { RANGE } from '../assignors/range.ts';
import { UNIFORM } from '../assignors/uniform.ts';
import type { Desk } from '../desk.ts';
import type { ConsumerWorld } from './world.ts';

const ASSIGNORS: readonly Assignor[] = [UNIFORM, RANGE];

export function consumerWorld({ settings, overrides, topics, clock }: Desk, group: string): ConsumerWorld {
  const policy = settings.groupConsumerMigrationPolicy;
  return {
    topics,
    settings: {
      membersMax: settings.groupConsumerMaxSize,
      heartbeatIntervalMs: groupTimes(overrides(group), settings).consumerHeartbeatIntervalMs,
      upgrades: policy === 'upgrade' || policy === 'bidirectional',
      downgrades: policy === 'downgrade' || policy === 'bidirectional',
      classicMembersMax: settings.groupMaxSize,
    },
    assignors: assignorsOf(settings.groupConsumerAssignors),
    now: clock.now(),
  };
}

/** In the order of their names. */
function assignorsOf(names: readonly string[]): Assignor[] {
  return names.flatMap((name) => ASSIGNORS.find((assignor) => assignor.name === name) ?? []);
}
