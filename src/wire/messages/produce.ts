/**
 * Produce: record batches for partitions; topics by name until v12, by id from v13. Acks 0 has no answer at all.
 * Announced from version 0, or older releases of librdkafka switch message format 2 off; versions 0 to 2 are refused.
 */
import { api, array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts';

export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  announcedFrom: 0,
  flexibleFrom: 9,
  request: {
    transactionalId: string({ since: 3, nullableFrom: 3, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        name: string({ until: 12, ignorable: true }),
        topicId: uuid({ since: 13, ignorable: true }),
        partitionData: array(struct({ index: int32(), records: records() })),
      }),
    ),
  },
  response: {
    responses: array(
      struct({
        name: string({ until: 12, ignorable: true }),
        topicId: uuid({ since: 13, ignorable: true }),
        partitionResponses: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: int64({ since: 2, default: -1, ignorable: true }),
            logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
            recordErrors: array(
              struct({ batchIndex: int32(), batchIndexErrorMessage: string({ nullableFrom: 8, default: null }) }),
              { since: 8, ignorable: true },
            ),
            errorMessage: string({ since: 8, nullableFrom: 8, default: null, ignorable: true }),
            currentLeader: struct(
              { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
              { since: 10, tag: 0 },
            ),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullableFrom: 10, default: null }),
      }),
      { since: 10, tag: 0 },
    ),
  },
});
