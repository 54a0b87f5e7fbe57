/** CreateTopics and automatic creation, decided: names, counts, assignments and settings are checked in Kafka's order. */
import { randomUuid, ZERO_UUID } from '../base/uuid.ts';
import { ERROR } from '../wire/errors.ts';
import { assignmentProblem, firstState, replicationFactorProblem } from './assignment.ts';
import type { Change } from './changes.ts';
import type { Draft, Refusal, Surroundings } from './decision.ts';
import { isRefusal, noRoom, refusal, repeated } from './decision.ts';
import type { Configs, TopicImage } from './image.ts';
import { liveBrokers } from './image.ts';
import { CLUSTER_METADATA_TOPIC } from './internal-topics.ts';
import type { StoreWrite } from './metadata-store.ts';
import { partitionPath, partitionStatePath, partitionsPath, topicConfigsPath, topicPath } from './paths.ts';
import { placeReplicas, randomStart } from './placement.ts';
import type { CreatedTopic, NewTopic, RequestOf, ResponseOf } from './requests.ts';
import { BY_DEFAULT } from './requests.ts';
import { SettingsRoom } from './settings-room.ts';
import { encodeConfigs, encodePartitionState, encodeTopic } from './stored.ts';
import { CollidingNames, topicNameProblem } from './topic-names.ts';

export function createTopics(
  around: Surroundings,
  { topics, validateOnly }: RequestOf<'createTopics'>,
): Draft<ResponseOf<'createTopics'>> {
  const excess = excessive(around, topics);
  const twice = repeated(topics.map((topic) => topic.name));
  const answered = new Set<string>();
  const namesOfRequest = new CollidingNames();
  const writes: StoreWrite[] = [];
  const changes: Change[] = [];
  const created: CreatedTopic[] = [];
  const room = new SettingsRoom();
  for (const wanted of topics) {
    if (answered.has(wanted.name)) continue;
    answered.add(wanted.name);
    const planned = twice.has(wanted.name)
      ? refusal(ERROR.INVALID_REQUEST, 'The request names this topic more than once.')
      : (excess ?? planTopic(around, wanted, namesOfRequest));
    const topic = isRefusal(planned) ? planned : (room.take(planned.configs) ?? planned);
    if (isRefusal(topic)) {
      created.push({ name: wanted.name, topicId: ZERO_UUID, ...topic, numPartitions: -1, replicationFactor: -1 });
      continue;
    }
    namesOfRequest.add(topic.name);
    created.push(answerFor(topic));
    if (validateOnly) continue;
    changes.push({ kind: 'topicCreated', topic });
    writeTopic(topic, around.image.controllerEpoch, writes);
  }
  return { writes, changes, response: { topics: created } };
}

export function autoCreateTopics(
  around: Surroundings,
  { names }: RequestOf<'autoCreateTopics'>,
): Draft<ResponseOf<'autoCreateTopics'>> {
  const there: CreatedTopic[] = [];
  const wanted: NewTopic[] = [];
  for (const name of new Set(names)) {
    const topic = around.image.topics.get(name);
    if (topic !== undefined) there.push(answerFor(topic));
    else wanted.push(byDefault(around, name));
  }
  const draft = createTopics(around, { topics: wanted, validateOnly: false });
  return { ...draft, response: { topics: [...there, ...draft.response.topics] } };
}

function byDefault({ defaults, image }: Surroundings, name: string): NewTopic {
  const internal = defaults.internalTopics.get(name);
  if (internal === undefined) {
    return { name, numPartitions: BY_DEFAULT, replicationFactor: BY_DEFAULT, assignments: [], configs: [] };
  }
  const { numPartitions, replicationFactorMax } = internal;
  const replicationFactor = Math.min(replicationFactorMax, liveBrokers(image).length);
  const configs = Array.from(internal.configs, ([config, value]) => ({ name: config, value }));
  return { name, numPartitions, replicationFactor, assignments: [], configs };
}

function answerFor(topic: TopicImage): CreatedTopic {
  const replicationFactor = topic.partitions[0]?.replicas.length ?? -1;
  const { name, id, partitions } = topic;
  return {
    name,
    topicId: id,
    errorCode: ERROR.NONE,
    errorMessage: null,
    numPartitions: partitions.length,
    replicationFactor,
  };
}

function excessive(around: Surroundings, topics: readonly NewTopic[]): Refusal | null {
  const { defaults } = around;
  let partitions = 0;
  for (const { assignments, numPartitions } of topics) {
    if (assignments.length > 0) partitions += assignments.length;
    else partitions += numPartitions === BY_DEFAULT ? defaults.numPartitions : Math.max(numPartitions, 0);
  }
  if (partitions <= defaults.partitionsPerRequestMax) return noRoom(around, partitions);
  return refusal(
    ERROR.POLICY_VIOLATION,
    `The request asks for ${partitions} partitions, at most ${defaults.partitionsPerRequestMax} are allowed in one.`,
  );
}

