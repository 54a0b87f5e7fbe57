/** DescribeGroups: state and members of classic groups. An unknown group is state Dead, from v6 on GROUP_ID_NOT_FOUND. */
import { api, array, boolean, bytes, int16, int32, string, struct } from '../schema.ts';
import { OPERATIONS_NOT_ASKED } from './metadata.ts';

export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexibleFrom: 5,
  request: {
    groups: array(string()),
    includeAuthorizedOperations: boolean({ since: 3 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ since: 6, nullableFrom: 6, default: null }),
        groupId: string(),
        groupState: string(),
        protocolType: string(),
        protocolData: string(),
        members: array(
          struct({
            memberId: string(),
            groupInstanceId: string({ since: 4, nullableFrom: 4, default: null, ignorable: true }),
            clientId: string(),
            clientHost: string(),
            memberMetadata: bytes(),
            memberAssignment: bytes(),
          }),
        ),
        authorizedOperations: int32({ since: 3, default: OPERATIONS_NOT_ASKED }),
      }),
    ),
  },
});
