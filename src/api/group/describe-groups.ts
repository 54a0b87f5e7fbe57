/** DescribeGroups: state and members of classic groups. */
import { DescribeGroups } from '../../wire/messages/describe-groups.ts';
import { OPERATIONS_NOT_ASKED } from '../../wire/messages/metadata.ts';
import { GROUP_OPERATIONS } from '../authorized-operations.ts';
import { coordinated } from '../coordinated.ts';

export const describeGroups = coordinated({
  api: DescribeGroups,
  groups: ({ groups }) => groups,
  refusal: ({ groups }, part, errorCode) => ({
    throttleTimeMs: 0,
    groups: [
      {
        errorCode,
        errorMessage: null,
        groupId: groups[part] as string,
        groupState: '',
        protocolType: '',
        protocolData: '',
        members: [],
        authorizedOperations: OPERATIONS_NOT_ASKED,
      },
    ],
  }),
  handle: (shard, { groups, includeAuthorizedOperations }, part, caller, respond) => {
    const described = shard.describeGroup(groups[part] as string, caller);
    const authorizedOperations = includeAuthorizedOperations ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED;
    respond({ throttleTimeMs: 0, groups: [{ ...described, authorizedOperations }] });
  },
  together: (answers) => ({ throttleTimeMs: 0, groups: answers.flatMap(({ groups }) => groups) }),
});
