/** The lists of tables, by key. What ALL_APIS does not have is unknown to the broker: neither announced nor read. */
import type { Api } from '../schema.ts';
import { AlterConfigs } from './alter-configs.ts';
import { AlterReplicaLogDirs } from './alter-replica-log-dirs.ts';
import { ApiVersions } from './api-versions.ts';
import { ConsumerGroupDescribe } from './consumer-group-describe.ts';
import { ConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts';
import { CreatePartitions } from './create-partitions.ts';
import { CreateTopics } from './create-topics.ts';
import { DeleteGroups } from './delete-groups.ts';
import { DeleteRecords } from './delete-records.ts';
import { DeleteTopics } from './delete-topics.ts';
import { DescribeCluster } from './describe-cluster.ts';
import { DescribeConfigs } from './describe-configs.ts';
import { DescribeGroups } from './describe-groups.ts';
import { DescribeLogDirs } from './describe-log-dirs.ts';
import { DescribeProducers } from './describe-producers.ts';
import { DescribeTopicPartitions } from './describe-topic-partitions.ts';
import { Fetch } from './fetch.ts';
import { FindCoordinator } from './find-coordinator.ts';
import { Heartbeat } from './heartbeat.ts';
import { IncrementalAlterConfigs } from './incremental-alter-configs.ts';
import { InitProducerId } from './init-producer-id.ts';
import { JoinGroup } from './join-group.ts';
import { LeaveGroup } from './leave-group.ts';
import { ListGroups } from './list-groups.ts';
import { ListOffsets } from './list-offsets.ts';
import { Metadata } from './metadata.ts';
import { OffsetCommit } from './offset-commit.ts';
import { OffsetDelete } from './offset-delete.ts';
import { OffsetFetch } from './offset-fetch.ts';
import { OffsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { Produce } from './produce.ts';
import { SyncGroup } from './sync-group.ts';

export const ALL_APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  DescribeConfigs,
  AlterConfigs,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  CreatePartitions,
  DeleteGroups,
  IncrementalAlterConfigs,
  OffsetDelete,
  DescribeCluster,
  DescribeProducers,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
  DescribeTopicPartitions,
];

const BY_KEY: (Api | undefined)[] = [];
for (const api of ALL_APIS) BY_KEY[api.key] = api;

export function apiByKey(key: number): Api | null {
  return BY_KEY[key] ?? null;
}
