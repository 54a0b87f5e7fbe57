/**
 * DeleteTopics, decided. A topic goes from the image and the store at once, and its name may be used again; its id stays
 * under `/admin/delete_topics` until no broker has files of it, so that a restart in between still deletes them.
 */
import type { Uuid } from '../base/uuid.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { ERROR } from '../wire/errors.ts';
import type { Change } from './changes.ts';
import type { Draft, Refusal, Surroundings } from './decision.ts';
import { isRefusal, refusal, repeated } from './decision.ts';
import type { MetadataImage, TopicImage } from './image.ts';
import { topicById } from './image.ts';
import type { StoreWrite } from './metadata-store.ts';
import { ANY_VERSION } from './metadata-store.ts';
import {
  deletedTopicPath,
  partitionPath,
  partitionStatePath,
  partitionsPath,
  topicConfigsPath,
  topicPath,
} from './paths.ts';
import type { DeletedTopic, RequestOf, ResponseOf } from './requests.ts';
import { encodeDeleted } from './stored.ts';

export function deleteTopics(
  { image }: Surroundings,
  { topics }: RequestOf<'deleteTopics'>,
): Draft<ResponseOf<'deleteTopics'>> {
  const found = topics.map((wanted) => find(image, wanted.name, wanted.topicId));
  const twice = repeated(found.filter((topic) => !isRefusal(topic)));
  const answered = new Set<TopicImage>();
  const writes: StoreWrite[] = [];
  const changes: Change[] = [];
  const deleted: DeletedTopic[] = [];
  for (const [index, topic] of found.entries()) {
    if (isRefusal(topic)) {
      const { name, topicId } = topics[index] as RequestOf<'deleteTopics'>['topics'][number];
      deleted.push({ name, topicId, ...topic });
      continue;
    }
    if (answered.has(topic)) continue;
    answered.add(topic);
    const { name, id } = topic;
    if (twice.has(topic)) {
      const errorMessage = 'The request names this topic more than once.';
      deleted.push({ name, topicId: id, errorCode: ERROR.INVALID_REQUEST, errorMessage });
      continue;
    }
    deleted.push({ name, topicId: id, errorCode: ERROR.NONE, errorMessage: null });
    changes.push({ kind: 'topicDeleted', topic: name, id });
    const earlier = deletedIds(image, name);
    const path = deletedTopicPath(name);
    const data = encodeDeleted([...earlier, id]);
    writes.push(
      earlier.length === 0 ? { kind: 'create', path, data } : { kind: 'set', path, data, version: ANY_VERSION },
    );
    unwriteTopic(topic, writes);
  }
  return { writes, changes, response: { topics: deleted } };
}

export function eraseTopic(
  { image }: Surroundings,
  { topicId }: RequestOf<'eraseTopic'>,
): Draft<ResponseOf<'eraseTopic'>> {
  const name = image.deletedTopics.get(topicId);
  if (name === undefined) return { writes: [], changes: [], response: { errorCode: ERROR.UNKNOWN_TOPIC_ID } };
  const left = deletedIds(image, name).filter((id) => id !== topicId);
  const path = deletedTopicPath(name);
  const write: StoreWrite =
    left.length === 0
      ? { kind: 'delete', path, version: ANY_VERSION }
      : { kind: 'set', path, data: encodeDeleted(left), version: ANY_VERSION };
  const changes: Change[] = [{ kind: 'topicErased', id: topicId }];
  return { writes: [write], changes, response: { errorCode: ERROR.NONE } };
}

function find(image: MetadataImage, name: string | null, id: Uuid): TopicImage | Refusal {
  if (name === null) {
    if (id === ZERO_UUID) return refusal(ERROR.INVALID_REQUEST, 'Neither a name nor an id is given.');
    return topicById(image, id) ?? refusal(ERROR.UNKNOWN_TOPIC_ID, 'There is no topic of this id.');
  }
  if (id !== ZERO_UUID) return refusal(ERROR.INVALID_REQUEST, 'A name and an id are given; only one may be.');
  return image.topics.get(name) ?? refusal(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${name}'.`);
}

function deletedIds(image: MetadataImage, name: string): Uuid[] {
  const ids: Uuid[] = [];
  for (const [id, of] of image.deletedTopics) if (of === name) ids.push(id);
  return ids;
}

/** Children before their parents. */
function unwriteTopic({ name, partitions }: TopicImage, writes: StoreWrite[]): void {
  const paths: string[] = [];
  for (let index = 0; index < partitions.length; index++) {
    paths.push(partitionStatePath(name, index), partitionPath(name, index));
  }
  paths.push(partitionsPath(name), topicPath(name), topicConfigsPath(name));
  for (const path of paths) writes.push({ kind: 'delete', path, version: ANY_VERSION });
}
