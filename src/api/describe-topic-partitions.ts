/**
 * DescribeTopicPartitions: partitions of the named topics, or of all, in the order of names and in pages of a bounded number of
 * partitions. The answer's cursor is the first partition that it left out.
 */
import { ZERO_UUID } from '../base/uuid.ts';
import type { MetadataImage, TopicImage } from '../cluster/image.ts';
import { isInternal } from '../cluster/internal-topics.ts';
import { topicNameProblem } from '../cluster/topic-names.ts';
import { ERROR } from '../wire/errors.ts';
import type { DescribeTopicPartitions } from '../wire/messages/describe-topic-partitions.ts';
import { OPERATIONS_NOT_ASKED } from '../wire/messages/metadata.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { TOPIC_OPERATIONS } from './authorized-operations.ts';
import { describedPartition } from './described-partition.ts';
import type { ApiCall, Floor } from './floor.ts';

type Request = RequestOf<typeof DescribeTopicPartitions>;
type Response = ResponseInput<typeof DescribeTopicPartitions>;
type TopicAnswer = Response['topics'][number];

function without(name: string, errorCode: number, operations: number): TopicAnswer {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternal(name),
    partitions: [],
    topicAuthorizedOperations: operations,
  };
}

/** Partitions `first` ... `end - 1`. */
function described(topic: TopicImage, floor: Floor, first: number, end: number): TopicAnswer {
  return {
    errorCode: ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    // Leaders are elected from the ISR only: nobody else is ever eligible.
    partitions: Array.from({ length: end - first }, (_, at) => ({
      ...describedPartition(floor, topic, first + at),
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  };
}

/** The topics from the cursor on, sorted; null when the cursor fits no request of this kind. */
function wanted({ topics, cursor }: Request, image: MetadataImage): string[] | null {
  if (cursor !== null && cursor.partitionIndex < 0) return null;
  const names = new Set(topics.length === 0 ? image.topics.keys() : topics.map(({ name }) => name));
  if (cursor !== null && topics.length > 0 && !names.has(cursor.topicName)) return null;
  return Array.from(names)
    .filter((name) => cursor === null || name >= cursor.topicName)
    .sort();
}

export function describeTopicPartitions(call: ApiCall, request: Request, floor: Floor): void {
  const { image, limits } = floor;
  const { cursor } = request;
  const names = wanted(request, image);
  if (names === null) {
    const topics = request.topics.map(({ name }) => without(name, ERROR.INVALID_REQUEST, OPERATIONS_NOT_ASKED));
    return call.answer({ throttleTimeMs: 0, topics, nextCursor: null } satisfies Response);
  }
  let left = Math.max(1, Math.min(request.responsePartitionLimit, limits.describedPartitionsMax));
  const topics: TopicAnswer[] = [];
  let nextCursor: Response['nextCursor'] = null;
  for (const name of names) {
    if (left === 0) {
      nextCursor = { topicName: name, partitionIndex: 0 };
      break;
    }
    const topic = image.topics.get(name);
    if (topic === undefined) {
      const known = topicNameProblem(name) === null;
      const error = known ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_TOPIC_EXCEPTION;
      topics.push(without(name, error, TOPIC_OPERATIONS));
      continue;
    }
    const count = topic.partitions.length;
    const first = cursor?.topicName === name ? Math.min(cursor.partitionIndex, count) : 0;
    const end = Math.min(count, first + left);
    topics.push(described(topic, floor, first, end));
    left -= end - first;
    if (end < count) {
      nextCursor = { topicName: name, partitionIndex: end };
      break;
    }
  }
  call.answer({ throttleTimeMs: 0, topics, nextCursor } satisfies Response);
}
