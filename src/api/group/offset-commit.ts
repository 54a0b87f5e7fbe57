/** OffsetCommit: a group remembers how far it has come. */
import { OffsetCommit } from '../../wire/messages/offset-commit.ts';
import { coordinated } from '../coordinated.ts';

export const offsetCommit = coordinated({
  api: OffsetCommit,
  groups: ({ groupId }) => [groupId],
  refusal: ({ topics }, _, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  handle: (shard, request, _, caller, respond) => shard.offsetCommit(request, caller, respond),
});
