/** What a crash may leave at the end of a log, done to the files of a broker that does not run: a shorter file, garbage behind it. */
import { appendFileSync, statSync, truncateSync } from 'node:fs';
import type { Random } from '../../src/base/random.ts';
import { baseOffsetOf, fileBatches, logFiles } from '../kit/log-files.ts';
import { batchOf } from '../kit/records.ts';

const GARBAGE_BYTES_MAX = 5_000;

function lastFile(partition: string): string {
  return logFiles(partition, '.log').at(-1) as string;
}

/** Nothing that was written is touched, so nothing may be lost by it. */
export function appendGarbage(partition: string, nextOffset: number, random: Random): void {
  appendFileSync(lastFile(partition), garbage(nextOffset, random));
}

function garbage(nextOffset: number, random: Random): Uint8Array {
  const batch = batchOf(['never acknowledged', 'nor this'], { baseOffset: nextOffset });
  switch (random.below(4)) {
    case 0:
      return new Uint8Array(1 + random.below(GARBAGE_BYTES_MAX));
    case 1:
      return Uint8Array.from({ length: 1 + random.below(GARBAGE_BYTES_MAX) }, () => random.below(256));
    case 2:
      return batch.subarray(0, 1 + random.below(batch.length - 1));
    default:
      // As long as it says, with one byte that is another.
      batch[batch.length - 1 - random.below(8)] = 255;
      return batch;
  }
}

/** Cuts the last file anywhere. Gives the offset behind its last whole batch. */
export function cutTail(partition: string, random: Random): number {
  const path = lastFile(partition);
  truncateSync(path, random.below(statSync(path).size + 1));
  return (fileBatches(path, true).at(-1)?.lastOffset ?? baseOffsetOf(path) - 1) + 1;
}
