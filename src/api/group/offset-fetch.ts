/**
 * OffsetFetch: what groups have committed. Shards know v8's way, one group beside the other; before v8 there is one group,
 * and its fields are the message's own.
 */

import { ZERO_UUID } from '../../base/uuid.ts';
import type { GroupOffsets } from '../../coordinator/group/messages.ts';
import { ERROR } from '../../wire/errors.ts';
import { OffsetFetch } from '../../wire/messages/offset-fetch.ts';
import type { RequestOf, ResponseInput } from '../../wire/schema.ts';
import { coordinated } from '../coordinated.ts';

type Request = RequestOf<typeof OffsetFetch>;
type Response = ResponseInput<typeof OffsetFetch>;
type Group = Request['groups'][number];

const MANY_SINCE = 8;
/** Before it there is no error code for all of a group. */
const GROUP_ERROR_SINCE = 2;
const NO_EPOCH = -1;

function groupsOf({ groups, groupId, topics }: Request, version: number): readonly Group[] {
  if (version >= MANY_SINCE) return groups;
  const named = topics?.map(({ name, partitionIndexes }) => ({ name, topicId: ZERO_UUID, partitionIndexes })) ?? null;
  return [{ groupId, memberId: null, memberEpoch: NO_EPOCH, topics: named }];
}

function answered(group: GroupOffsets, version: number): Response {
  const { topics, errorCode } = group;
  if (version >= MANY_SINCE) return { throttleTimeMs: 0, topics: [], errorCode: ERROR.NONE, groups: [group] };
  return { throttleTimeMs: 0, topics, errorCode, groups: [] };
}

function nowhere({ topics }: Group, errorCode: number): GroupOffsets['topics'] {
  return (topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  }));
}

export const offsetFetch = coordinated({
  api: OffsetFetch,
  groups: (request, version) => groupsOf(request, version).map(({ groupId }) => groupId),
  refusal: (request, part, errorCode, version) => {
    const group = groupsOf(request, version)[part] as Group;
    const topics = version < GROUP_ERROR_SINCE ? nowhere(group, errorCode) : [];
    return answered({ groupId: group.groupId, topics, errorCode }, version);
  },
  handle: (shard, request, part, caller, respond) => {
    const group = groupsOf(request, caller.version)[part] as Group;
    shard.offsetFetch(group, request.requireStable, caller, (offsets) => {
      respond(answered(offsets, caller.version));
    });
  },
  together: (answers) => {
    const [first] = answers;
    if (answers.length === 1 && first !== undefined) return first;
    return { throttleTimeMs: 0, topics: [], errorCode: ERROR.NONE, groups: answers.flatMap(({ groups }) => groups) };
  },
});
