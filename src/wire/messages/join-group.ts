/**
 * JoinGroup: a member of a classic group asks into the next generation; the leader is told the members with what each protocol
 * of theirs says. That metadata is opaque to the broker.
 */
import { api, array, boolean, bytes, int16, int32, string, struct } from '../schema.ts';

export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ since: 1, default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string({ since: 5, nullableFrom: 5, default: null }),
    protocolType: string(),
    protocols: array(struct({ name: string(), metadata: bytes() })),
    reason: string({ since: 8, nullableFrom: 8, default: null, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ since: 7, nullableFrom: 7, default: null, ignorable: true }),
    protocolName: string({ nullableFrom: 7 }),
    leader: string(),
    skipAssignment: boolean({ since: 9 }),
    memberId: string(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
        metadata: bytes(),
      }),
    ),
  },
});
