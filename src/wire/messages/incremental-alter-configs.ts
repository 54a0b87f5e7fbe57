/** IncrementalAlterConfigs: sets, deletes, appends to or subtracts from single settings. */
import { api, array, boolean, int8, int16, int32, string, struct } from '../schema.ts';

export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(struct({ name: string(), configOperation: int8(), value: string({ nullableFrom: 0 }) })),
      }),
    ),
    validateOnly: boolean(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ nullableFrom: 0 }),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
});
