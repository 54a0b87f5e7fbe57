/** A partition as Metadata and DescribeTopicPartitions show it. */
import { isLive, NO_LEADER, type PartitionImage, type TopicImage } from '../cluster/image.ts';
import { ERROR } from '../wire/errors.ts';
import type { Floor } from './floor.ts';

export interface DescribedPartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** A partition of this broker whose directory has failed has nobody to lead it. */
function isLost(floor: Floor, topic: TopicImage, index: number): boolean {
  if (topic.partitions[index]?.leader !== floor.limits.nodeId) return false;
  const slot = floor.routeById(topic.id)?.slots[index];
  return slot !== undefined && !floor.published.online(slot);
}

export function describedPartition(floor: Floor, topic: TopicImage, index: number): DescribedPartition {
  const { leader, leaderEpoch, replicas, isr } = topic.partitions[index] as PartitionImage;
  const { image, limits } = floor;
  const lost = isLost(floor, topic, index);
  const leaderId = lost ? NO_LEADER : leader;
  return {
    errorCode: leaderId === NO_LEADER ? ERROR.LEADER_NOT_AVAILABLE : ERROR.NONE,
    partitionIndex: index,
    leaderId,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: replicas.filter((id) => !isLive(image, id) || (lost && id === limits.nodeId)),
  };
}
