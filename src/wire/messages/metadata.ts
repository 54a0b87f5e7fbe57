/** Metadata: brokers, topics, partitions and their leaders. In v0 an empty topic list asks for all topics, from v1 on null does. */
import { api, array, boolean, int16, int32, string, struct, uuid } from '../schema.ts';

/** Authorized operations are a bit field; this one says that nobody asked. */
export const OPERATIONS_NOT_ASKED = -0x80000000;

export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleFrom: 9,
  request: {
    topics: array(struct({ topicId: uuid({ since: 10, ignorable: true }), name: string({ nullableFrom: 10 }) }), {
      nullableFrom: 1,
    }),
    allowAutoTopicCreation: boolean({ since: 4, default: true }),
    includeClusterAuthorizedOperations: boolean({ since: 8, until: 10 }),
    includeTopicAuthorizedOperations: boolean({ since: 8 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    brokers: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ since: 1, nullableFrom: 1, default: null, ignorable: true }),
      }),
    ),
    clusterId: string({ since: 2, nullableFrom: 2, default: null, ignorable: true }),
    controllerId: int32({ since: 1, default: -1, ignorable: true }),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullableFrom: 12 }),
        topicId: uuid({ since: 10, ignorable: true }),
        isInternal: boolean({ since: 1, ignorable: true }),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ since: 7, default: -1, ignorable: true }),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            offlineReplicas: array(int32(), { since: 5, ignorable: true }),
          }),
        ),
        topicAuthorizedOperations: int32({ since: 8, default: OPERATIONS_NOT_ASKED }),
      }),
    ),
    clusterAuthorizedOperations: int32({ since: 8, until: 10, default: OPERATIONS_NOT_ASKED }),
    errorCode: int16({ since: 13, ignorable: true }),
  },
});
