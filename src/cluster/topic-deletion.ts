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
  const twice = repeated(topics.map(keyOf));
  const twiceFound = repeated(found.filter((topic) => !isRefusal(topic)));
  const earlierIds = deletedIds(image);
  const answered = new Set<string | TopicImage>();
  const writes: StoreWrite[] = [];
  const changes: Change[] = [];
  const deleted: DeletedTopic[] = [];
  for (const [index, topic] of found.entries()) {
    const wanted = topics[index] as Wanted;
    const key = keyOf(wanted);
    if (answered.has(key)) continue;
    answered.add(key);
    if (twice.has(key)) {
      const errorMessage = 'The request names this topic more than once.';
      deleted.push({ ...wanted, errorCode: ERROR.INVALID_REQUEST, errorMessage });
      continue;
    }
    if (isRefusal(topic)) {
      deleted.push({ ...wanted, ...topic });
      continue;
    }
    if (answered.has(topic)) continue;
    answered.add(topic);
    const { name, id } = topic;
    if (twiceFound.has(topic)) {
      const errorMessage = 'The request has this topic by its name and by its id.';
      deleted.push({ name, topicId: id, errorCode: ERROR.INVALID_REQUEST, errorMessage });
      continue;
    }
    deleted.push({ name, topicId: id, errorCode: ERROR.NONE, errorMessage: null });
    changes.push({ kind: 'topicDeleted', topic: name, id });
    const earlier = earlierIds.get(name) ?? [];
    const path = deletedTopicPath(name);
    const data = encodeDeleted([...earlier, id]);
    writes.push(
      earlier.length === 0 ? { kind: 'create', path, data } : { kind: 'set', path, data, version: ANY_VERSION },
    );
    unwriteTopic(topic, writes);
  }
  return { writes, changes, response: { topics: deleted } };
}

export function eraseTopics(
  { image }: Surroundings,
  { topicIds }: RequestOf<'eraseTopics'>,
): Draft<ResponseOf<'eraseTopics'>> {
  const changes: Change[] = [];
  const names = new Set<string>();
  const erased = new Set<Uuid>();
  for (const id of topicIds) {
    const name = image.deletedTopics.get(id);
    if (name === undefined || erased.has(id)) continue;
    erased.add(id);
    names.add(name);
    changes.push({ kind: 'topicErased', id });
  }
  const ids = deletedIds(image);
  const writes = Array.from(names, (name): StoreWrite => {
    const left = (ids.get(name) ?? []).filter((id) => !erased.has(id));
    const path = deletedTopicPath(name);
    return left.length === 0
      ? { kind: 'delete', path, version: ANY_VERSION }
      : { kind: 'set', path, data: encodeDeleted(left), version: ANY_VERSION };
  });
  return { writes, changes, response: { erased: changes.length } };
}

type Wanted = RequestOf<'deleteTopics'>['topics'][number];

/** Two that name the same thing in the same words have the same key. */
function keyOf({ name, topicId }: Wanted): string {
  return name === null ? `id ${topicId}` : `name ${name} ${topicId}`;
}

function find(image: MetadataImage, name: string | null, id: Uuid): TopicImage | Refusal {
  if (name === null) {
    if (id === ZERO_UUID) return refusal(ERROR.INVALID_REQUEST, 'Neither a name nor an id is given.');
    return topicById(image, id) ?? refusal(ERROR.UNKNOWN_TOPIC_ID, 'There is no topic of this id.');
  }
  if (id !== ZERO_UUID) return refusal(ERROR.INVALID_REQUEST, 'A name and an id are given; only one may be.');
  return image.topics.get(name) ?? refusal(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${name}'.`);
}

/** Ids of the topics that are deleted and not yet erased, by the name they had. */
function deletedIds({ deletedTopics }: MetadataImage): Map<string, Uuid[]> {
  return Map.groupBy(deletedTopics.keys(), (id) => deletedTopics.get(id) as string);
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
