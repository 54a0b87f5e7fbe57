/** JoinGroup: a member asks its group into the next generation. */
import { refusedJoin } from '../../coordinator/group/refusals.ts';
import { JoinGroup } from '../../wire/messages/join-group.ts';
import { coordinated } from '../coordinated.ts';

export const joinGroup = coordinated({
  api: JoinGroup,
  groups: ({ groupId }) => [groupId],
  refusal: ({ memberId }, _, errorCode) => refusedJoin(memberId, errorCode),
  handle: (shard, request, _, caller, respond) => shard.joinGroup(request, caller, respond),
});
