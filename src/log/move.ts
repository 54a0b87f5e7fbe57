/**
 * A move of a partition between two directories: the steps that the background pool takes, and what one that was cut short
 * leaves behind: how its copy is marked, and which of two directories of one partition goes on.
 */
import type { Disk } from './disk.ts';
import { filePath, LOG, offsetOf } from './names.ts';

/**
 * Lies in a copy from the moment it is whole until the other directory is out of the way. It is one of those files that
 * an opened log removes.
 */
export const MOVE_MARK = 'moved-here.tmp';

/** A file as it was when it was copied. */
export interface CopiedFile {
  readonly name: string;
  readonly inode: bigint;
  readonly size: number;
  /** Nanoseconds; negative when it was too young to tell a later change by it. */
  readonly changed: bigint;
}

export type MovePartition =
  | { readonly step: 'copy'; readonly source: string; readonly copy: string; readonly copied: readonly CopiedFile[] }
  | {
      readonly step: 'finish';
      readonly source: string;
      readonly copy: string;
      readonly copied: readonly CopiedFile[];
      /** The partition's name in the other directory, and the name by which the source goes out of the way. */
      readonly target: string;
      readonly retired: string;
    }
  | { readonly step: 'remove'; readonly copy: string };

export interface MoveResult {
  readonly copied: readonly CopiedFile[];
  /** Copied by this step. */
  readonly bytes: number;
  /** Why the source could not be put out of the way, although the copy has taken its place. The mark is still there. */
  readonly sourceProblem: string | null;
}

export interface Twins {
  /** The place in the list of the one that has all records that the others have. */
  readonly kept: number;
  /** A move made the others: they may go. */
  readonly moved: boolean;
}

/**
 * Several directories of one partition. A move was cut short between its two renames, when nothing could be written: they
 * end at the same offset, unless one of their disks has failed since and the other went on, or has lost its last writes.
 */
export function chooseTwin(disk: Disk, paths: readonly string[]): Twins {
  const marked = paths.map((path) => disk.exists(`${path}/${MOVE_MARK}`));
  const ends = paths.map((path) => endOf(disk, path));
  let kept = 0;
  for (let index = 1; index < paths.length; index++) {
    const [base, bytes] = ends[index] as End;
    const [keptBase, keptBytes] = ends[kept] as End;
    const further = base - keptBase || bytes - keptBytes;
    if (further > 0 || (further === 0 && marked[index])) kept = index;
  }
  return { kept, moved: marked.includes(true) };
}

/** The last segment's first offset, and its bytes. */
type End = readonly [number, number];

function endOf(disk: Disk, path: string): End {
  const last = disk.list(path).reduce((most, name) => Math.max(most, offsetOf(name, LOG)), -1);
  if (last < 0) return [-1, 0];
  const file = disk.open(filePath(path, last, LOG), 'read');
  try {
    return [last, disk.size(file)];
  } finally {
    disk.close(file);
  }
}
