/** DescribeTopicPartitions: partitions of topics in pages, by topic name; the cursor says where the next page begins. */
import { api, array, boolean, int16, int32, string, struct, uuid } from '../schema.ts';

const cursor = struct({ topicName: string(), partitionIndex: int32() }, { nullableFrom: 0, default: null });

export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    topics: array(struct({ name: string() })),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor,
  },
  response: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullableFrom: 0 }),
        topicId: uuid(),
        isInternal: boolean(),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ default: -1 }),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            eligibleLeaderReplicas: array(int32(), { nullableFrom: 0, default: null }),
            lastKnownElr: array(int32(), { nullableFrom: 0, default: null }),
            offlineReplicas: array(int32()),
          }),
        ),
        topicAuthorizedOperations: int32({ default: -0x80000000 }),
      }),
    ),
    nextCursor: cursor,
  },
});
