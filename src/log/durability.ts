/**
 * What of a log may be lost when power fails: everything behind `recoveryPoint`, finished segments that were not synced,
 * small files, directory entries. A sync of all of it is planned here and done elsewhere, by whoever may block.
 */
import type { LogEnvironment } from './environment.ts';
import { CachedFile } from './files.ts';
import { parentOf } from './names.ts';
import type { LogPosition } from './reading.ts';
import type { Segment } from './segment.ts';

/** Once all slots are synced, all records below `endOffset` are durable. The leases are whoever's that has the plan. */
export interface SyncPlan {
  readonly slots: readonly number[];
  readonly end: LogPosition;
  readonly endOffset: number;
  /** Finished segments that it covers. */
  readonly segments: readonly Segment[];
  /** A log that was cut back since has other bytes at these offsets. */
  readonly generation: number;
}

export interface FrozenDurability {
  readonly recoveryPoint: number;
  /** Base offsets of finished segments. */
  readonly unsynced: readonly number[];
  readonly paths: readonly string[];
  readonly directories: readonly string[];
}

export class Durability {
  readonly #environment: LogEnvironment;
  recoveryPoint: number;
  readonly #segments = new Set<Segment>();
  readonly #paths = new Set<string>();
  readonly #directories = new Set<string>();
  #generation = 0;

  constructor(environment: LogEnvironment, recoveryPoint: number) {
    this.#environment = environment;
    this.recoveryPoint = recoveryPoint;
  }

  segmentFinished(segment: Segment): void {
    this.#segments.add(segment);
  }

  segmentGone(segment: Segment): void {
    this.#segments.delete(segment);
  }

  /** A small file, replaced by a rename. */
  fileReplaced(path: string): void {
    this.#paths.add(path);
    this.#directories.add(parentOf(path));
  }

  directoryChanged(path: string): void {
    this.#directories.add(path);
  }

  /** Everything up to `endOffset` is durable, and all files and names around it. */
  isWhole(endOffset: number): boolean {
    return this.recoveryPoint === endOffset && !this.pending;
  }

  /** Finished segments, small files or names are not durable yet. */
  get pending(): boolean {
    return this.#segments.size > 0 || this.#paths.size > 0 || this.#directories.size > 0;
  }

  cutBack(endOffset: number): void {
    this.#generation += 1;
    this.recoveryPoint = Math.min(this.recoveryPoint, endOffset);
  }

  /** Without the active segment it is the end of those finished that becomes durable. */
  plan(active: Segment | null, end: LogPosition): SyncPlan {
    const { files } = this.#environment;
    const segments = Array.from(this.#segments);
    const slots: number[] = [];
    try {
      if (active !== null) slots.push(files.lease(active.log));
      // The active segment's indexes are made anew after a crash; those of finished ones are believed.
      for (const segment of segments) for (const file of segment.files) slots.push(files.lease(file));
      for (const path of this.#paths) slots.push(this.#leaseOnce(path, 'write'));
      for (const path of this.#directories) slots.push(this.#leaseOnce(path, 'read'));
    } catch (problem) {
      for (const slot of slots) files.release(slot);
      throw problem;
    }
    this.#paths.clear();
    this.#directories.clear();
    return { slots, end, endOffset: end.offset, segments, generation: this.#generation };
  }

  synced(plan: SyncPlan): void {
    for (const segment of plan.segments) this.#segments.delete(segment);
    if (plan.generation === this.#generation) this.recoveryPoint = Math.max(this.recoveryPoint, plan.endOffset);
  }

  /** Everything, here and now: for the end of a log. What is in `done` is durable already, and what is synced joins it. */
  syncAll(active: Segment, endOffset: number, done: Set<string>): void {
    const { disk, files } = this.#environment;
    for (const segment of this.#segments) for (const file of segment.files) disk.sync(files.descriptor(file));
    if (!this.#segments.has(active)) {
      const [log, ...indexes] = active.files as [CachedFile, ...CachedFile[]];
      if (this.recoveryPoint !== endOffset) disk.sync(files.descriptor(log));
      for (const index of indexes) disk.sync(files.descriptor(index));
    }
    for (const path of this.#paths) {
      const file = new CachedFile(path, 'write');
      disk.sync(files.descriptor(file));
      files.forget(file);
    }
    for (const path of this.#directories) {
      if (done.has(path)) continue;
      disk.syncDirectory(path);
      done.add(path);
    }
    this.#segments.clear();
    this.#paths.clear();
    this.#directories.clear();
    this.recoveryPoint = endOffset;
  }

  freeze(): FrozenDurability {
    return {
      recoveryPoint: this.recoveryPoint,
      unsynced: Array.from(this.#segments, (segment) => segment.baseOffset),
      paths: Array.from(this.#paths),
      directories: Array.from(this.#directories),
    };
  }

  static thaw(environment: LogEnvironment, frozen: FrozenDurability, segments: readonly Segment[]): Durability {
    const durability = new Durability(environment, frozen.recoveryPoint);
    for (const segment of segments) if (frozen.unsynced.includes(segment.baseOffset)) durability.#segments.add(segment);
    for (const path of frozen.paths) durability.#paths.add(path);
    for (const path of frozen.directories) durability.#directories.add(path);
    return durability;
  }

  /** Nobody but the lease keeps such a file open. */
  #leaseOnce(path: string, mode: 'read' | 'write'): number {
    const { files } = this.#environment;
    const file = new CachedFile(path, mode);
    const slot = files.lease(file);
    files.forget(file);
    return slot;
  }
}
