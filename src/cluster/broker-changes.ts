/** Brokers that come and go, decided: what it does to the broker itself and to every partition that it has a part in. */
import { ERROR } from '../wire/errors.ts';
import type { Change } from './changes.ts';
import type { Draft, Surroundings } from './decision.ts';
import { afterLoss, afterRegistration } from './election.ts';
import type { MetadataImage, PartitionImage } from './image.ts';
import { isLive } from './image.ts';
import type { StoreWrite } from './metadata-store.ts';
import { partitionStatePath } from './paths.ts';
import type { BrokerRef, RequestOf } from './requests.ts';
import { encodePartitionState } from './stored.ts';

type Code = Draft<{ readonly errorCode: number }>;

/** A younger registration of the same id takes the place of the older one: the broker has restarted. */
export function registerBroker({ image }: Surroundings, broker: RequestOf<'registerBroker'>): Code {
  const known = image.brokers.get(broker.id);
  if (known !== undefined && known.epoch >= broker.epoch) {
    return refuse(known.epoch === broker.epoch ? ERROR.NONE : ERROR.STALE_BROKER_EPOCH);
  }
  const alive = (id: number) => id === broker.id || isLive(image, id);
  const change: Change = { kind: 'brokerRegistered', broker: { ...broker, fenced: false } };
  return decide(image, change, (was) => afterRegistration(was, broker.id, alive));
}

export function fenceBroker({ image }: Surroundings, { id, epoch }: BrokerRef): Code {
  const known = image.brokers.get(id);
  if (known === undefined) return refuse(ERROR.BROKER_ID_NOT_REGISTERED);
  if (known.epoch !== epoch) return refuse(ERROR.STALE_BROKER_EPOCH);
  if (known.fenced) return refuse(ERROR.NONE);
  const alive = (other: number) => other !== id && isLive(image, other);
  return decide(image, { kind: 'brokerFenced', id }, (was) => afterLoss(was, id, alive));
}

export function unfenceBroker({ image }: Surroundings, { id, epoch }: BrokerRef): Code {
  const known = image.brokers.get(id);
  if (known === undefined) return refuse(ERROR.BROKER_ID_NOT_REGISTERED);
  if (known.epoch !== epoch) return refuse(ERROR.STALE_BROKER_EPOCH);
  if (!known.fenced) return refuse(ERROR.NONE);
  const alive = (other: number) => other === id || isLive(image, other);
  return decide(image, { kind: 'brokerUnfenced', id }, (was) => afterRegistration(was, id, alive));
}

function refuse(errorCode: number): Code {
  return { writes: [], changes: [], response: { errorCode } };
}

/** Each partition's state is written against the version it was read at, which is its partition epoch. */
function decide(image: MetadataImage, change: Change, next: (was: PartitionImage) => PartitionImage | null): Code {
  const changes: Change[] = [change];
  const writes: StoreWrite[] = [];
  for (const topic of image.topics.values()) {
    for (const [partition, was] of topic.partitions.entries()) {
      const state = next(was);
      if (state === null) continue;
      changes.push({ kind: 'partitionChanged', topic: topic.name, partition, state });
      const data = encodePartitionState(state, image.controllerEpoch);
      const path = partitionStatePath(topic.name, partition);
      writes.push({ kind: 'set', path, data, version: was.partitionEpoch });
    }
  }
  return { writes, changes, response: { errorCode: ERROR.NONE } };
}
