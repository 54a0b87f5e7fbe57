/** AlterConfigs, the older way: what is not named goes back to its default. */
import { api, array, boolean, int8, int16, int32, string, struct } from '../schema.ts';

export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(struct({ name: string(), value: string({ nullableFrom: 0 }) })),
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
