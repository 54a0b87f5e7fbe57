/** Opening a log: its directory is made or read, recovered where the last end was no clean one, and brought to one consistent state. */

import { SCAN_BATCH } from './batch-scan.ts';
import { MalformedCheckpoint, readText, replaceFile } from './checkpoint.ts';
import { PRODUCER_ID_EXPIRATION_MS } from './config.ts';
import { Deletions } from './deletions.ts';
import { Durability } from './durability.ts';
import type { LogEnvironment } from './environment.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { settleLeftovers } from './leftovers.ts';
import { EPOCH_CHECKPOINT, leadingOffset, PARTITION_METADATA, parentOf } from './names.ts';
import { formatPartitionMetadata, parsePartitionMetadata } from './partition-metadata.ts';
import { Producers } from './producers.ts';
import { loadSegments, newSegment, retireSegment } from './recovery.ts';
import { Segments } from './segments.ts';
import { Snapshots } from './snapshots.ts';
import type { LogIdentity, LogState } from './state.ts';

export interface OpenOptions extends LogIdentity {
  /** The broker ended well the last time: the files are believed as they are. */
  readonly cleanShutdown: boolean;
  /** Everything below was synced. */
  readonly recoveryPoint: number;
  /** The kernel has lived on since the log was written: what it took is to be read, synced or not. */
  readonly pageCacheKept?: boolean;
  /** Records below were deleted by request. */
  readonly logStartOffset?: number;
}

export function openLog(environment: LogEnvironment, options: OpenOptions): LogState {
  const { disk } = environment;
  const { directory, topic, partition, topicId, config, now } = options;
  const deletions = new Deletions();
  const durability = new Durability(environment, options.recoveryPoint);
  if (!disk.exists(directory)) {
    disk.makeDirectory(directory);
    durability.directoryChanged(parentOf(directory));
  }
  identify(environment, options, durability);
  const before = disk.list(directory);
  const names = settleLeftovers(environment, directory, before);
  const { epochs, known, text } = readEpochs(environment, directory);
  const segments = new Segments();
  const snapshots = new Snapshots(environment, directory, Snapshots.offsetsIn(names));
  const mark = options.pageCacheKept === true && known ? snapshots.newestSound() : -1;
  const load = { ...options, mark };
  const { clean, endOffset, rebuilt } = loadSegments(environment, load, names, segments, epochs, deletions);
  let nextOffset = endOffset;
  const checkpointed = options.logStartOffset ?? 0;
  if (segments.count > 0 && nextOffset < checkpointed) {
    // The files end below what was deleted by request: nothing in them may be read any more.
    for (const segment of segments.takeFrom(0)) {
      retireSegment(environment, directory, segment, deletions, now + config.fileDeleteDelayMs);
    }
    epochs.clear();
    snapshots.removeAll();
  }
  if (segments.count === 0) {
    nextOffset = checkpointed;
    const segment = newSegment(environment, directory, nextOffset, config, now, true);
    segments.add(segment);
    segment.create(config);
    durability.directoryChanged(directory);
  }
  const logStartOffset = Math.max(checkpointed, segments.first.baseOffset);
  if (!known) {
    epochs.clear();
    for (const segment of segments.list) rebuildEpochs(segment.headers(0, segment.sizeBytes), epochs);
  }
  epochs.truncateFromEnd(nextOffset);
  epochs.truncateFromStart(logStartOffset);
  const producers = new Producers();
  snapshots.restore(producers, segments, nextOffset, !clean);
  snapshots.prune(segments);
  producers.expire(now, config.producerIdExpirationMs ?? PRODUCER_ID_EXPIRATION_MS);
  durability.recoveryPoint = clean ? nextOffset : Math.min(options.recoveryPoint, nextOffset);
  if (!clean) distrust(directory, segments, durability, text !== null);
  for (const segment of rebuilt) if (segments.list.includes(segment)) durability.segmentFinished(segment);
  // A file that was removed above must not come back beside what is appended in its place: a snapshot would be believed.
  if (!clean && lacksAny(disk.list(directory), before)) disk.syncDirectory(directory);
  const state = { environment, directory, topic, partition, topicId, config, segments, epochs, producers };
  const full: LogState = { ...state, snapshots, deletions, durability, logStartOffset, nextOffset };
  // Recovery reads the epochs from the batches, and mostly comes to what the file says.
  if (epochs.changed && epochs.format() === text) epochs.changed = false;
  writeEpochs(full);
  return full;
}

/** Whether a file of a segment has gone. */
function lacksAny(names: readonly string[], before: readonly string[]): boolean {
  const present = new Set(names);
  return before.some((name) => leadingOffset(name) >= 0 && !present.has(name));
}

/** After a crash nothing beyond the recovery point was synced, whatever the page cache still shows. */
function distrust(directory: string, segments: Segments, durability: Durability, hasEpochs: boolean): void {
  for (let index = 0; index < segments.count - 1; index++) {
    if (segments.at(index + 1).baseOffset >= durability.recoveryPoint) durability.segmentFinished(segments.at(index));
  }
  if (hasEpochs) durability.fileReplaced(`${directory}/${EPOCH_CHECKPOINT}`);
  durability.fileReplaced(`${directory}/${PARTITION_METADATA}`);
  durability.directoryChanged(parentOf(directory));
}

/** Writes the epochs out if they have changed. */
export function writeEpochs(state: LogState): void {
  const { epochs, environment, directory, durability } = state;
  if (!epochs.changed) return;
  const path = `${directory}/${EPOCH_CHECKPOINT}`;
  replaceFile(environment.disk, path, epochs.format(), false);
  durability.fileReplaced(path);
  epochs.changed = false;
}

/** The directory says whose it is, or is told. A torn note is written again: the cluster knows the id. */
function identify(environment: LogEnvironment, options: OpenOptions, durability: Durability): void {
  const { disk } = environment;
  const { directory, topic, partition, topicId } = options;
  const path = `${directory}/${PARTITION_METADATA}`;
  const text = readText(disk, path);
  const found = text === null ? null : parsePartitionMetadata(text);
  if (found === topicId) return;
  const expected = formatPartitionMetadata(topicId);
  if (found !== null) {
    const [was, is] = [formatPartitionMetadata(found), expected].map((line) => line.split(' ').at(-1));
    throw new Error(`${directory} belongs to another topic: its id is ${was}, that of ${topic}-${partition} is ${is}`);
  }
  replaceFile(disk, path, expected, false);
  durability.fileReplaced(path);
}

interface EpochsRead {
  readonly epochs: LeaderEpochs;
  readonly known: boolean;
  /** Of the file. */
  readonly text: string | null;
}

/** Without the file, or with a damaged one, the epochs are read from the batches: each carries its leader's. */
function readEpochs(environment: LogEnvironment, directory: string): EpochsRead {
  const path = `${directory}/${EPOCH_CHECKPOINT}`;
  const text = readText(environment.disk, path);
  if (text === null) return { epochs: new LeaderEpochs(), known: false, text };
  try {
    return { epochs: LeaderEpochs.parse(text, path), known: true, text };
  } catch (problem) {
    if (!(problem instanceof MalformedCheckpoint)) throw problem;
    return { epochs: new LeaderEpochs(), known: false, text };
  }
}

function rebuildEpochs(scan: { next(): number; leaderEpoch: number; baseOffset: number }, epochs: LeaderEpochs): void {
  while (scan.next() === SCAN_BATCH) {
    if (scan.leaderEpoch > epochs.latest) epochs.assign(scan.leaderEpoch, scan.baseOffset);
  }
}
