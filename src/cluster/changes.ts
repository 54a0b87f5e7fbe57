/**
 * What can happen to an image, as plain records that travel between threads and brokers, and `apply`, the only way an
 * image becomes the next one. What a batch of changes touches is copied once, however many it holds.
 */
import { assert } from '../base/assert.ts';
import type { ShardedMapEdit } from '../base/sharded-map.ts';
import type { Uuid } from '../base/uuid.ts';
import type { BrokerImage, Configs, MetadataImage, PartitionImage, TopicImage } from './image.ts';
import { emptyImage } from './image.ts';

export type Change =
  | { readonly kind: 'controllerChanged'; readonly id: number; readonly epoch: number }
  | { readonly kind: 'brokerRegistered'; readonly broker: BrokerImage }
  | { readonly kind: 'brokerFenced'; readonly id: number }
  | { readonly kind: 'brokerUnfenced'; readonly id: number }
  | { readonly kind: 'topicCreated'; readonly topic: TopicImage }
  | { readonly kind: 'partitionsAdded'; readonly topic: string; readonly partitions: readonly PartitionImage[] }
  | {
      readonly kind: 'partitionChanged';
      readonly topic: string;
      readonly partition: number;
      readonly state: PartitionImage;
    }
  | { readonly kind: 'topicConfigsChanged'; readonly topic: string; readonly configs: Configs }
  | { readonly kind: 'topicDeleted'; readonly topic: string; readonly id: Uuid }
  /** The files of a deleted topic are gone everywhere. */
  | { readonly kind: 'topicErased'; readonly id: Uuid }
  /** `id` may be ALL_BROKERS. */
  | { readonly kind: 'brokerConfigsChanged'; readonly id: number; readonly configs: Configs }
  /** Without any the group has no settings of its own any more. */
  | { readonly kind: 'groupConfigsChanged'; readonly group: string; readonly configs: Configs }
  | { readonly kind: 'producerIdsAllocated'; readonly next: number };

export function apply(image: MetadataImage, changes: readonly Change[]): MetadataImage {
  if (changes.length === 0) return image;
  const next = new NextImage(image);
  for (const change of changes) next.change(change);
  return next.image();
}

/** Changes that turn an empty image of the same cluster into this one. */
export function changesOf(image: MetadataImage): Change[] {
  const changes: Change[] = [
    { kind: 'controllerChanged', id: image.controllerId, epoch: image.controllerEpoch },
    ...Array.from(image.brokers.values(), (broker): Change => ({ kind: 'brokerRegistered', broker })),
    ...Array.from(image.topics.values(), (topic): Change => ({ kind: 'topicCreated', topic })),
  ];
  for (const [id, configs] of image.brokerConfigs) changes.push({ kind: 'brokerConfigsChanged', id, configs });
  for (const [group, configs] of image.groupConfigs) changes.push({ kind: 'groupConfigsChanged', group, configs });
  for (const [id, topic] of image.deletedTopics) changes.push({ kind: 'topicDeleted', topic, id });
  changes.push({ kind: 'producerIdsAllocated', next: image.nextProducerId });
  return changes;
}

export function imageOf(clusterId: string, changes: readonly Change[]): MetadataImage {
  return apply(emptyImage(clusterId), changes);
}

/** An image under construction: maps and partition lists are copied when first touched. */
class NextImage {
  readonly #from: MetadataImage;
  #controllerId: number;
  #controllerEpoch: number;
  #nextProducerId: number;
  #brokers: Map<number, BrokerImage> | null = null;
  #topics: ShardedMapEdit<TopicImage> | null = null;
  #topicNames: ShardedMapEdit<string> | null = null;
  #deletedTopics: Map<Uuid, string> | null = null;
  #brokerConfigs: Map<number, Configs> | null = null;
  #groupConfigs: Map<string, Configs> | null = null;
  /** Partition lists that belong to this construction and may be written to. */
  readonly #ownPartitions = new Map<string, PartitionImage[]>();

  constructor(from: MetadataImage) {
    this.#from = from;
    this.#controllerId = from.controllerId;
    this.#controllerEpoch = from.controllerEpoch;
    this.#nextProducerId = from.nextProducerId;
  }

