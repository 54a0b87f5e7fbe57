/** Every API there is a table for, by key; what is not here is unknown to the broker. */
import type { Api } from '../schema.ts';
import { AlterConfigs } from './alter-configs.ts';
import { AlterReplicaLogDirs } from './alter-replica-log-dirs.ts';
import { ApiVersions } from './api-versions.ts';
import { CreatePartitions } from './create-partitions.ts';
import { CreateTopics } from './create-topics.ts';
import { DeleteRecords } from './delete-records.ts';
import { DeleteTopics } from './delete-topics.ts';
import { DescribeCluster } from './describe-cluster.ts';
import { DescribeConfigs } from './describe-configs.ts';
import { DescribeLogDirs } from './describe-log-dirs.ts';
import { DescribeProducers } from './describe-producers.ts';
import { DescribeTopicPartitions } from './describe-topic-partitions.ts';
import { Fetch } from './fetch.ts';
import { IncrementalAlterConfigs } from './incremental-alter-configs.ts';
import { InitProducerId } from './init-producer-id.ts';
import { ListOffsets } from './list-offsets.ts';
import { Metadata } from './metadata.ts';
import { OffsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { Produce } from './produce.ts';

export const ALL_APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
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
  IncrementalAlterConfigs,
  DescribeCluster,
  DescribeProducers,
  DescribeTopicPartitions,
];

const BY_KEY: (Api | undefined)[] = [];
for (const api of ALL_APIS) BY_KEY[api.key] = api;

export function apiByKey(key: number): Api | null {
  return BY_KEY[key] ?? null;
}
