/** Finding offsets by time: the first record at or after a timestamp, and the record with the largest one. */
import { memoryOver } from '../base/memory.ts';
import { CODEC } from '../wire/batch.ts';
import { type BatchScan, SCAN_BATCH, SCAN_END } from './batch-scan.ts';
import { DiskError } from './disk.ts';
import type { LogEnvironment } from './environment.ts';
import { RecordWalk } from './record-walk.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';

export interface TimestampOffset {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** The first record from `startOffset` on, below `endOffset`, with a timestamp >= the one asked for. */
export function offsetForTimestamp(
  environment: LogEnvironment,
  segments: Segments,
  timestamp: number,
  startOffset: number,
  endOffset: number,
): TimestampOffset | null {
  for (const segment of segments.list) {
    if (segment.maxTimestamp < timestamp) continue;
    if (segment.baseOffset >= endOffset) return null;
    const from = Math.max(segment.timeIndex.lookup(timestamp), startOffset);
    const scan = segment.scan(segment.offsetIndex.lookup(from), segment.sizeBytes);
    let step = scan.next();
    for (; step === SCAN_BATCH; step = scan.next()) {
      if (scan.baseOffset >= endOffset) return null;
      if (scan.lastOffset < startOffset || scan.maxTimestamp < timestamp || scan.control) continue;
      const found = firstRecord(environment, scan, segment, timestamp, startOffset);
      if (found !== null) return found.offset < endOffset ? found : null;
    }
    if (step !== SCAN_END) throw new DiskError('EBADMSG', 'read', segment.log.path);
  }
  return null;
}

/** The first record that has the largest timestamp of the whole log; null when no record has one. */
export function maxTimestamp(
  environment: LogEnvironment,
  segments: Segments,
  startOffset: number,
): TimestampOffset | null {
  let newest: Segment | null = null;
  for (const segment of segments.list) {
    if (segment.maxTimestamp >= 0 && (newest === null || segment.maxTimestamp > newest.maxTimestamp)) newest = segment;
  }
  if (newest === null) return null;
  const scan = newest.find(newest.maxTimestampOffset, newest.sizeBytes);
  return scan === null ? null : firstRecord(environment, scan, newest, newest.maxTimestamp, startOffset);
}

function firstRecord(
  environment: LogEnvironment,
  scan: BatchScan,
  segment: Segment,
  timestamp: number,
  startOffset: number,
): TimestampOffset | null {
  const { baseOffset, baseTimestamp, leaderEpoch } = scan;
  if (scan.logAppendTime) {
    return { offset: Math.max(baseOffset, startOffset), timestamp: scan.maxTimestamp, leaderEpoch };
  }
  const stored = scan.records();
  if (stored === null) throw new DiskError('EIO', 'read', segment.log.path);
  const plain =
    scan.codec === CODEC.NONE ? stored : environment.decompress(scan.codec, memoryOver(stored), 0, stored.length);
  const walk = new RecordWalk(plain);
  while (walk.next()) {
    const offset = baseOffset + walk.offsetDelta;
    if (offset < startOffset || baseTimestamp + walk.timestampDelta < timestamp) continue;
    return { offset, timestamp: baseTimestamp + walk.timestampDelta, leaderEpoch };
  }
  return null;
}