  image(): MetadataImage {
    const from = this.#from;
    return {
      clusterId: from.clusterId,
      controllerId: this.#controllerId,
      controllerEpoch: this.#controllerEpoch,
      brokers: this.#brokers ?? from.brokers,
      topics: this.#topics?.done() ?? from.topics,
      topicNames: this.#topicNames?.done() ?? from.topicNames,
      deletedTopics: this.#deletedTopics ?? from.deletedTopics,
      brokerConfigs: this.#brokerConfigs ?? from.brokerConfigs,
      groupConfigs: this.#groupConfigs ?? from.groupConfigs,
      nextProducerId: this.#nextProducerId,
    };
  }

  change(change: Change): void {
    switch (change.kind) {
      case 'controllerChanged':
        this.#controllerId = change.id;
        this.#controllerEpoch = change.epoch;
        return;
      case 'brokerRegistered':
        this.#ownBrokers().set(change.broker.id, change.broker);
        return;
      case 'brokerFenced':
        this.#fence(change.id, true);
        return;
      case 'brokerUnfenced':
        this.#fence(change.id, false);
        return;
      case 'topicCreated':
        assert(this.#topicNow(change.topic.name) === undefined, 'topic is there already', { topic: change.topic.name });
        this.#ownTopics().set(change.topic.name, change.topic);
        this.#names().set(change.topic.id, change.topic.name);
        return;
      case 'partitionsAdded':
        for (const partition of change.partitions) this.#partitionsOf(change.topic).push(partition);
        return;
      case 'partitionChanged': {
        const partitions = this.#partitionsOf(change.topic);
        const { topic, partition } = change;
        assert(partition >= 0 && partition < partitions.length, 'no such partition', { topic, partition });
        partitions[partition] = change.state;
        return;
      }
      case 'topicConfigsChanged':
        this.#ownTopics().set(change.topic, { ...this.#topic(change.topic), configs: change.configs });
        return;
      case 'topicDeleted':
        this.#delete(change.topic, change.id);
        return;
      case 'topicErased':
        this.#deletedTopics ??= new Map(this.#from.deletedTopics);
        this.#deletedTopics.delete(change.id);
        return;
      case 'brokerConfigsChanged':
        this.#brokerConfigs ??= new Map(this.#from.brokerConfigs);
        this.#brokerConfigs.set(change.id, change.configs);
        return;
      case 'groupConfigsChanged':
        this.#groupConfigs ??= new Map(this.#from.groupConfigs);
        if (change.configs.size > 0) this.#groupConfigs.set(change.group, change.configs);
        else this.#groupConfigs.delete(change.group);
        return;
      case 'producerIdsAllocated':
        this.#nextProducerId = change.next;
        return;
    }
  }

  #topicNow(name: string): TopicImage | undefined {
    return (this.#topics ?? this.#from.topics).get(name);
  }

  #ownTopics(): ShardedMapEdit<TopicImage> {
    this.#topics ??= this.#from.topics.edit();
    return this.#topics;
  }

  #ownBrokers(): Map<number, BrokerImage> {
    this.#brokers ??= new Map(this.#from.brokers);
    return this.#brokers;
  }

  #names(): ShardedMapEdit<string> {
    this.#topicNames ??= this.#from.topicNames.edit();
    return this.#topicNames;
  }

  #topic(name: string): TopicImage {
    const topic = this.#topicNow(name);
    assert(topic !== undefined, 'no such topic', { name });
    return topic;
  }

  #partitionsOf(name: string): PartitionImage[] {
    const own = this.#ownPartitions.get(name);
    if (own !== undefined) return own;
    const topic = this.#topic(name);
    const partitions = topic.partitions.slice();
    this.#ownPartitions.set(name, partitions);
    this.#ownTopics().set(name, { ...topic, partitions });
    return partitions;
  }

  #fence(id: number, fenced: boolean): void {
    const broker = (this.#brokers ?? this.#from.brokers).get(id);
    assert(broker !== undefined, 'no such broker', { id });
    this.#ownBrokers().set(id, { ...broker, fenced });
  }

  /** The topic may be missing: a deletion is also told to those who never knew it. */
  #delete(name: string, id: Uuid): void {
    if (this.#topicNow(name)?.id === id) {
      this.#ownTopics().delete(name);
      this.#names().delete(id);
      this.#ownPartitions.delete(name);
    }
    this.#deletedTopics ??= new Map(this.#from.deletedTopics);
    this.#deletedTopics.set(id, name);
  }
}
