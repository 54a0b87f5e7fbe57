/** A log by value: everything that another thread needs to go on with it without reading its files again. */

import { type Deletion, Deletions } from './deletions.ts';
import { Durability, type FrozenDurability } from './durability.ts';
import type { LogEnvironment } from './environment.ts';
import { type EpochEntry, LeaderEpochs } from './leader-epochs.ts';
import { type Producer, Producers } from './producers.ts';
import { type FrozenSegment, Segment } from './segment.ts';
import { Segments } from './segments.ts';
import { Snapshots } from './snapshots.ts';
import type { FlushProgress, LogIdentity, LogState } from './state.ts';

interface FrozenLog {
  readonly segments: readonly FrozenSegment[];
  readonly epochs: readonly EpochEntry[];
  readonly producers: readonly Producer[];
  readonly snapshots: readonly number[];
  readonly deletions: readonly Deletion[];
  readonly durability: FrozenDurability;
  readonly logStartOffset: number;
  readonly nextOffset: number;
  /** Appended since the last sync, and since when. */
  readonly unflushedMessages: number;
  readonly unflushedSinceMs: number;
}

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

/** Nothing is staged; index entries that were pending are written. */
export function freezeLog(state: LogState, progress: FlushProgress): Uint8Array {
  const frozen: FrozenLog = {
    segments: state.segments.list.map((segment) => segment.freeze()),
    epochs: state.epochs.entries,
    producers: Array.from(state.producers.values()),
    snapshots: state.snapshots.offsets,
    deletions: state.deletions.waiting,
    durability: state.durability.freeze(),
    logStartOffset: state.logStartOffset,
    nextOffset: state.nextOffset,
    unflushedMessages: progress.unflushedMessages,
    unflushedSinceMs: progress.unflushedSinceMs,
  };
  return UTF8.encode(JSON.stringify(frozen));
}

/**
 * The same log after all of its files were copied to another directory and synced there. What waited for its removal was
 * left behind.
 */
export function relocated(bytes: Uint8Array): Uint8Array {
  const frozen = JSON.parse(TEXT.decode(bytes)) as FrozenLog;
  const durability: FrozenDurability = { recoveryPoint: frozen.nextOffset, unsynced: [], paths: [], directories: [] };
  const moved: FrozenLog = { ...frozen, deletions: [], durability, unflushedMessages: 0, unflushedSinceMs: 0 };
  return UTF8.encode(JSON.stringify(moved));
}

export function thawLog(
  bytes: Uint8Array,
  environment: LogEnvironment,
  identity: LogIdentity,
  progress: FlushProgress,
): LogState {
  const frozen = JSON.parse(TEXT.decode(bytes)) as FrozenLog;
  const { directory, topic, partition, topicId, config } = identity;
  const segments = new Segments();
  for (const each of frozen.segments) segments.add(Segment.thaw(environment, directory, each));
  const producers = new Producers();
  producers.load(frozen.producers, frozen.nextOffset);
  progress.unflushedMessages = frozen.unflushedMessages;
  progress.unflushedSinceMs = frozen.unflushedSinceMs;
  return {
    environment,
    directory,
    topic,
    partition,
    topicId,
    config,
    segments,
    epochs: LeaderEpochs.of(frozen.epochs),
    producers,
    snapshots: new Snapshots(environment, directory, frozen.snapshots),
    deletions: new Deletions(frozen.deletions),
    durability: Durability.thaw(environment, frozen.durability, segments.list),
    logStartOffset: frozen.logStartOffset,
    nextOffset: frozen.nextOffset,
  };
}
