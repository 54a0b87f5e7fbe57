/** DescribeConfigs: settings of topics and brokers with where each value comes from; v3 and later with type and documentation. */
import { api, array, boolean, int8, int16, int32, string, struct } from '../schema.ts';

export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleFrom: 4,
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configurationKeys: array(string(), { nullableFrom: 0 }),
      }),
    ),
    includeSynonyms: boolean(),
    includeDocumentation: boolean({ since: 3 }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ nullableFrom: 0 }),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string({ nullableFrom: 0 }),
            readOnly: boolean(),
            configSource: int8({ default: -1, ignorable: true }),
            isSensitive: boolean(),
            synonyms: array(struct({ name: string(), value: string({ nullableFrom: 0 }), source: int8() }), {
              ignorable: true,
            }),
            configType: int8({ since: 3, ignorable: true }),
            documentation: string({ since: 3, nullableFrom: 0, ignorable: true }),
          }),
        ),
      }),
    ),
  },
});
