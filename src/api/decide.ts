/**
 * The APIs that the main thread answers: what the controller decides, and what only the whole broker can say. Each takes the
 * request as it was read and the desk, and promises the answer.
 */
import { AlterConfigs } from '../wire/messages/alter-configs.ts';
import { AlterReplicaLogDirs } from '../wire/messages/alter-replica-log-dirs.ts';
import { CreatePartitions } from '../wire/messages/create-partitions.ts';
import { CreateTopics } from '../wire/messages/create-topics.ts';
import { DeleteTopics } from '../wire/messages/delete-topics.ts';
import { DescribeConfigs } from '../wire/messages/describe-configs.ts';
import { DescribeLogDirs } from '../wire/messages/describe-log-dirs.ts';
import { DescribeProducers } from '../wire/messages/describe-producers.ts';
import { IncrementalAlterConfigs } from '../wire/messages/incremental-alter-configs.ts';
import { InitProducerId } from '../wire/messages/init-producer-id.ts';
import type { Api, RequestOf, ResponseInput } from '../wire/schema.ts';
import { alterConfigs } from './alter-configs.ts';
import { alterReplicaLogDirs } from './alter-replica-log-dirs.ts';
import type { ControllerDesk } from './controller-desk.ts';
import { createPartitions } from './create-partitions.ts';
import { createTopics } from './create-topics.ts';
import { deleteTopics } from './delete-topics.ts';
import { describeConfigs } from './describe-configs.ts';
import { describeLogDirs } from './describe-log-dirs.ts';
import { describeProducers } from './describe-producers.ts';
import { incrementalAlterConfigs } from './incremental-alter-configs.ts';
import { initProducerId } from './init-producer-id.ts';

/** What is known of a request beside its words. */
export interface Asked {
  readonly version: number;
  /** The number of the listener it came through. */
  readonly listener: number;
  readonly clientId: string | null;
}

type Decide = (request: never, desk: ControllerDesk, asked: Asked) => Promise<unknown>;

const DECIDED = new Map<number, Decide>();

function decided<A extends Api>(
  api: A,
  decide: (request: RequestOf<A>, desk: ControllerDesk, asked: Asked) => Promise<ResponseInput<A>>,
): void {
  DECIDED.set(api.key, decide);
}

decided(CreateTopics, createTopics);
decided(DeleteTopics, deleteTopics);
decided(CreatePartitions, createPartitions);
decided(InitProducerId, initProducerId);
decided(DescribeConfigs, describeConfigs);
decided(AlterConfigs, alterConfigs);
decided(IncrementalAlterConfigs, incrementalAlterConfigs);
decided(DescribeProducers, describeProducers);
decided(DescribeLogDirs, describeLogDirs);
decided(AlterReplicaLogDirs, alterReplicaLogDirs);

export function isDecided(key: number): boolean {
  return DECIDED.has(key);
}

export function decide(key: number, request: unknown, desk: ControllerDesk, asked: Asked): Promise<unknown> {
  const found = DECIDED.get(key);
  if (found === undefined) return Promise.reject(new Error(`API ${key} is not decided on the main thread`));
  return found(request as never, desk, asked);
}
