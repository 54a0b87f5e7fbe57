/**
 * ConsumerGroupHeartbeat: the one request of the consumer protocol: joining, staying, leaving, and being told what to own.
 * Null says that nothing has changed since the heartbeat before; patterns from v1.
 */
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

const topicPartitions = struct({ topicId: uuid(), partitions: array(int32()) });

export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullableFrom: 0, default: null }),
    rackId: string({ nullableFrom: 0, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullableFrom: 0, default: null }),
    subscribedTopicRegex: string({ since: 1, nullableFrom: 1, default: null }),
    serverAssignor: string({ nullableFrom: 0, default: null }),
    topicPartitions: array(topicPartitions, { nullableFrom: 0, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullableFrom: 0, default: null }),
    memberId: string({ nullableFrom: 0, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct({ topicPartitions: array(topicPartitions) }, { nullableFrom: 0, default: null }),
  },
});