function planTopic(around: Surroundings, wanted: NewTopic, namesOfRequest: CollidingNames): TopicImage | Refusal {
  const { image, random } = around;
  const { name } = wanted;
  const nameProblem = topicNameProblem(name);
  if (nameProblem !== null) return refusal(ERROR.INVALID_TOPIC_EXCEPTION, nameProblem);
  if (name === CLUSTER_METADATA_TOPIC) return refusal(ERROR.INVALID_REQUEST, `No topic may be called '${name}'.`);
  if (image.topics.has(name)) return refusal(ERROR.TOPIC_ALREADY_EXISTS, `The topic '${name}' exists already.`);
  const other = around.collidingNames.collision(name) ?? namesOfRequest.collision(name);
  if (other !== null) {
    return refusal(ERROR.INVALID_TOPIC_EXCEPTION, `The topic name '${name}' collides with the topic '${other}'.`);
  }
  const configs = planConfigs(around, wanted);
  if (isRefusal(configs)) return configs;
  const lists = wanted.assignments.length > 0 ? listsAsked(around, wanted) : listsPlaced(around, wanted);
  if (isRefusal(lists)) return lists;
  return { name, id: randomUuid(random), partitions: lists.map((replicas) => firstState(image, replicas)), configs };
}

function planConfigs(around: Surroundings, wanted: NewTopic): Configs | Refusal {
  const configs = new Map<string, string>();
  for (const { name, value } of wanted.configs) {
    if (value === null) return refusal(ERROR.INVALID_CONFIG, `The setting '${name}' has no value.`);
    if (configs.has(name)) return refusal(ERROR.INVALID_CONFIG, `The setting '${name}' is given more than once.`);
    configs.set(name, value);
  }
  const problem = around.topicRules.problem(configs);
  return problem === null ? configs : refusal(ERROR.INVALID_CONFIG, problem);
}

function listsAsked({ image }: Surroundings, wanted: NewTopic): readonly (readonly number[])[] | Refusal {
  if (wanted.replicationFactor !== BY_DEFAULT) {
    return refusal(ERROR.INVALID_REQUEST, 'With an assignment the replication factor must be -1.');
  }
  if (wanted.numPartitions !== BY_DEFAULT) {
    return refusal(ERROR.INVALID_REQUEST, 'With an assignment the number of partitions must be -1.');
  }
  const byIndex = wanted.assignments.toSorted((a, b) => a.partitionIndex - b.partitionIndex);
  for (const [index, { partitionIndex }] of byIndex.entries()) {
    if (partitionIndex === index) continue;
    return refusal(
      ERROR.INVALID_REPLICA_ASSIGNMENT,
      `The assigned partitions must be 0 to ${byIndex.length - 1}, each once; ${index} is missing or another one is there twice.`,
    );
  }
  const lists = byIndex.map((assignment) => assignment.brokerIds);
  return assignmentProblem(image, lists, 0, lists[0]?.length ?? 0) ?? lists;
}

function listsPlaced({ image, defaults, random }: Surroundings, wanted: NewTopic): number[][] | Refusal {
  const count = wanted.numPartitions === BY_DEFAULT ? defaults.numPartitions : wanted.numPartitions;
  if (count < 1) {
    return refusal(ERROR.INVALID_PARTITIONS, 'The number of partitions must be above 0, or -1 for the default.');
  }
  const factor = wanted.replicationFactor === BY_DEFAULT ? defaults.replicationFactor : wanted.replicationFactor;
  const brokers = liveBrokers(image);
  const problem = replicationFactorProblem(factor, brokers.length);
  return problem ?? placeReplicas(brokers, 0, count, factor, randomStart(brokers.length, random));
}

function writeTopic(topic: TopicImage, controllerEpoch: number, writes: StoreWrite[]): void {
  const { name, id, partitions, configs } = topic;
  const replicas = partitions.map((partition) => partition.replicas);
  writes.push(
    { kind: 'create', path: topicConfigsPath(name), data: encodeConfigs(configs) },
    { kind: 'create', path: topicPath(name), data: encodeTopic(id, replicas) },
    { kind: 'create', path: partitionsPath(name), data: '' },
  );
  writePartitions(topic, 0, controllerEpoch, writes);
}

/** The nodes of the partitions from `first` on. */
export function writePartitions(topic: TopicImage, first: number, controllerEpoch: number, writes: StoreWrite[]): void {
  for (let index = first; index < topic.partitions.length; index++) {
    const state = encodePartitionState(topic.partitions[index] as TopicImage['partitions'][number], controllerEpoch);
    writes.push(
      { kind: 'create', path: partitionPath(topic.name, index), data: '' },
      { kind: 'create', path: partitionStatePath(topic.name, index), data: state },
    );
  }
}
