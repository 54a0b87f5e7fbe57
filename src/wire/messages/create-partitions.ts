/** CreatePartitions: a topic grows to a count, its new partitions placed by the controller or as told. */
import { api, array, boolean, int16, int32, string, struct } from '../schema.ts';

export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: array(
      struct({
        name: string(),
        count: int32(),
        assignments: array(struct({ brokerIds: array(int32()) }), { nullableFrom: 0 }),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: boolean(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({ name: string(), errorCode: int16(), errorMessage: string({ nullableFrom: 0, default: null }) }),
    ),
  },
});
