/** Files and directories that were renamed out of the way and may be removed after a while: readers have that long, or longer by lease. */
import type { Disk } from './disk.ts';
import { DELETED } from './names.ts';

export interface Deletion {
  readonly path: string;
  readonly dueMs: number;
}

export class Deletions {
  readonly #waiting: Deletion[];

  constructor(waiting: readonly Deletion[] = []) {
    this.#waiting = waiting.slice();
  }

  get waiting(): readonly Deletion[] {
    return this.#waiting;
  }

  /** When the next one is due; Infinity when none waits. */
  get nextDueMs(): number {
    return this.#waiting.reduce((next, { dueMs }) => Math.min(next, dueMs), Number.POSITIVE_INFINITY);
  }

  /** Renames a file, if it is there, and puts it on the list. */
  retire(disk: Disk, path: string, dueMs: number): void {
    if (!disk.exists(path)) return;
    const target = path + DELETED;
    disk.rename(path, target);
    this.add(target, dueMs);
  }

  add(path: string, dueMs: number): void {
    this.#waiting.push({ path, dueMs });
  }

  /** Takes what is due off the list; the caller removes it, where blocking for a large file does no harm. */
  due(now: number): string[] {
    const due: string[] = [];
    for (let i = 0; i < this.#waiting.length; ) {
      const deletion = this.#waiting[i] as Deletion;
      if (deletion.dueMs <= now) {
        due.push(deletion.path);
        this.#waiting.splice(i, 1);
      } else i += 1;
    }
    return due;
  }
}

/** Removes a retired file, or a retired partition's directory with its files. What is gone already is no error. */
export function removeRetired(disk: Disk, path: string): void {
  if (!disk.exists(path)) return;
  if (!disk.isDirectory(path)) {
    disk.remove(path);
    return;
  }
  for (const name of disk.list(path)) disk.remove(`${path}/${name}`);
  disk.removeDirectory(path);
}
