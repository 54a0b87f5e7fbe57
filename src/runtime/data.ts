/**
 * The data directories of a broker, on the main thread: opened and locked together, asked which partitions lie where, and
 * given their checkpoint files. A directory whose topic is unknown is left alone and said aloud.
 */
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { formatUuid, type Uuid } from '../base/uuid.ts';
import type { MetadataImage } from '../cluster/image.ts';
import type { PartitionOffset } from '../log/checkpoint.ts';
import { LogDirectory } from '../log/directory.ts';
import type { Disk } from '../log/disk.ts';
import { partitionDirectory } from '../log/names.ts';

export interface ClosedPartition {
  readonly slot: number;
  readonly endOffset: number;
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

interface Opened {
  readonly log: LogDirectory;
  readonly recoveryPoints: ReadonlyMap<string, number>;
  readonly logStarts: ReadonlyMap<string, number>;
}

export class Data {
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #opened: Opened[] = [];
  /** Partition directories that were there at the start: by topic id and partition. */
  readonly #found = new Map<string, LeftBehind>();

  static open(paths: readonly string[], nodeId: number, disk: Disk, random: Random, logger: Logger): Data {
    const data = new Data(disk, logger);
    try {
      for (const path of paths) {
        const clusterId = data.#opened[0]?.log.clusterId ?? null;
        const log = LogDirectory.open({ disk, random, path, nodeId, clusterId });
        data.#opened.push({ log, ...data.#checkpoints(log) });
      }
    } catch (problem) {
      data.close();
      throw problem;
    }
    return data;
  }

  private constructor(disk: Disk, logger: Logger) {
    this.#disk = disk;
    this.#logger = logger;
  }

  get clusterId(): string {
    return (this.#opened[0] as Opened).log.clusterId;
  }

  get count(): number {
    return this.#opened.length;
  }

  path(directory: number): string {
    return (this.#opened[directory] as Opened).log.path;
  }

  cleanShutdown(directory: number): boolean {
    return (this.#opened[directory] as Opened).log.cleanShutdown;
  }

  partitionPath(directory: number, topic: string, partition: number): string {
    return `${this.path(directory)}/${partitionDirectory(topic, partition)}`;
  }

  /** Sorts what lies there by the image: known partitions, deleted ones (removed now), strangers (put aside). */
  survey(image: MetadataImage): void {
    for (const [directory, { log, recoveryPoints, logStarts }] of this.#opened.entries()) {
      log.removeDeleted();
      const { partitions, strays } = log.list();
      for (const path of strays) this.#logger.warn('data.stray', { path });
      for (const { topic, partition, path, topicId } of partitions) {
        const known = image.topics.get(topic);
        const name = partitionDirectory(topic, partition);
        if (known !== undefined && partition < known.partitions.length && (topicId === null || topicId === known.id)) {
          const recoveryPoint = recoveryPoints.get(name) ?? 0;
          const logStartOffset = logStarts.get(name) ?? 0;
          this.#found.set(key(known.id, partition), { directory, recoveryPoint, logStartOffset });
        } else if (topicId !== null && image.deletedTopics.has(topicId)) {
          this.#disk.rename(path, `${path}.${this.#hex(topicId)}-delete`);
        } else {
          this.#disk.rename(path, `${path}-stray`);
          const id = topicId === null ? null : formatUuid(topicId);
          this.#logger.warn('data.stray', { path: `${path}-stray`, topicId: id, why: 'the cluster has no such topic' });
        }
      }
      log.removeDeleted();
    }
  }

  leftBehind(topicId: Uuid, partition: number): LeftBehind | null {
    return this.#found.get(key(topicId, partition)) ?? null;
  }

  /** Writes the recovery points of running logs: an unclean start scans from there. */
  checkpoint(
    offsets: readonly (PartitionOffset & { readonly directory: number; readonly logStartOffset: number })[],
  ): void {
    for (const [directory, { log }] of this.#opened.entries()) {
      const mine = offsets.filter((entry) => entry.directory === directory);
      log.checkpoint('recoveryPoint', mine);
      log.checkpoint(
        'logStart',
        mine.filter((entry) => entry.logStartOffset > 0).map((entry) => ({ ...entry, offset: entry.logStartOffset })),
      );
    }
  }

  /** After every log of a directory was closed without an error. */
  markClean(directory: number, offsets: readonly PartitionOffset[], brokerEpoch: number): void {
    const { log } = this.#opened[directory] as Opened;
    log.checkpoint('highWatermark', offsets);
    log.markClean(brokerEpoch);
  }

  close(): void {
    for (const { log } of this.#opened) log.close();
  }

  #checkpoints(log: LogDirectory): { recoveryPoints: Map<string, number>; logStarts: Map<string, number> } {
    const recovery = log.offsets('recoveryPoint');
    const start = log.offsets('logStart');
    for (const { damaged } of [recovery, start])
      if (damaged !== null) this.#logger.warn('checkpoint.damaged', { why: damaged });
    return { recoveryPoints: recovery.offsets, logStarts: start.offsets };
  }

  #hex(id: Uuid): string {
    return Array.from(id, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  }
}

function key(topicId: Uuid, partition: number): string {
  return `${topicId}${partition}`;
}
