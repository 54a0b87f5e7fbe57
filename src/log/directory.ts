/**
 * One data directory: its lock, whose it is (`meta.properties`), whether it was closed cleanly, its checkpoint files, and
 * which partitions lie in it. From opening to closing no other process has it, and the mark of a clean shutdown is gone.
 */
import { parseProperties } from '../base/properties.ts';
import type { Random } from '../base/random.ts';
import { StartError } from '../base/start-error.ts';
import { formatUuid, parseUuid, randomUuid, type Uuid } from '../base/uuid.ts';
import {
  formatOffsets,
  MalformedCheckpoint,
  type PartitionOffset,
  parseOffsets,
  readText,
  replaceFile,
} from './checkpoint.ts';
import { removeRetired } from './deletions.ts';
import { type Disk, DiskError } from './disk.ts';
import {
  DIRECTORY_DELETED,
  DIRECTORY_FUTURE,
  DIRECTORY_STRAY,
  PARTITION_METADATA,
  parentOf,
  parsePartitionDirectory,
} from './names.ts';
import { parsePartitionMetadata } from './partition-metadata.ts';

const LOCK = '.lock';
const META_PROPERTIES = 'meta.properties';
const CLEAN_SHUTDOWN = '.kafka_cleanshutdown';
/** In which life of the kernel every log was opened last. Kafka does not know the file, and leaves it alone. */
const KERNEL = 'odradek-kernel';
/** Kafka's own metadata log may lie beside the partitions; it is none of them. */
const METADATA_LOG = '__cluster_metadata-0';
/** As a move names its copy; what merely ends like it may be a topic's or a user's. */
const FUTURE_NAME = new RegExp(`-\\d+\\.[0-9a-f]{32}${DIRECTORY_FUTURE}$`);

export const CHECKPOINTS = {
  recoveryPoint: 'recovery-point-offset-checkpoint',
  logStart: 'log-start-offset-checkpoint',
  highWatermark: 'replication-offset-checkpoint',
} as const;

export type CheckpointKind = keyof typeof CHECKPOINTS;

export interface LogDirectoryOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly path: string;
  readonly nodeId: number;
  /** Null takes what the directory says, or makes a new one up. */
  readonly clusterId: string | null;
  /** Names this life of the kernel, from its start to its end; null when it does not say. */
  readonly kernelId: string | null;
}

export interface PartitionEntry {
  readonly topic: string;
  readonly partition: number;
  readonly path: string;
  /** Null when `partition.metadata` is missing or damaged. */
  readonly topicId: Uuid | null;
}

export interface Listing {
  readonly partitions: readonly PartitionEntry[];
  /** Partitions that were deleted; their files are still there. */
  readonly deleted: readonly string[];
  /** Copies that a move between directories was making when it ended. */
  readonly futures: readonly string[];
  /** Directories that are no partition of this broker's making. */
  readonly strays: readonly string[];
}

interface Meta {
  readonly clusterId: string;
  readonly nodeId: number;
  /** Directories of older brokers have none. */
  readonly directoryId: Uuid | null;
}

/** The disk does not let the directory be used: another directory may do. */
export class UnusableDirectory extends StartError {}

export class LogDirectory {
  readonly path: string;
  readonly clusterId: string;
  readonly directoryId: Uuid;
  /** The last process that had it closed every log before it left. */
  readonly cleanShutdown: boolean;
  /** The kernel has lived on since: whatever it took of the last process is there, on disk or in its memory. */
  readonly pageCacheKept: boolean;
  readonly #disk: Disk;
  readonly #kernelId: string | null;
  readonly #lock: number;

  /** Makes the directory when it is not there. Throws StartError with what to do, UnusableDirectory when its disk fails. */
  static open(options: LogDirectoryOptions): LogDirectory {
    const { disk, path } = options;
    try {
      makeDurably(disk, path);
      const lock = takeLock(disk, path);
      try {
        return new LogDirectory(options, lock);
      } catch (problem) {
        disk.close(lock);
        throw problem;
      }
    } catch (problem) {
      throw problem instanceof DiskError ? new UnusableDirectory(unusable(path, problem.code)) : problem;
    }
  }

