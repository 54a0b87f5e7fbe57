/** DeleteGroups: groups without members go, with all that they committed. */
import { DeleteGroups } from '../../wire/messages/delete-groups.ts';
import { coordinated } from '../coordinated.ts';

export const deleteGroups = coordinated({
  api: DeleteGroups,
  groups: ({ groupsNames }) => groupsNames,
  refusal: ({ groupsNames }, part, errorCode) => ({
    throttleTimeMs: 0,
    results: [{ groupId: groupsNames[part] as string, errorCode }],
  }),
  handle: (shard, { groupsNames }, part, _, respond) => {
    const groupId = groupsNames[part] as string;
    shard.deleteGroup(groupId, (errorCode) => respond({ throttleTimeMs: 0, results: [{ groupId, errorCode }] }));
  },
  together: (answers) => ({ throttleTimeMs: 0, results: answers.flatMap(({ results }) => results) }),
});
