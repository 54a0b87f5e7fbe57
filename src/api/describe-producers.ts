/** DescribeProducers, on the main thread: the producers that the owners of partitions remember. */
import { topicNameProblem } from '../cluster/topic-names.ts';
import { ERROR, errorOf } from '../wire/errors.ts';
import type { DescribeProducers } from '../wire/messages/describe-producers.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk, RememberedProducers } from './controller-desk.ts';
import { namedPartitions } from './named-partitions.ts';

type Response = ResponseInput<typeof DescribeProducers>;
type PartitionAnswer = Response['topics'][number]['partitions'][number];

function failed(partitionIndex: number, errorCode: number, errorMessage: string | null): PartitionAnswer {
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] };
}

function answerOf(topic: string, partitionIndex: number, found: RememberedProducers | null): PartitionAnswer {
  if (found === null) {
    const message = `This broker does not have partition ${partitionIndex} of the topic '${topic}'.`;
    return failed(partitionIndex, ERROR.UNKNOWN_TOPIC_OR_PARTITION, message);
  }
  const { errorCode, producers } = found;
  if (errorCode !== ERROR.NONE) return failed(partitionIndex, errorCode, errorOf(errorCode)?.text ?? null);
  return { partitionIndex, errorCode, errorMessage: null, activeProducers: producers };
}

export async function describeProducers(
  request: RequestOf<typeof DescribeProducers>,
  desk: ControllerDesk,
): Promise<Response> {
  const named = namedPartitions(request.topics.map(({ name, partitionIndexes }) => [name, partitionIndexes]));
  const topics = await Promise.all(
    Array.from(named, async ([name, indexes]) => {
      const partitionIndexes = Array.from(indexes);
      const problem = topicNameProblem(name);
      if (problem !== null) {
        const refused = (index: number) => failed(index, ERROR.INVALID_TOPIC_EXCEPTION, problem);
        return { name, partitions: partitionIndexes.map(refused) };
      }
      const found = await desk.producersOf(name, partitionIndexes);
      return { name, partitions: partitionIndexes.map((index, at) => answerOf(name, index, found[at] ?? null)) };
    }),
  );
  return { throttleTimeMs: 0, topics };
}
