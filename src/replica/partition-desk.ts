/** What a partition asks of the handler that owns it: to answer, to tell watchers, and to have done elsewhere what would block. */
import type { Memory } from '../base/memory.ts';
import type { Opening } from '../log/admission.ts';
import type { SyncPlan } from '../log/partition-log.ts';
import type { Applicant } from './admission-line.ts';
import type { Partition } from './partition.ts';
import type { PublishedPartitions } from './published.ts';

export interface PartitionDesk {
  readonly published: PublishedPartitions;
  readonly groupCommit: boolean;
  appended(
    asker: number,
    operation: number,
    part: number,
    error: number,
    base: number,
    appendTime: number,
    start: number,
  ): void;
  /** Not appended; `fault` and `record` say which record is to blame where it is a single one. */
  refused(
    asker: number,
    operation: number,
    part: number,
    error: number,
    start: number,
    fault: number,
    record: number,
  ): void;
  /** Processors (bits) that asked to be told. */
  advanced(slot: number, watchers: number): void;
  /** Makes the plan's files durable, then calls `partition.synced` or `partition.syncFailed`. */
  sync(partition: Partition, plan: SyncPlan): void;
  /** It is out of service: the disk refused (DiskError), or what must hold does not. */
  offline(slot: number, problem: Error): void;
  /** Whether compressed batches are opened before they are taken, not only where keys are demanded. */
  readonly fullValidation: boolean;
  /** Has a batch opened, and made anew where that is asked for, elsewhere; says in the applicant what came of it, then calls `partition.admit`. */
  open(partition: Partition, applicant: Applicant, opening: Opening): void;
  /** Nobody reads the memory of a batch that was made anew any more. */
  release(memory: Memory): void;
}
