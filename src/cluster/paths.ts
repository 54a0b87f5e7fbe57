/** Where things are in the metadata store: the places that Kafka used in ZooKeeper, so that known tools find them. */

export const CLUSTER_ID = '/cluster/id';
export const CONTROLLER = '/controller';
export const CONTROLLER_EPOCH = '/controller_epoch';
export const BROKER_IDS = '/brokers/ids';
export const TOPICS = '/brokers/topics';
export const TOPIC_CONFIGS = '/config/topics';
export const BROKER_CONFIGS = '/config/brokers';
export const GROUP_CONFIGS = '/config/groups';
/** The name of the settings of all brokers among those of single ones. */
export const ALL_BROKERS_NAME = '<default>';
export const DELETED_TOPICS = '/admin/delete_topics';
export const PRODUCER_ID_BLOCK = '/latest_producer_id_block';

/** Nodes that only hold others; each comes behind its parent. */
export const DIRECTORIES = [
  '/cluster',
  '/brokers',
  BROKER_IDS,
  TOPICS,
  '/config',
  TOPIC_CONFIGS,
  BROKER_CONFIGS,
  GROUP_CONFIGS,
  '/admin',
  DELETED_TOPICS,
] as const;

export function brokerIdPath(id: number): string {
  return `${BROKER_IDS}/${id}`;
}

export function topicPath(topic: string): string {
  return `${TOPICS}/${topic}`;
}

export function partitionsPath(topic: string): string {
  return `${TOPICS}/${topic}/partitions`;
}

export function partitionPath(topic: string, partition: number): string {
  return `${TOPICS}/${topic}/partitions/${partition}`;
}

export function partitionStatePath(topic: string, partition: number): string {
  return `${TOPICS}/${topic}/partitions/${partition}/state`;
}

export function topicConfigsPath(topic: string): string {
  return `${TOPIC_CONFIGS}/${topic}`;
}

export function brokerConfigsPath(name: string): string {
  return `${BROKER_CONFIGS}/${name}`;
}

/** A group's id may be any text, which a path may not. */
export function groupConfigsPath(group: string): string {
  return `${GROUP_CONFIGS}/${encodeURIComponent(group.toWellFormed())}`;
}

export function groupOfPathName(name: string): string {
  return decodeURIComponent(name);
}

export function deletedTopicPath(topic: string): string {
  return `${DELETED_TOPICS}/${topic}`;
}
