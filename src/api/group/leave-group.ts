/** LeaveGroup: members leave a classic group. */
import { LeaveGroup } from '../../wire/messages/leave-group.ts';
import { coordinated } from '../coordinated.ts';

export const leaveGroup = coordinated({
  api: LeaveGroup,
  groups: ({ groupId }) => [groupId],
  refusal: (_, __, errorCode) => ({ throttleTimeMs: 0, errorCode, members: [] }),
  handle: (shard, request, _, caller, respond) => shard.leaveGroup(request, caller, respond),
});
