/** Heartbeat: a member of a classic group is alive. */
import { ERROR } from '../../wire/errors.ts';
import { Heartbeat } from '../../wire/messages/heartbeat.ts';
import { coordinated } from '../coordinated.ts';

export const heartbeat = coordinated({
  api: Heartbeat,
  groups: ({ groupId }) => [groupId],
  // While its group is loaded nobody can say that a member is not in it.
  refusal: (_, __, errorCode) => ({
    throttleTimeMs: 0,
    errorCode: errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS ? ERROR.NONE : errorCode,
  }),
  handle: (shard, request, _, caller, respond) => shard.heartbeat(request, caller, respond),
});
