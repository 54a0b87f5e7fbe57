/**
 * The data directories as clients see and change them, on the main thread: what lies where, and moves from one to another,
 * one after the other. A partition goes on while its files are copied and stands still for the last of it only.
 */
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DescribedDirectory, DirectoryDesk, LyingPartition } from '../api/directory-desk.ts';
import type { Logger } from '../base/logger.ts';
import type { MetadataImage } from '../cluster/image.ts';
import { type Disk, DiskError } from '../log/disk.ts';
import { type CopiedFile, MOVE_MARK, type MovePartition, type MoveResult } from '../log/move.ts';
import { DIRECTORY_DELETED, DIRECTORY_FUTURE, LOG, offsetOf } from '../log/names.ts';
import { ERROR } from '../wire/errors.ts';
import type { Data } from './data.ts';
import type { PartitionHost } from './partition-host.ts';
import type { PlacedPartition } from './partition-map.ts';

export interface DirectoriesParts {
  readonly data: Data;
  readonly host: PartitionHost;
  readonly disk: Disk;
  readonly logger: Logger;
  image(): MetadataImage;
  job(step: MovePartition): Promise<MoveResult>;
  /** Nothing is created, deleted or spread while the work is under way. */
  exclusive(work: () => Promise<void>): Promise<void>;
}

interface Move {
  readonly placed: PlacedPartition;
  readonly directory: number;
  /** Where its copy is made. */
  readonly copy: string;
  cancelled: boolean;
}

/** The partition may stand still for as long as this takes to copy. */
const REST_BYTES_MAX = 4_194_304;
/** A writer that is faster than the copying is stopped after so many attempts. */
const PASSES_MAX = 8;
const UNKNOWN = { bytes: 0, endOffset: 0 };

