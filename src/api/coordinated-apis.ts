/** The requests that the coordinator of a group answers, by key. */
import { assert } from '../base/assert.ts';
import type { AnyCoordinated } from './coordinated.ts';
import { consumerGroupDescribe } from './group/consumer-group-describe.ts';
import { consumerGroupHeartbeat } from './group/consumer-group-heartbeat.ts';
import { deleteGroups } from './group/delete-groups.ts';
import { describeGroups } from './group/describe-groups.ts';
import { heartbeat } from './group/heartbeat.ts';
import { joinGroup } from './group/join-group.ts';
import { leaveGroup } from './group/leave-group.ts';
import { listGroups } from './group/list-groups.ts';
import { offsetCommit } from './group/offset-commit.ts';
import { offsetDelete } from './group/offset-delete.ts';
import { offsetFetch } from './group/offset-fetch.ts';
import { syncGroup } from './group/sync-group.ts';

const COORDINATED = new Map<number, AnyCoordinated>(
  [
    offsetCommit,
    offsetFetch,
    joinGroup,
    heartbeat,
    leaveGroup,
    syncGroup,
    describeGroups,
    listGroups,
    deleteGroups,
    offsetDelete,
    consumerGroupHeartbeat,
    consumerGroupDescribe,
  ].map((entry) => [entry.api.key, entry]),
);

export function coordinatedOrNull(key: number): AnyCoordinated | null {
  return COORDINATED.get(key) ?? null;
}

export function coordinatedApi(key: number): AnyCoordinated {
  const entry = COORDINATED.get(key);
  assert(entry !== undefined, 'only what coordinators answer is passed to them', { key });
  return entry;
}
