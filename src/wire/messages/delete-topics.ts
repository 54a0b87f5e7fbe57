/** DeleteTopics: by name until v5, by name or id from v6. */
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleFrom: 4,
  request: {
    topics: array(struct({ name: string({ nullableFrom: 6, default: null }), topicId: uuid() }), { since: 6 }),
    topicNames: array(string(), { until: 5, ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ ignorable: true }),
    responses: array(
      struct({
        name: string({ nullableFrom: 6 }),
        topicId: uuid({ since: 6, ignorable: true }),
        errorCode: int16(),
        errorMessage: string({ since: 5, nullableFrom: 5, default: null, ignorable: true }),
      }),
    ),
  },
});
