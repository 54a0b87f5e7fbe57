/** Questions about offsets of one partition, in few words: delete up to one, where an epoch ends, who has produced. */
import { DeleteRecords } from '../../src/wire/messages/delete-records.ts';
import { DescribeProducers } from '../../src/wire/messages/describe-producers.ts';
import { OffsetForLeaderEpoch } from '../../src/wire/messages/offset-for-leader-epoch.ts';
import type { ResponseOf } from '../../src/wire/schema.ts';
import type { RawClient } from './client.ts';

type PartitionOf<A extends { topics: { partitions: unknown[] }[] }> = A['topics'][number]['partitions'][number];

export async function deleteRecords(
  client: RawClient,
  topic: string,
  offset: number,
  options: { partition?: number; version?: number } = {},
): Promise<PartitionOf<ResponseOf<typeof DeleteRecords>>> {
  const { partition = 0, version = 2 } = options;
  const { topics } = await client.call(DeleteRecords, version, {
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }],
    timeoutMs: 10_000,
  });
  return topics[0]?.partitions[0] as PartitionOf<ResponseOf<typeof DeleteRecords>>;
}

export async function epochEnd(
  client: RawClient,
  topic: string,
  leaderEpoch: number,
  options: { partition?: number; version?: number; currentLeaderEpoch?: number; replicaId?: number } = {},
): Promise<PartitionOf<ResponseOf<typeof OffsetForLeaderEpoch>>> {
  const { partition = 0, version = 4, currentLeaderEpoch = -1, replicaId = -1 } = options;
  const { topics } = await client.call(OffsetForLeaderEpoch, version, {
    replicaId,
    topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
  });
  return topics[0]?.partitions[0] as PartitionOf<ResponseOf<typeof OffsetForLeaderEpoch>>;
}

export async function describeProducers(
  client: RawClient,
  topic: string,
  partition = 0,
): Promise<PartitionOf<ResponseOf<typeof DescribeProducers>>> {
  const { topics } = await client.call(DescribeProducers, 0, {
    topics: [{ name: topic, partitionIndexes: [partition] }],
  });
  return topics[0]?.partitions[0] as PartitionOf<ResponseOf<typeof DescribeProducers>>;
}
