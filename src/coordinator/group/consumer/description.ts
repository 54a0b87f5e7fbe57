/** ConsumerGroupDescribe: a group of the consumer protocol with its epochs, and what each member owns and is to own. */
import { ERROR } from '../../../wire/errors.ts';
import { OPERATIONS_NOT_ASKED } from '../../../wire/messages/metadata.ts';
import type { AnyGroup } from '../groups.ts';
import type { DescribedConsumerGroup } from '../messages.ts';
import type { Topics } from '../topics.ts';
import type { LiveConsumerGroup } from './live-group.ts';
import type { ConsumerMember } from './member.ts';
import { topicPartitionsOf } from './owned-partitions.ts';
import { preferred } from './targets.ts';

const MEMBER_TYPE = { CLASSIC: 0, CONSUMER: 1 } as const;

type Assignment = DescribedConsumerGroup['members'][number]['assignment'];

export function describeConsumerGroup(
  id: string,
  group: AnyGroup | undefined,
  assignors: readonly string[],
  topics: Topics,
): DescribedConsumerGroup {
  if (id === '') return refusedDescription(id, ERROR.INVALID_GROUP_ID, null);
  if (group?.kind !== 'consumer' || group.isRemoving) {
    const reason = group?.kind === 'classic' ? `Group ${id} is not a consumer group.` : `Group ${id} not found.`;
    return refusedDescription(id, ERROR.GROUP_ID_NOT_FOUND, reason);
  }
  const { state } = group;
  const members = [...state.members.values()];
  return {
    errorCode: ERROR.NONE,
    errorMessage: null,
    groupId: id,
    groupState: group.stateName,
    groupEpoch: state.epoch,
    assignmentEpoch: state.targetEpoch,
    assignorName: preferred(
      members,
      assignors.map((name) => ({ name })),
    ).name,
    members: members.map((member) => describeMember(group, member, topics)),
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

export function refusedDescription(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedConsumerGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

function describeMember({ state }: LiveConsumerGroup, member: ConsumerMember, topics: Topics) {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member;
  const target = Array.from(state.targetOf(memberId), ([topicId, partitions]) => ({ topicId, partitions }));
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames],
    subscribedTopicRegex: member.subscribedTopicRegex ?? '',
    assignment: named(topicPartitionsOf(member.assigned), topics),
    targetAssignment: named(target, topics),
    memberType: member.classicMemberMetadata === null ? MEMBER_TYPE.CONSUMER : MEMBER_TYPE.CLASSIC,
  };
}

/** Topics that are gone are left out. */
function named(assigned: readonly { topicId: string; partitions: readonly number[] }[], topics: Topics): Assignment {
  const topicPartitions = assigned.flatMap(({ topicId, partitions }) => {
    const topicName = topics.nameOf(topicId);
    return topicName === null ? [] : [{ topicId, topicName, partitions: partitions.toSorted((a, b) => a - b) }];
  });
  return { topicPartitions };
}
