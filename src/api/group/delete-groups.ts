/** DeleteGroups: groups without members go, with all that they committed. */
import { DeleteGroups } from '../../wire/messages/delete-groups.ts';
import { coordinated } from '../coordinated.ts';

/** A group that is named twice is deleted once, which is what is told. */
function eachOnce<Result extends { readonly groupId: string }>(results: readonly Result[]): Result[] {
  const first = new Map<string, Result>();
  for (const result of results) if (!first.has(result.groupId)) first.set(result.groupId, result);
  return [...first.values()];
}

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
  together: (answers) => ({ throttleTimeMs: 0, results: eachOnce(answers.flatMap(({ results }) => [...results])) }),
});
