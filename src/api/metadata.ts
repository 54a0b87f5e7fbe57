/**
 * Metadata: brokers by the address of the listener that was used, topics with their leaders. Topics that are not there are
 * created on the way where both sides allow it; the answer then waits until their leaders take writes.
 */
import { ZERO_UUID } from '../base/uuid.ts';
import { endpointOf, type TopicImage, topicById } from '../cluster/image.ts';
import { CLUSTER_METADATA_TOPIC, isInternal } from '../cluster/internal-topics.ts';
import { topicNameProblem } from '../cluster/topic-names.ts';
import { ERROR } from '../wire/errors.ts';
import { type Metadata, OPERATIONS_NOT_ASKED } from '../wire/messages/metadata.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from './authorized-operations.ts';
import { describedPartition } from './described-partition.ts';
import { type ApiCall, AUTO_CREATE, type AutoCreateAnswer, type Floor } from './floor.ts';

type Request = RequestOf<typeof Metadata>;
type Response = ResponseInput<typeof Metadata>;
type TopicAnswer = Response['topics'][number];

/** Before it, topics cannot be named by id: their answers must have a name. */
const BY_ID_SINCE = 12;

function brokers(floor: Floor, listener: number): Response['brokers'] {
  const name = floor.limits.listeners[listener];
  const found: { nodeId: number; host: string; port: number; rack: string | null }[] = [];
  for (const broker of floor.image.brokers.values()) {
    const endpoint = broker.fenced ? undefined : endpointOf(broker, name);
    if (endpoint !== undefined)
      found.push({ nodeId: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack });
  }
  return found;
}

function topicAnswer(topic: TopicImage, floor: Floor, operations: number): TopicAnswer {
  return {
    errorCode: ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: topic.partitions.map((_, index) => describedPartition(floor, topic, index)),
    topicAuthorizedOperations: operations,
  };
}

function missing(name: string | null, topicId: string, errorCode: number, operations: number): TopicAnswer {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternal(name),
    partitions: [],
    topicAuthorizedOperations: operations,
  };
}

function notThere(name: string): number {
  return topicNameProblem(name) === null ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_TOPIC_EXCEPTION;
}

/** Null asks for all topics: no list, or in v0 an empty one. */
function wanted(request: Request, version: number): Request['topics'] {
  return version === 0 && request.topics?.length === 0 ? null : request.topics;
}

function topics(request: Request, floor: Floor, version: number, refused: ReadonlyMap<string, number>): TopicAnswer[] {
  const asked = wanted(request, version);
  const { image } = floor;
  const operations = request.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED;
  if (asked === null) return Array.from(image.topics.values(), (topic) => topicAnswer(topic, floor, operations));
  const seen = new Set<string>();
  const answers: TopicAnswer[] = [];
  for (const { name, topicId } of asked) {
    const byId = topicId !== undefined && topicId !== ZERO_UUID;
    const key = byId ? topicId : (name ?? '');
    if (seen.has(key)) continue;
    seen.add(key);
    const topic = byId ? topicById(image, topicId) : image.topics.get(name ?? '');
    if (byId && version < BY_ID_SINCE)
      answers.push(missing(name ?? '', topicId, ERROR.INVALID_REQUEST, OPERATIONS_NOT_ASKED));
    else if (topic !== undefined) answers.push(topicAnswer(topic, floor, operations));
    else if (byId) answers.push(missing(null, topicId, ERROR.UNKNOWN_TOPIC_ID, OPERATIONS_NOT_ASKED));
    else answers.push(missing(name ?? '', ZERO_UUID, refused.get(name ?? '') ?? notThere(name ?? ''), operations));
  }
  return answers;
}

export function metadata(call: ApiCall, request: Request, floor: Floor): void {
  const answer = (refused: ReadonlyMap<string, number>): void => {
    const { image } = floor;
    call.answer({
      throttleTimeMs: 0,
      brokers: brokers(floor, call.listener),
      clusterId: image.clusterId,
      controllerId: image.controllerId,
      topics: topics(request, floor, call.version, refused),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : OPERATIONS_NOT_ASKED,
      errorCode: ERROR.NONE,
    } satisfies Response);
  };
  const names: string[] = [];
  for (const { name, topicId } of wanted(request, call.version) ?? []) {
    if (name === null || floor.image.topics.has(name) || (topicId !== undefined && topicId !== ZERO_UUID)) continue;
    if (!isInternal(name) && name !== CLUSTER_METADATA_TOPIC) names.push(name);
  }
  if (names.length === 0 || !request.allowAutoTopicCreation || !floor.limits.autoCreateTopics) {
    answer(new Map());
    return;
  }
  floor.askController(call, AUTO_CREATE, { names }, (body) => {
    const { topics: created } = body as AutoCreateAnswer;
    // One that was made and is not known here yet has no leader to be named.
    answer(new Map(created.map(({ name, errorCode }) => [name, errorCode || ERROR.LEADER_NOT_AVAILABLE])));
  });
}
