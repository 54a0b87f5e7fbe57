/** All that one partition's log is made of. The files of this room work on it; `PartitionLog` owns it and is its only face. */
import type { Uuid } from '../base/uuid.ts';
import type { LogConfig } from './config.ts';
import type { Deletions } from './deletions.ts';
import type { Durability } from './durability.ts';
import type { LogEnvironment } from './environment.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { Producers } from './producers.ts';
import type { Segments } from './segments.ts';
import type { Snapshots } from './snapshots.ts';

/** Which log, where it lies, and how it is kept. */
export interface LogIdentity {
  readonly directory: string;
  readonly topic: string;
  readonly partition: number;
  readonly topicId: Uuid;
  readonly config: LogConfig;
  readonly now: number;
}

/** What was appended since the last sync was planned, and since when. */
export interface FlushProgress {
  unflushedMessages: number;
  unflushedSinceMs: number;
}

export interface LogState {
  readonly environment: LogEnvironment;
  readonly directory: string;
  readonly topic: string;
  readonly partition: number;
  readonly topicId: Uuid;
  config: LogConfig;
  readonly segments: Segments;
  epochs: LeaderEpochs;
  readonly producers: Producers;
  readonly snapshots: Snapshots;
  readonly deletions: Deletions;
  readonly durability: Durability;
  logStartOffset: number;
  /** The offset that the next record gets, whether those before it are written or staged. */
  nextOffset: number;
}
