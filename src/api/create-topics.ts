/** CreateTopics, on the main thread: the controller decides; the answer comes when the leaders take writes. */

import { ERROR } from '../wire/errors.ts';
import type { CreateTopics } from '../wire/messages/create-topics.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk } from './controller-desk.ts';

type Response = ResponseInput<typeof CreateTopics>;

export async function createTopics(request: RequestOf<typeof CreateTopics>, desk: ControllerDesk): Promise<Response> {
  const { topics, validateOnly } = request;
  const created = await desk.ask('createTopics', { topics, validateOnly });
  const asked = new Map(topics.map((topic) => [topic.name, topic.configs]));
  return {
    throttleTimeMs: 0,
    topics: created.topics.map(({ name, topicId, errorCode, errorMessage, numPartitions, replicationFactor }) => ({
      name,
      topicId,
      errorCode,
      errorMessage,
      numPartitions,
      replicationFactor,
      configs: errorCode === ERROR.NONE ? desk.effectiveConfigs(asked.get(name) ?? []) : [],
    })),
  };
}
