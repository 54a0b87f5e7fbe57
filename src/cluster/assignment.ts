/** The replicas of new partitions: those a client asks for are checked, the others placed; then each gets its first state. */
import { ERROR } from '../wire/errors.ts';
import type { Refusal } from './decision.ts';
import { refusal } from './decision.ts';
import { electLeader } from './election.ts';
import type { MetadataImage, PartitionImage } from './image.ts';
import { isLive } from './image.ts';

/** What is wrong with replica lists that a client has written down, or null. `firstPartition` is the first list's. */
export function assignmentProblem(
  image: MetadataImage,
  lists: readonly (readonly number[])[],
  firstPartition: number,
  replicationFactor: number,
): Refusal | null {
  for (const [index, replicas] of lists.entries()) {
    const problem = listProblem(image, replicas, replicationFactor);
    if (problem !== null) {
      return refusal(
        ERROR.INVALID_REPLICA_ASSIGNMENT,
        `The assignment of partition ${firstPartition + index} ${problem}.`,
      );
    }
  }
  return null;
}

function listProblem(image: MetadataImage, replicas: readonly number[], replicationFactor: number): string | null {
  if (replicas.length === 0) return 'names no broker';
  for (const [index, id] of replicas.entries()) {
    if (!image.brokers.has(id)) return `names broker ${id}, which is not registered`;
    if (replicas.indexOf(id) !== index) return `names broker ${id} more than once`;
  }
  if (replicas.length !== replicationFactor) {
    return `has ${replicas.length} replica(s), others have ${replicationFactor}`;
  }
  return replicas.some((id) => isLive(image, id)) ? null : 'names no broker that is alive';
}

/** What is wrong with a replication factor, given how many brokers are alive, or null. */
export function replicationFactorProblem(replicationFactor: number, live: number): Refusal | null {
  if (replicationFactor < 1) {
    return refusal(ERROR.INVALID_REPLICATION_FACTOR, 'The replication factor must be above 0, or -1 for the default.');
  }
  if (replicationFactor > live) {
    return refusal(
      ERROR.INVALID_REPLICATION_FACTOR,
      `The replication factor is ${replicationFactor}, but only ${live} broker(s) are alive.`,
    );
  }
  return null;
}

/** The first state of a partition: everything that is alive is in sync, since there is nothing to know yet. */
export function firstState(image: MetadataImage, replicas: readonly number[]): PartitionImage {
  const alive = (id: number) => isLive(image, id);
  const isr = replicas.filter(alive);
  return { leader: electLeader(replicas, isr, alive), leaderEpoch: 0, partitionEpoch: 0, replicas, isr };
}
