/** ListGroups: every group that this broker coordinates, of all shards. */
import { ERROR } from '../../wire/errors.ts';
import { ListGroups } from '../../wire/messages/list-groups.ts';
import { coordinated } from '../coordinated.ts';

export const listGroups = coordinated({
  api: ListGroups,
  groups: () => null,
  // A shard that is elsewhere by now lists its groups there.
  refusal: (_, __, errorCode) => ({
    throttleTimeMs: 0,
    errorCode: errorCode === ERROR.NOT_COORDINATOR ? ERROR.NONE : errorCode,
    groups: [],
  }),
  handle: (shard, request, _, __, respond) =>
    respond({
      throttleTimeMs: 0,
      errorCode: ERROR.NONE,
      groups: shard.listGroups({ states: request.statesFilter, types: request.typesFilter }),
    }),
  together: (answers) => ({
    throttleTimeMs: 0,
    errorCode: answers.find(({ errorCode }) => errorCode !== ERROR.NONE)?.errorCode ?? ERROR.NONE,
    groups: answers.flatMap(({ groups }) => groups),
  }),
});
