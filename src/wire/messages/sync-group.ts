/** SyncGroup: the leader of a classic group hands over the assignments of a generation, every member is told its own. */
import { api, array, bytes, int16, int32, string, struct } from '../schema.ts';

export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullableFrom: 3, default: null }),
    protocolType: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
    protocolName: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
    assignments: array(struct({ memberId: string(), assignment: bytes() })),
  },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    protocolType: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
    protocolName: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
    assignment: bytes(),
  },
});