export class Directories implements DirectoryDesk {
  readonly #parts: DirectoriesParts;
  /** By slot, the one under way and those that wait. */
  readonly #moves = new Map<number, Move>();
  #line: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(parts: DirectoriesParts) {
    this.#parts = parts;
  }

  async describe(): Promise<readonly DescribedDirectory[]> {
    const { data, host } = this.#parts;
    const sizes = await host.sizes();
    const lying: LyingPartition[][] = Array.from({ length: data.count }, () => []);
    for (const { slot, topic, partition, directory, offline } of host.map.all()) {
      if (offline !== null) continue;
      const { bytes } = sizes.get(slot) ?? UNKNOWN;
      lying[directory]?.push({ topic, partition, bytes, offsetLag: 0, isFuture: false });
    }
    for (const { placed, directory, copy } of this.#moves.values()) {
      const { topic, partition, slot } = placed;
      const { bytes, reached } = await copied(copy);
      const offsetLag = Math.max(0, (sizes.get(slot) ?? UNKNOWN).endOffset - reached);
      lying[directory]?.push({ topic, partition, bytes, offsetLag, isFuture: true });
    }
    return Promise.all(lying.map((partitions, directory) => this.#describe(directory, partitions)));
  }

  move(topic: string, partition: number, path: string): number {
    const { data, host, image } = this.#parts;
    const directory = data.find(path);
    if (directory < 0) return ERROR.LOG_DIR_NOT_FOUND;
    if (data.offline(directory) !== null) return ERROR.KAFKA_STORAGE_ERROR;
    const known = image().topics.get(topic);
    if (known === undefined || partition < 0 || partition >= known.partitions.length)
      return ERROR.UNKNOWN_TOPIC_OR_PARTITION;
    const placed = host.map.of(known.id).find((one) => one.partition === partition);
    if (placed === undefined) return ERROR.REPLICA_NOT_AVAILABLE;
    if (placed.offline !== null) return ERROR.KAFKA_STORAGE_ERROR;
    const before = this.#moves.get(placed.slot);
    if (before !== undefined && before.directory === directory) return ERROR.NONE;
    if (before !== undefined) this.#cancel(before);
    if (placed.directory !== directory) this.#begin(placed, directory);
    return ERROR.NONE;
  }

  /** What is under way is given up; its copies go at the next start. */
  close(): void {
    this.#closing = true;
    for (const move of this.#moves.values()) move.cancelled = true;
  }

  async #describe(directory: number, partitions: readonly LyingPartition[]): Promise<DescribedDirectory> {
    const { data } = this.#parts;
    const path = data.path(directory);
    const space = data.offline(directory) === null ? await statfs(path).catch(() => null) : null;
    if (space === null) return { path, offline: true, totalBytes: -1, usableBytes: -1, partitions: [] };
    const { bsize, blocks, bavail } = space;
    return { path, offline: false, totalBytes: blocks * bsize, usableBytes: bavail * bsize, partitions };
  }

  #begin(placed: PlacedPartition, directory: number): void {
    const { data, logger } = this.#parts;
    const { slot, topic, partition } = placed;
    const copy = data.asidePath(directory, topic, partition, DIRECTORY_FUTURE);
    const move: Move = { placed, directory, copy, cancelled: false };
    this.#moves.set(slot, move);
    const done = this.#line.then(() => this.#run(move));
    this.#line = done.catch(async (problem: Error) => {
      if (this.#closing) return;
      const values = { topic, partition, to: data.path(directory), why: problem.message };
      logger.error('partition.move.failed', values);
      await this.#discard(copy);
    });
    void this.#line.finally(() => this.#forget(move));
  }

  #cancel(move: Move): void {
    move.cancelled = true;
    this.#forget(move);
  }

  #forget(move: Move): void {
    if (this.#moves.get(move.placed.slot) === move) this.#moves.delete(move.placed.slot);
  }

  async #run(move: Move): Promise<void> {
    const { data, disk, job, logger, exclusive } = this.#parts;
    const { placed, directory, copy } = move;
    const { topic, partition } = placed;
    if (this.#isPointless(move)) return;
    disk.makeDirectory(copy);
    const source = data.partitionPath(placed.directory, topic, partition);
    let copied: readonly CopiedFile[] = [];
    for (let pass = 0; pass < PASSES_MAX; pass++) {
      const result = await job({ step: 'copy', source, copy, copied });
      copied = result.copied;
      if (this.#isPointless(move)) return this.#discard(copy);
      if (result.bytes < REST_BYTES_MAX) break;
    }
    let retired: string | null = null;
    await exclusive(async () => {
      if (this.#isPointless(move)) return;
      retired = await this.#finish(move, source, copied);
    });
    if (retired === null) return this.#discard(copy);
    logger.info('partition.moved', { topic, partition, to: data.path(directory) });
    await this.#discard(retired);
  }

  /** The last step: gives the source's new name, null when the partition is where it was. */
  async #finish(move: Move, source: string, copied: readonly CopiedFile[]): Promise<string | null> {
    const { data, host, disk, job, logger } = this.#parts;
    const { placed, directory, copy } = move;
    const { topic, partition, directory: from } = placed;
    const target = data.partitionPath(directory, topic, partition);
    const retired = data.asidePath(from, topic, partition, DIRECTORY_DELETED);
    // Both directories' checkpoints know it before it lies in the other one.
    host.kept.checkpoint({ placed, directory });
    let sourceProblem: string | null = null;
    let moved = false;
    await host.relocate(placed, directory, async () => {
      ({ sourceProblem } = await job({ step: 'finish', source, copy, copied, target, retired }));
      moved = true;
      return true;
    });
    if (!moved) return null;
    if (sourceProblem !== null) host.directoryFailed(from, sourceProblem);
    else if (disk.exists(`${target}/${MOVE_MARK}`)) {
      try {
        disk.remove(`${target}/${MOVE_MARK}`);
      } catch (problem) {
        if (!(problem instanceof DiskError)) throw problem;
        logger.warn('file.not.removed', { path: problem.path, why: problem.message });
      }
    }
    return retired;
  }

  /** Cancelled, deleted, or one of the two directories has failed. */
  #isPointless({ placed, directory, cancelled }: Move): boolean {
    const { data, host } = this.#parts;
    if (cancelled || this.#closing || host.map.at(placed.slot) !== placed) return true;
    return placed.offline !== null || data.offline(directory) !== null;
  }

  async #discard(copy: string): Promise<void> {
    try {
      await this.#parts.job({ step: 'remove', copy });
    } catch (problem) {
      if (!this.#closing) this.#parts.logger.warn('file.not.removed', { path: copy, why: (problem as Error).message });
    }
  }
}

/** What a copy holds so far, and the first offset of its newest segment: all before it is there. */
async function copied(copy: string): Promise<{ bytes: number; reached: number }> {
  let bytes = 0;
  let reached = 0;
  const names = await readdir(copy).catch(() => []);
  for (const name of names) {
    const base = offsetOf(name, LOG);
    if (base < 0) continue;
    reached = Math.max(reached, base);
    bytes += await stat(join(copy, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return { bytes, reached };
}
