/**
 * What a handler has done elsewhere and hears of later: syncs by the blocker, checks by the background pool, and files whose
 * removal waits for its delay. Each errand has a number and ends once.
 */
import { assert } from '../base/assert.ts';
import { type Deletion, removeRetired } from '../log/deletions.ts';
import type { Disk } from '../log/disk.ts';
import type { FileCache } from '../log/files.ts';
import type { SyncPlan } from '../log/partition-log.ts';
import type { Applicant, Partition } from '../replica/partition.ts';
import type { FromThread } from './control.ts';
import { SYNC } from './messages.ts';
import type { Outbox } from './ring.ts';

export interface ErrandsParts {
  /** The handler's name. */
  readonly name: string;
  readonly disk: Disk;
  readonly cache: FileCache;
  post(message: FromThread): void;
}

/** One sync under way: files that are not done yet. */
interface Sync {
  readonly partition: Partition;
  readonly plan: SyncPlan;
  left: number;
  errno: number;
}

const ERRNO_NONE = 0;

export class Errands {
  readonly #parts: ErrandsParts;
  readonly #syncs = new Map<number, Sync>();
  readonly #checks = new Map<number, { partition: Partition; applicant: Applicant }>();
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

  check(partition: Partition, applicant: Applicant, needKeys: boolean): void {
    const token = this.#token();
    this.#checks.set(token, { partition, applicant });
    const { offset, length, asker } = applicant;
    const { name } = this.#parts;
    this.#parts.post({ kind: 'check', from: name, token, processor: `p${asker}`, offset, length, needKeys });
  }

  /** The pool has come to a verdict. Gives the partition, which has more to do now. */
  checked(token: number, verdict: number, now: number): Partition {
    const check = this.#checks.get(token);
    assert(check !== undefined, 'a check that was asked for ends once', { token });
    this.#checks.delete(token);
    check.partition.checked(check.applicant, verdict, now);
    return check.partition;
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
