/**
 * What a handler has done elsewhere and hears of later: syncs by the blocker, batches opened by the background pool, starts of
 * logs that main keeps on disk, and files whose removal waits for its delay. Each errand has a number and ends once.
 */
import { assert } from '../../base/assert.ts';
import type { OpenedBatch, Opening } from '../../log/admission.ts';
import { type Deletion, removeRetired } from '../../log/deletions.ts';
import type { Disk } from '../../log/disk.ts';
import type { FileCache } from '../../log/files.ts';
import type { SyncPlan } from '../../log/partition-log.ts';
import type { Applicant } from '../../replica/admission-line.ts';
import type { Partition } from '../../replica/partition.ts';
import type { FromThread } from '../control.ts';
import type { Registry } from '../net/answers.ts';
import { SYNC } from '../rings/messages.ts';
import type { Outbox } from '../rings/ring.ts';

export interface ErrandsParts {
  /** The handler's name. */
  readonly name: string;
  readonly disk: Disk;
  readonly cache: FileCache;
  readonly registry: Registry;
  post(message: FromThread): void;
}

/** One sync under way: files that are not done yet. */
interface Sync {
  readonly partition: Partition;
  readonly plan: SyncPlan;
  left: number;
  errno: number;
}

/** A log that starts later now, and who waits for the news. */
interface MovedStart {
  readonly partition: Partition;
  readonly asker: number;
  readonly operation: number;
  readonly part: number;
  readonly lowWatermark: number;
}

const ERRNO_NONE = 0;

export class Errands {
  readonly #parts: ErrandsParts;
  readonly #syncs = new Map<number, Sync>();
  readonly #openings = new Map<number, { partition: Partition; applicant: Applicant }>();
  readonly #starts = new Map<number, MovedStart>();
  /** Directories of deleted partitions. */
  #deletions: Deletion[] = [];
  #next = 1;

  constructor(parts: ErrandsParts) {
    this.#parts = parts;
  }

  sync(blocker: Outbox, partition: Partition, plan: SyncPlan): void {
    assert(plan.slots.length > 0, 'a sync has files');
    const token = this.#token();
    this.#syncs.set(token, { partition, plan, left: plan.slots.length, errno: ERRNO_NONE });
    for (const slot of plan.slots) blocker.send(SYNC, token, slot, 0, 0, 0, 0, 0);
  }

  /** The blocker is done with one file. */
  synced(token: number, errno: number): void {
    const sync = this.#syncs.get(token);
    assert(sync !== undefined, 'a sync that was asked for ends once', { token });
    sync.left -= 1;
    if (errno !== ERRNO_NONE) sync.errno = errno;
    if (sync.left > 0) return;
    this.#syncs.delete(token);
    for (const slot of sync.plan.slots) this.#parts.cache.release(slot);
    if (sync.errno === ERRNO_NONE) sync.partition.synced(sync.plan);
    else sync.partition.syncFailed(sync.errno);
  }

  open(partition: Partition, applicant: Applicant, opening: Opening): void {
    const token = this.#token();
    this.#openings.set(token, { partition, applicant });
    const { offset, length, asker } = applicant;
    const { name } = this.#parts;
    this.#parts.post({ kind: 'openBatch', from: name, token, processor: `p${asker}`, offset, length, opening });
  }

  /** The pool is done with a batch. Gives the partition, which has more to do now. */
  opened(token: number, { error, fault, record, bytes }: OpenedBatch, now: number): Partition {
    const opening = this.#openings.get(token);
    assert(opening !== undefined, 'a batch that was to be opened comes back once', { token });
    this.#openings.delete(token);
    const { partition, applicant } = opening;
    applicant.verdict = error;
    applicant.fault = fault;
    applicant.record = record;
    applicant.made = bytes === null ? null : this.#parts.registry.register(new Uint8Array(bytes));
    partition.admit(now);
    return partition;
  }

  /** The partition stays where it is until the start of its log is kept on disk. */
  keepStart(partition: Partition, asker: number, operation: number, part: number): void {
    const token = this.#token();
    const { slot, log } = partition;
    this.#starts.set(token, { partition, asker, operation, part, lowWatermark: log.logStartOffset });
    partition.promised += 1;
    this.#parts.post({ kind: 'keepStart', from: this.#parts.name, token, slot });
  }

  /** Main has kept it, or could not. */
  startKept(token: number): MovedStart {
    const moved = this.#starts.get(token);
    assert(moved !== undefined, 'a start that is to be kept is kept once', { token });
    this.#starts.delete(token);
    moved.partition.promised -= 1;
    return moved;
  }

  removeLater(deletion: Deletion): void {
    this.#deletions.push(deletion);
  }

  /** Files whose delay is over. Leases on them stay good: the descriptors are open. */
  removeDue(partitions: Iterable<Partition | undefined>, now: number): void {
    const due: string[] = [];
    for (const partition of partitions) {
      if (partition !== undefined && partition.log.nextDeletionMs <= now) due.push(...partition.log.dueDeletions(now));
    }
    for (const { path, dueMs } of this.#deletions) if (dueMs <= now) due.push(path);
    if (due.length > 0) this.#deletions = this.#deletions.filter(({ dueMs }) => dueMs > now);
    for (const path of due) {
      try {
        removeRetired(this.#parts.disk, path);
      } catch (problem) {
        const values = { path, why: (problem as Error).message };
        this.#parts.post({ kind: 'log', level: 'warn', event: 'file.not.removed', values });
      }
    }
  }

  #token(): number {
    const token = this.#next;
    this.#next = token === 0x7fffffff ? 1 : token + 1;
    return token;
  }
}
