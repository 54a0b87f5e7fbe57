/** SyncGroup: a member fetches what the leader has planned for it. */
import { refusedSync } from '../../coordinator/group/refusals.ts';
import { SyncGroup } from '../../wire/messages/sync-group.ts';
import { coordinated } from '../coordinated.ts';

export const syncGroup = coordinated({
  api: SyncGroup,
  groups: ({ groupId }) => [groupId],
  refusal: (_, __, errorCode) => refusedSync(errorCode),
  handle: (shard, request, _, caller, respond) => shard.syncGroup(request, caller, respond),
});
