/** ConsumerGroupHeartbeat: a member of the consumer protocol joins, stays, leaves, and is told what to own. */
import { refusedHeartbeat } from '../../coordinator/group/consumer/heartbeats.ts';
import { ConsumerGroupHeartbeat } from '../../wire/messages/consumer-group-heartbeat.ts';
import { coordinated } from '../coordinated.ts';

export const consumerGroupHeartbeat = coordinated({
  api: ConsumerGroupHeartbeat,
  groups: ({ groupId }) => [groupId],
  refusal: (_, __, errorCode) => refusedHeartbeat({ errorCode, errorMessage: null }),
  handle: (shard, request, _, caller, respond) => shard.consumerGroupHeartbeat(request, caller, respond),
});
