/** JoinGroup: a member asks its group into the next generation. */
import type { JoinResponse } from '../../coordinator/group/messages.ts';
import { refusedJoin } from '../../coordinator/group/refusals.ts';
import { JoinGroup } from '../../wire/messages/join-group.ts';
import { coordinated } from '../coordinated.ts';

const NULL_PROTOCOL_SINCE = 7;

/** Before it, no protocol is an empty name. */
function inVersion(answer: JoinResponse, version: number): JoinResponse {
  return version < NULL_PROTOCOL_SINCE && answer.protocolName === null ? { ...answer, protocolName: '' } : answer;
}

export const joinGroup = coordinated({
  api: JoinGroup,
  groups: ({ groupId }) => [groupId],
  refusal: ({ memberId }, _, errorCode, version) => inVersion(refusedJoin(memberId, errorCode), version),
  handle: (shard, request, _, caller, respond) =>
    shard.joinGroup(request, caller, (answer) => respond(inVersion(answer, caller.version))),
});
