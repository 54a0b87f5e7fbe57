/**
 * What an interrupted deletion, cleaning or swap left in a partition's directory, settled before anything is loaded:
 * `.deleted` goes, `.cleaned` goes, `.swap` takes the place of the segments it was made from.
 */
import { BatchScan, SCAN_BATCH } from './batch-scan.ts';
import type { LogEnvironment } from './environment.ts';
import { CachedFile } from './files.ts';
import { CLEANED, DELETED, LOG, leadingOffset, PRODUCER_SNAPSHOT, SWAP } from './names.ts';

const TEMPORARY = '.tmp';

/** Takes the names in the directory, returns those that are left. */
export function settleLeftovers(environment: LogEnvironment, directory: string, names: string[]): string[] {
  const { disk } = environment;
  const cleaned = names.filter((name) => name.endsWith(CLEANED) && leadingOffset(name) >= 0);
  const firstCleaned = cleaned.reduce((least, name) => Math.min(least, leadingOffset(name)), Number.POSITIVE_INFINITY);
  const swaps: string[] = [];
  let changed = false;
  for (const name of names) {
    const isSwap = name.endsWith(SWAP) && leadingOffset(name) >= 0;
    // A swap file at or behind an unfinished cleaning belongs to a step that did not end.
    if (isSwap && leadingOffset(name) < firstCleaned) swaps.push(name);
    else if (isSwap || name.endsWith(DELETED) || name.endsWith(CLEANED) || name.endsWith(TEMPORARY)) {
      disk.remove(`${directory}/${name}`);
      changed = true;
    }
  }
  if (swaps.length > 0) swapIn(environment, directory, swaps);
  return changed || swaps.length > 0 ? disk.list(directory) : names;
}

function swapIn(environment: LogEnvironment, directory: string, swaps: readonly string[]): void {
  const { disk } = environment;
  let first = Number.POSITIVE_INFINITY;
  let end = -1;
  for (const name of swaps) {
    if (!name.endsWith(LOG + SWAP)) continue;
    first = Math.min(first, leadingOffset(name));
    end = Math.max(end, nextOffset(environment, `${directory}/${name}`, leadingOffset(name)));
  }
  for (const name of disk.list(directory)) {
    const offset = leadingOffset(name);
    if (offset < first || offset >= end || name.endsWith(SWAP) || name.endsWith(PRODUCER_SNAPSHOT)) continue;
    disk.remove(`${directory}/${name}`);
  }
  for (const name of swaps) disk.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SWAP.length)}`);
}

function nextOffset(environment: LogEnvironment, path: string, baseOffset: number): number {
  const { disk, files } = environment;
  const file = new CachedFile(path, 'read');
  const scan = new BatchScan(environment, file, 0, disk.size(files.descriptor(file)));
  let next = baseOffset;
  while (scan.next() === SCAN_BATCH) next = scan.lastOffset + 1;
  files.forget(file);
  return next;
}
