/** CreatePartitions, decided: a topic can only grow, and new partitions have as many replicas as the first one. */
import { ERROR } from '../wire/errors.ts';
import { assignmentProblem, firstState, replicationFactorProblem } from './assignment.ts';
import type { Change } from './changes.ts';
import type { Draft, Refusal, Surroundings } from './decision.ts';
import { isRefusal, noRoom, refusal, repeated } from './decision.ts';
import type { PartitionImage, TopicImage } from './image.ts';
import { liveBrokers } from './image.ts';
import type { StoreWrite } from './metadata-store.ts';
import { ANY_VERSION } from './metadata-store.ts';
import { topicPath } from './paths.ts';
import { placeReplicas } from './placement.ts';
import type { MorePartitions, NamedResult, RequestOf, ResponseOf } from './requests.ts';
import { encodeTopic } from './stored.ts';
import { writePartitions } from './topic-creation.ts';

export function createPartitions(
  around: Surroundings,
  { topics, validateOnly }: RequestOf<'createPartitions'>,
): Draft<ResponseOf<'createPartitions'>> {
  const { image, defaults } = around;
  const writes: StoreWrite[] = [];
  const changes: Change[] = [];
  const results: NamedResult[] = [];
  const twice = repeated(topics.map((topic) => topic.name));
  const answered = new Set<string>();
  let added = 0;
  for (const wanted of topics) {
    const { name } = wanted;
    if (answered.has(name)) continue;
    answered.add(name);
    const topic = image.topics.get(name);
    if (topic !== undefined) added += Math.max(0, wanted.count - topic.partitions.length);
    const plan = twice.has(name)
      ? refusal(ERROR.INVALID_REQUEST, 'The request names this topic more than once.')
      : added > defaults.partitionsPerRequestMax
        ? refusal(
            ERROR.POLICY_VIOLATION,
            `At most ${defaults.partitionsPerRequestMax} new partitions are allowed at once.`,
          )
        : (noRoom(around, added) ?? planPartitions(around, topic, wanted));
    if (isRefusal(plan)) {
      results.push({ name, ...plan });
      continue;
    }
    results.push({ name, errorCode: ERROR.NONE, errorMessage: null });
    if (validateOnly) continue;
    const grown = plan.topic;
    const replicas = grown.partitions.map((partition) => partition.replicas);
    changes.push({ kind: 'partitionsAdded', topic: name, partitions: plan.partitions });
    writes.push({ kind: 'set', path: topicPath(name), data: encodeTopic(grown.id, replicas), version: ANY_VERSION });
    writePartitions(grown, replicas.length - plan.partitions.length, image.controllerEpoch, writes);
  }
  return { writes, changes, response: { results } };
}

interface Plan {
  /** With the new partitions. */
  readonly topic: TopicImage;
  readonly partitions: readonly PartitionImage[];
}

function planPartitions(
  { image }: Surroundings,
  topic: TopicImage | undefined,
  wanted: MorePartitions,
): Plan | Refusal {
  if (topic === undefined) {
    return refusal(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${wanted.name}'.`);
  }
  const has = topic.partitions.length;
  const { count, assignments } = wanted;
  if (count === has) return refusal(ERROR.INVALID_PARTITIONS, `The topic has ${has} partition(s) already.`);
  if (count < has) {
    return refusal(ERROR.INVALID_PARTITIONS, `The topic has ${has} partition(s); ${count} would not be more.`);
  }
  const first = topic.partitions[0] as PartitionImage;
  const factor = first.replicas.length;
  if (assignments !== null && assignments.length !== count - has) {
    return refusal(
      ERROR.INVALID_REPLICA_ASSIGNMENT,
      `${count - has} partition(s) are to be added, but ${assignments.length} assignment(s) are given.`,
    );
  }
  const lists = assignments === null ? place() : assignments.map((assignment) => assignment.brokerIds);
  if (isRefusal(lists)) return lists;
  const problem = assignmentProblem(image, lists, has, factor);
  if (problem !== null) return problem;
  const partitions = lists.map((replicas) => firstState(image, replicas));
  return { topic: { ...topic, partitions: [...topic.partitions, ...partitions] }, partitions };

  /** Goes on from where partition 0 stands, so that the topic stays evenly spread. */
  function place(): number[][] | Refusal {
    const brokers = liveBrokers(image);
    const start = Math.max(
      0,
      brokers.findIndex((id) => id >= (first.replicas[0] as number)),
    );
    const problem = replicationFactorProblem(factor, brokers.length);
    return problem ?? placeReplicas(brokers, has, count - has, factor, { broker: start, shift: start });
  }
}
