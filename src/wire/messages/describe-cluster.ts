/** DescribeCluster: brokers by the address of the listener that was used; v2 and later with those that are fenced, if asked. */
import { api, array, boolean, int8, int16, int32, string, struct } from '../schema.ts';

export const ENDPOINT_TYPE = { BROKERS: 1, CONTROLLERS: 2 } as const;

export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: boolean(),
    endpointType: int8({ since: 1, default: 1 }),
    includeFencedBrokers: boolean({ since: 2 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullableFrom: 0, default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullableFrom: 0, default: null }),
        isFenced: boolean({ since: 2 }),
      }),
    ),
    clusterAuthorizedOperations: int32({ default: -0x80000000 }),
  },
});
