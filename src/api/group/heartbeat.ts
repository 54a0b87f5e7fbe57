/** Heartbeat: a member of a classic group is alive. */
import { Heartbeat } from '../../wire/messages/heartbeat.ts';
import { coordinated } from '../coordinated.ts';

export const heartbeat = coordinated({
  api: Heartbeat,
  groups: ({ groupId }) => [groupId],
  refusal: (_, __, errorCode) => ({ throttleTimeMs: 0, errorCode }),
  handle: (shard, request, _, caller, respond) => shard.heartbeat(request, caller, respond),
});
