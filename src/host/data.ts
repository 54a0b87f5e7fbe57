/**
 * The data directories of a broker, on the main thread: opened and locked together, asked which partitions lie where, and
 * given their checkpoint files. A directory whose disk fails is out of service from then on; the first one holds the
 * broker's metadata, too, so there is no start without it. What belongs to no known topic is put aside and said aloud.
 */
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { formatUuid, type Uuid } from '../base/uuid.ts';
import type { MetadataImage } from '../cluster/image.ts';
import { formatOffsets, type PartitionOffset } from '../log/checkpoint.ts';
import { LogDirectory, type PartitionEntry, UnusableDirectory } from '../log/directory.ts';
import { type Disk, DiskError } from '../log/disk.ts';
import { chooseTwin } from '../log/move.ts';
import { asideDirectory, DIRECTORY_DELETED, DIRECTORY_STRAY, partitionDirectory } from '../log/names.ts';

export interface ClosedPartition {
  readonly slot: number;
  /** Everything below is durable: the end of the log, unless it could not be closed. */
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly error: string | null;
}

/** What a partition's last life left behind. */
export interface LeftBehind {
  readonly directory: number;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
}

/** A directory that did not take a checkpoint. */
export interface UnwrittenDirectory {
  readonly directory: number;
  readonly why: string;
  readonly code: string;
}

export interface RunningOffset extends PartitionOffset {
  readonly directory: number;
  readonly logStartOffset: number;
}

interface Opened {
  readonly path: string;
  readonly log: LogDirectory | null;
  readonly recoveryPoints: ReadonlyMap<string, number>;
  readonly logStarts: ReadonlyMap<string, number>;
  /** Why it is out of service. */
  offline: string | null;
}

interface Found {
  readonly directory: number;
  readonly topicId: Uuid;
  readonly entry: PartitionEntry;
}

const NO_OFFSETS: ReadonlyMap<string, number> = new Map();

export class Data {
  readonly #disk: Disk;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #opened: Opened[] = [];
  /** What the file of log starts says, by directory, since it was written first. */
  readonly #keptStarts: (string | undefined)[] = [];
  #clusterId = '';
  /** Partition directories that were there at the start: by topic id and partition. */
  readonly #found = new Map<string, LeftBehind>();

  /** `kernelId` names this life of the kernel, where that is known. */
  static open(
    paths: readonly string[],
    nodeId: number,
    disk: Disk,
    random: Random,
    logger: Logger,
    kernelId: string | null,
  ): Data {
    const data = new Data(disk, random, logger);
    try {
      for (const path of paths) data.#open(path, nodeId, kernelId);
    } catch (problem) {
      data.close();
      throw problem;
    }
    return data;
  }

  private constructor(disk: Disk, random: Random, logger: Logger) {
    this.#disk = disk;
    this.#random = random;
    this.#logger = logger;
  }

  get clusterId(): string {
    return this.#clusterId;
  }

  get count(): number {
    return this.#opened.length;
  }

  /** How many are in service. */
  get online(): number {
    return this.#opened.filter(({ offline }) => offline === null).length;
  }

  /** By its path, -1 when the broker has no such directory. */
  find(path: string): number {
    return this.#opened.findIndex((opened) => opened.path === path || `${opened.path}/` === path);
  }

