/** LeaveGroup: one member leaves a group, from v3 on as many as are named. */
import { api, array, int16, int32, string, struct } from '../schema.ts';

export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ nullableFrom: 3, default: null }),
        reason: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
      }),
      { since: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ nullableFrom: 3 }),
        errorCode: int16(),
      }),
      { since: 3 },
    ),
  },
});
