/** OffsetDelete: a group forgets what it committed for some partitions. */
import { OffsetDelete } from '../../wire/messages/offset-delete.ts';
import { coordinated } from '../coordinated.ts';

export const offsetDelete = coordinated({
  api: OffsetDelete,
  groups: ({ groupId }) => [groupId],
  refusal: (_, __, errorCode) => ({ errorCode, throttleTimeMs: 0, topics: [] }),
  handle: (shard, request, _, caller, respond) => shard.offsetDelete(request, caller, respond),
});