  path(directory: number): string {
    return (this.#opened[directory] as Opened).path;
  }

  /** Why the directory is out of service, null when it is not. */
  offline(directory: number): string | null {
    return (this.#opened[directory] as Opened).offline;
  }

  /** Takes a directory out of service. False when it is already. */
  fail(directory: number, why: string): boolean {
    const opened = this.#opened[directory] as Opened;
    if (opened.offline !== null) return false;
    opened.offline = why;
    this.#logger.error('directory.offline', { path: opened.path, why });
    this.distrust(directory);
    return true;
  }

  cleanShutdown(directory: number): boolean {
    return (this.#opened[directory] as Opened).log?.cleanShutdown ?? false;
  }

  /** Every log that lies there is open. */
  allOpen(directory: number): void {
    this.#tried(directory, [], () => (this.#opened[directory] as Opened).log?.keepKernel());
  }

  pageCacheDoubtful(directory: number): boolean {
    return (this.#opened[directory] as Opened).log?.pageCacheDoubtful ?? false;
  }

  /** Something there could not be made durable. */
  distrust(directory: number): void {
    this.#tried(directory, [], () => (this.#opened[directory] as Opened).log?.forgetKernel());
  }

  pageCacheKept(directory: number): boolean {
    return (this.#opened[directory] as Opened).log?.pageCacheKept ?? false;
  }

  partitionPath(directory: number, topic: string, partition: number): string {
    return `${this.path(directory)}/${partitionDirectory(topic, partition)}`;
  }

  /** A name in the directory for a partition's files that are not, or no longer, the partition. */
  asidePath(directory: number, topic: string, partition: number, suffix: string): string {
    return `${this.path(directory)}/${asideDirectory(topic, partition, this.#random.bytes16(), suffix)}`;
  }

  /** Sorts what lies there by the image: known partitions, deleted ones (removed now), strangers (put aside). */
  survey(image: MetadataImage): void {
    const known = new Map<string, Found[]>();
    for (const [directory, { log }] of this.#opened.entries()) {
      if (log !== null) this.#guarded(directory, () => this.#sort(directory, log, image, known));
    }
    for (const [name, found] of known) {
      const { directory, entry } = found.length === 1 ? (found[0] as Found) : this.#choose(found);
      const { recoveryPoints, logStarts } = this.#opened[directory] as Opened;
      const checkpointed = partitionDirectory(entry.topic, entry.partition);
      const recoveryPoint = recoveryPoints.get(checkpointed) ?? 0;
      this.#found.set(name, { directory, recoveryPoint, logStartOffset: logStarts.get(checkpointed) ?? 0 });
    }
    for (const [directory, { log }] of this.#opened.entries()) {
      if (log !== null) this.#guarded(directory, () => log.removeLeftovers());
    }
  }

  leftBehind(topicId: Uuid, partition: number): LeftBehind | null {
    return this.#found.get(key(topicId, partition)) ?? null;
  }

  /**
   * Writes the recovery points of running logs: an unclean start scans from there. Gives the directories that did not take
   * them and keep what they had: a start then scans more, and loses nothing.
   */
  checkpoint(offsets: readonly RunningOffset[]): UnwrittenDirectory[] {
    const failed: UnwrittenDirectory[] = [];
    const byDirectory = Map.groupBy(offsets, ({ directory }) => directory);
    for (const [directory, { log, offline }] of this.#opened.entries()) {
      if (log === null || offline !== null) continue;
      const mine = byDirectory.get(directory) ?? [];
      this.#tried(directory, failed, () => log.checkpoint('recoveryPoint', mine));
    }
    return [...failed, ...this.keepStarts(offsets.map((entry) => ({ ...entry, offset: entry.logStartOffset })))];
  }

  /**
   * Writes the starts of running logs where they are others than were written last, and nothing else. Gives the directories
   * that did not take them.
   */
  keepStarts(starts: readonly (PartitionOffset & { readonly directory: number })[]): UnwrittenDirectory[] {
    const failed: UnwrittenDirectory[] = [];
    for (const [directory, { log, offline }] of this.#opened.entries()) {
      if (log === null || offline !== null) continue;
      const mine = starts.filter((entry) => entry.directory === directory && entry.offset > 0);
      const text = formatOffsets(mine);
      if (text === this.#keptStarts[directory]) continue;
      if (this.#tried(directory, failed, () => log.checkpoint('logStart', mine))) this.#keptStarts[directory] = text;
    }
    return failed;
  }

  /** After every log of a directory was closed without an error. */
  markClean(directory: number, offsets: readonly PartitionOffset[], brokerEpoch: number): void {
    const { log } = this.#opened[directory] as Opened;
    this.#tried(directory, [], () => {
      log?.checkpoint('highWatermark', offsets);
      log?.markClean(brokerEpoch);
    });
  }

  close(): void {
    for (const { log } of this.#opened) log?.close();
  }

  #open(path: string, nodeId: number, kernelId: string | null): void {
    const isFirst = this.#opened.length === 0;
    const clusterId = isFirst ? null : this.#clusterId;
    try {
      const log = LogDirectory.open({ disk: this.#disk, random: this.#random, path, nodeId, clusterId, kernelId });
      this.#clusterId = log.clusterId;
      this.#opened.push({ path, log, ...this.#checkpoints(log), offline: null });
    } catch (problem) {
      if (isFirst || !(problem instanceof UnusableDirectory)) throw problem;
      this.#opened.push({ path, log: null, recoveryPoints: NO_OFFSETS, logStarts: NO_OFFSETS, offline: null });
      this.fail(this.#opened.length - 1, problem.message);
    }
  }

  #sort(directory: number, log: LogDirectory, image: MetadataImage, known: Map<string, Found[]>): void {
    log.removeLeftovers();
    const { partitions, strays } = log.list();
    for (const path of strays) this.#logger.warn('data.stray', { path });
    for (const entry of partitions) {
      const { topic, partition, path, topicId } = entry;
      const found = image.topics.get(topic);
      if (found !== undefined && partition < found.partitions.length && (topicId === null || topicId === found.id)) {
        const name = key(found.id, partition);
        known.set(name, [...(known.get(name) ?? []), { directory, topicId: found.id, entry }]);
      } else if (topicId !== null && image.deletedTopics.has(topicId)) {
        this.#disk.rename(path, this.asidePath(directory, topic, partition, DIRECTORY_DELETED));
      } else {
        const stray = this.asidePath(directory, topic, partition, DIRECTORY_STRAY);
        this.#disk.rename(path, stray);
        const id = topicId === null ? null : formatUuid(topicId);
        this.#logger.warn('data.stray', { path: stray, topicId: id, why: 'the cluster has no such topic' });
      }
    }
  }

  /** A move between directories was cut short: one goes on, the others go. */
  #choose(found: readonly Found[]): Found {
    const { kept, moved } = chooseTwin(
      this.#disk,
      found.map(({ entry }) => entry.path),
    );
    for (const [index, { directory, entry }] of found.entries()) {
      if (index === kept) continue;
      const { topic, partition, path } = entry;
      const aside = this.asidePath(directory, topic, partition, moved ? DIRECTORY_DELETED : DIRECTORY_STRAY);
      this.#guarded(directory, () => this.#disk.rename(path, aside));
      const because = 'the partition lies in another directory, too';
      if (!moved) this.#logger.warn('data.stray', { path: aside, why: because });
    }
    return found[kept] as Found;
  }

  #guarded(directory: number, work: () => void): void {
    try {
      work();
    } catch (problem) {
      if (!(problem instanceof DiskError) || directory === 0) throw problem;
      this.fail(directory, problem.message);
    }
  }

  /** What the disk refuses is said, and noted in `failed`. */
  #tried(directory: number, failed: UnwrittenDirectory[], write: () => void): boolean {
    try {
      write();
      return true;
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      this.#logger.error('checkpoint.failed', { path: this.path(directory), why: problem.message });
      failed.push({ directory, why: problem.message, code: problem.code });
      return false;
    }
  }

  #checkpoints(log: LogDirectory): { recoveryPoints: Map<string, number>; logStarts: Map<string, number> } {
    const recovery = log.offsets('recoveryPoint');
    const start = log.offsets('logStart');
    for (const { damaged } of [recovery, start])
      if (damaged !== null) this.#logger.warn('checkpoint.damaged', { why: damaged });
    return { recoveryPoints: recovery.offsets, logStarts: start.offsets };
  }
}

function key(topicId: Uuid, partition: number): string {
  return `${topicId}${partition}`;
}
