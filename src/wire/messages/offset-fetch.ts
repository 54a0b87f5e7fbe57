/**
 * OffsetFetch: the offsets that a group has committed. Null topics ask for all of them (from v2); v8 asks for many groups at
 * once and says it in fields of its own; topics by id from v10.
 */
import { api, array, boolean, int16, int32, saturatingInt64, string, struct, uuid } from '../schema.ts';

const committed = {
  partitionIndex: int32(),
  committedOffset: saturatingInt64(),
  committedLeaderEpoch: int32({ since: 5, default: -1, ignorable: true }),
  metadata: string({ nullableFrom: 0 }),
  errorCode: int16(),
};

export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleFrom: 6,
  request: {
    groupId: string({ until: 7 }),
    topics: array(struct({ name: string(), partitionIndexes: array(int32()) }), { until: 7, nullableFrom: 2 }),
    groups: array(
      struct({
        groupId: string(),
        memberId: string({ since: 9, nullableFrom: 9, default: null, ignorable: true }),
        memberEpoch: int32({ since: 9, default: -1, ignorable: true }),
        topics: array(
          struct({
            name: string({ until: 9, ignorable: true }),
            topicId: uuid({ since: 10, ignorable: true }),
            partitionIndexes: array(int32()),
          }),
          { nullableFrom: 8 },
        ),
      }),
      { since: 8 },
    ),
    requireStable: boolean({ since: 7 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: array(struct({ name: string(), partitions: array(struct(committed)) }), { until: 7 }),
    errorCode: int16({ since: 2, until: 7, ignorable: true }),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            name: string({ until: 9, ignorable: true }),
            topicId: uuid({ since: 10, ignorable: true }),
            partitions: array(struct(committed)),
          }),
        ),
        errorCode: int16(),
      }),
      { since: 8 },
    ),
  },
});
