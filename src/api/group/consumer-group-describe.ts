/** ConsumerGroupDescribe: epochs and members of groups of the consumer protocol. */
import { refusedDescription } from '../../coordinator/group/consumer/description.ts';
import { ConsumerGroupDescribe } from '../../wire/messages/consumer-group-describe.ts';
import { OPERATIONS_NOT_ASKED } from '../../wire/messages/metadata.ts';
import { GROUP_OPERATIONS } from '../authorized-operations.ts';
import { coordinated } from '../coordinated.ts';

export const consumerGroupDescribe = coordinated({
  api: ConsumerGroupDescribe,
  groups: ({ groupIds }) => groupIds,
  refusal: ({ groupIds }, part, errorCode) => ({
    throttleTimeMs: 0,
    groups: [refusedDescription(groupIds[part] as string, errorCode, null)],
  }),
  handle: (shard, { groupIds, includeAuthorizedOperations }, part, _, respond) => {
    const described = shard.describeConsumerGroup(groupIds[part] as string);
    const authorizedOperations = includeAuthorizedOperations ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED;
    respond({ throttleTimeMs: 0, groups: [{ ...described, authorizedOperations }] });
  },
  together: (answers) => ({ throttleTimeMs: 0, groups: answers.flatMap(({ groups }) => groups) }),
});
