/** The world of the groups of a shard, as its settings, topics and clock make it at this moment. */
import type { Assignor } from '../assignors/assignor.ts';
import { RANGE } from '../assignors/range.ts';
import { UNIFORM } from '../assignors/uniform.ts';
import type { Desk } from '../desk.ts';
import type { ConsumerWorld } from './world.ts';

const ASSIGNORS: readonly Assignor[] = [UNIFORM, RANGE];

export function consumerWorld({ settings, topics, clock }: Desk): ConsumerWorld {
  const policy = settings.groupConsumerMigrationPolicy;
  return {
    topics,
    settings: {
      membersMax: settings.groupConsumerMaxSize,
      heartbeatIntervalMs: settings.groupConsumerHeartbeatIntervalMs,
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