  private constructor({ disk, random, path, nodeId, clusterId, kernelId }: LogDirectoryOptions, lock: number) {
    this.#disk = disk;
    this.#lock = lock;
    this.path = path;
    const meta = readMeta(disk, path);
    if (meta !== null) refuseForeign(path, meta, nodeId, clusterId);
    this.clusterId = meta?.clusterId ?? clusterId ?? formatUuid(randomUuid(random));
    this.directoryId = meta?.directoryId ?? randomUuid(random);
    if (meta === null || meta.directoryId === null) this.#writeMeta(nodeId);
    this.pageCacheKept = kernelId !== null && readText(disk, this.#file(KERNEL)) === kernelId;
    this.#kernelId = kernelId;
    this.cleanShutdown = disk.exists(this.#file(CLEAN_SHUTDOWN));
    if (!this.cleanShutdown) return;
    disk.remove(this.#file(CLEAN_SHUTDOWN));
    // Before anything is appended: power loss must not bring the mark back over an unclean log.
    disk.syncDirectory(path);
  }

  list(): Listing {
    const partitions: PartitionEntry[] = [];
    const deleted: string[] = [];
    const futures: string[] = [];
    const strays: string[] = [];
    for (const name of this.#disk.list(this.path).sort()) {
      const path = this.#file(name);
      if (name === METADATA_LOG || !this.#disk.isDirectory(path)) continue;
      const parsed = parsePartitionDirectory(name);
      if (name.endsWith(DIRECTORY_DELETED)) deleted.push(path);
      else if (FUTURE_NAME.test(name)) futures.push(path);
      else if (parsed === null || name.endsWith(DIRECTORY_STRAY)) strays.push(path);
      else {
        const text = readText(this.#disk, `${path}/${PARTITION_METADATA}`);
        partitions.push({ ...parsed, path, topicId: text === null ? null : parsePartitionMetadata(text) });
      }
    }
    return { partitions, deleted, futures, strays };
  }

  /** Ends what an earlier process began to delete, and removes copies that it did not finish. */
  removeLeftovers(): void {
    for (const name of this.#disk.list(this.path)) {
      if (!name.endsWith(DIRECTORY_DELETED) && !FUTURE_NAME.test(name)) continue;
      const path = this.#file(name);
      if (this.#disk.isDirectory(path)) removeRetired(this.#disk, path);
    }
  }

  /** By directory name (`topic-0`). A checkpoint that is missing or damaged says nothing of any partition. */
  offsets(kind: CheckpointKind): { readonly offsets: Map<string, number>; readonly damaged: string | null } {
    const path = this.#file(CHECKPOINTS[kind]);
    const offsets = new Map<string, number>();
    const text = readText(this.#disk, path);
    if (text === null) return { offsets, damaged: null };
    try {
      for (const { topic, partition, offset } of parseOffsets(text, path)) offsets.set(`${topic}-${partition}`, offset);
      return { offsets, damaged: null };
    } catch (problem) {
      if (!(problem instanceof MalformedCheckpoint)) throw problem;
      return { offsets: new Map(), damaged: problem.message };
    }
  }

  checkpoint(kind: CheckpointKind, offsets: Iterable<PartitionOffset>): void {
    replaceFile(this.#disk, this.#file(CHECKPOINTS[kind]), formatOffsets(offsets), true);
  }

  /** Every log is closed and synced, and the checkpoints say so: the next open scans nothing. */
  markClean(brokerEpoch: number): void {
    replaceFile(this.#disk, this.#file(CLEAN_SHUTDOWN), JSON.stringify({ version: 0, brokerEpoch }), true);
  }

  /** Every log is open, and what an earlier life of the kernel may have left of it was looked at. Lost with the page cache, which is right. */
  keepKernel(): void {
    if (this.#kernelId !== null && !this.pageCacheKept) {
      replaceFile(this.#disk, this.#file(KERNEL), this.#kernelId, false);
    }
  }

  /** Its disk has failed: what the kernel took may be gone from its memory, too. The next start reads everything. */
  forgetKernel(): void {
    if (this.#disk.exists(this.#file(KERNEL))) this.#disk.remove(this.#file(KERNEL));
  }

  close(): void {
    this.#disk.close(this.#lock);
  }

  #writeMeta(nodeId: number): void {
    const lines = [
      '#',
      `cluster.id=${this.clusterId}`,
      `directory.id=${formatUuid(this.directoryId)}`,
      `node.id=${nodeId}`,
      'version=1',
    ];
    replaceFile(this.#disk, this.#file(META_PROPERTIES), `${lines.join('\n')}\n`, true);
  }

  #file(name: string): string {
    return `${this.path}/${name}`;
  }
}

/** New directories are entered in their parents for good: what is acknowledged below must not go with them. */
function makeDurably(disk: Disk, path: string): void {
  const missing: string[] = [];
  for (let each = path; each !== parentOf(each) && !disk.exists(each); each = parentOf(each)) missing.push(each);
  disk.makeDirectory(path);
  for (const each of missing) disk.syncDirectory(parentOf(each));
}

function takeLock(disk: Disk, path: string): number {
  try {
    return disk.lock(`${path}/${LOCK}`);
  } catch (problem) {
    if (!(problem instanceof DiskError) || problem.code !== 'EAGAIN') throw problem;
    throw new StartError(`The data directory ${path} is in use by another broker: stop it, or name another directory.`);
  }
}

function unusable(path: string, code: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `The data directory ${path} cannot be written (${code}): change its owner or mode, or name another directory.`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `The data directory ${path} is a file, or lies below one: name another directory.`;
    case 'ENOSPC':
      return `The disk of the data directory ${path} is full: free some space, or name another directory.`;
    default:
      return `The data directory ${path} cannot be used (${code}): look at its disk, or name another directory.`;
  }
}

/** Version 1 (`node.id`) and version 0 (`broker.id`, no directory id); null when the file is not there. */
function readMeta(disk: Disk, path: string): Meta | null {
  const file = `${path}/${META_PROPERTIES}`;
  const text = readText(disk, file);
  if (text === null) return null;
  const values = new Map(parseProperties(text).map(({ key, value }) => [key, value.trim()]));
  const clusterId = values.get('cluster.id') ?? '';
  const nodeId = values.get(values.get('version') === '1' ? 'node.id' : 'broker.id') ?? '';
  const directoryId = values.get('directory.id');
  const id = directoryId === undefined ? null : parseUuid(directoryId);
  if (clusterId === '' || !/^\d+$/.test(nodeId) || (directoryId !== undefined && id === null)) {
    throw new StartError(
      `${file} is damaged: write its cluster.id, node.id and version=1 again, or name another data directory.`,
    );
  }
  return { clusterId, nodeId: Number(nodeId), directoryId: id };
}

function refuseForeign(path: string, meta: Meta, nodeId: number, clusterId: string | null): void {
  if (clusterId !== null && meta.clusterId !== clusterId) {
    throw new StartError(
      `The data directory ${path} belongs to the cluster ${meta.clusterId}, not to ${clusterId}: name another directory.`,
    );
  }
  if (meta.nodeId !== nodeId) {
    throw new StartError(
      `The data directory ${path} belongs to broker ${meta.nodeId}: set node.id=${meta.nodeId}, or name another directory.`,
    );
  }
}
