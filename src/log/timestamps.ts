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

/** The first record from `startOffset` on that has the largest timestamp of these; null when no record has one. */
export function maxTimestamp(
  environment: LogEnvironment,
  segments: Segments,
  startOffset: number,
): TimestampOffset | null {
  let newest: TimestampOffset | null = null;
  for (let index = 0; index < segments.count; index++) {
    const segment = segments.at(index);
    const isBelow = index < segments.count - 1 && segments.at(index + 1).baseOffset <= startOffset;
    if (isBelow || segment.maxTimestamp <= (newest?.timestamp ?? -1)) continue;
    const found = newestOf(environment, segment, startOffset);
    if (found !== null && found.timestamp > (newest?.timestamp ?? -1)) newest = found;
  }
  return newest;
}

function newestOf(environment: LogEnvironment, segment: Segment, startOffset: number): TimestampOffset | null {
  const known = recordAt(environment, segment, segment.maxTimestampOffset, segment.maxTimestamp, startOffset);
  if (known !== null) return known;
  // The record that the segment remembers lies below the start: what is left of it is gone through, header by header.
  let newest: TimestampOffset | null = null;
  let lastOffset = -1;
  let timestamp = -1;
  const scan = segment.scan(segment.offsetIndex.lookup(startOffset), segment.sizeBytes);
  let step = scan.next();
  for (; step === SCAN_BATCH; step = scan.next()) {
    if (scan.lastOffset < startOffset) continue;
    if (scan.baseOffset < startOffset) newest = newestRecord(environment, scan, segment, startOffset);
    else if (scan.maxTimestamp > timestamp) {
      timestamp = scan.maxTimestamp;
      lastOffset = scan.lastOffset;
    }
  }
  if (step !== SCAN_END) throw new DiskError('EBADMSG', 'read', segment.log.path);
  if (timestamp <= (newest?.timestamp ?? -1)) return newest;
  return recordAt(environment, segment, lastOffset, timestamp, startOffset);
}

/** The first record of the batch that ends at or behind `offset`, from the timestamp on. */
function recordAt(
  environment: LogEnvironment,
  segment: Segment,
  offset: number,
  timestamp: number,
  startOffset: number,
): TimestampOffset | null {
  const scan = offset < startOffset ? null : segment.find(offset, segment.sizeBytes);
  return scan === null ? null : firstRecord(environment, scan, segment, timestamp, startOffset);
}

/** Of one batch: the first of its largest timestamps. */
function newestRecord(
  environment: LogEnvironment,
  scan: BatchScan,
  segment: Segment,
  startOffset: number,
): TimestampOffset | null {
  const { baseOffset, baseTimestamp, leaderEpoch } = scan;
  if (scan.logAppendTime) return firstRecord(environment, scan, segment, 0, startOffset);
  let newest: TimestampOffset | null = null;
  const walk = recordsOf(environment, scan, segment);
  while (walk.next()) {
    const offset = baseOffset + walk.offsetDelta;
    const timestamp = baseTimestamp + walk.timestampDelta;
    if (offset >= startOffset && timestamp > (newest?.timestamp ?? -1)) newest = { offset, timestamp, leaderEpoch };
  }
  return newest;
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
  const walk = recordsOf(environment, scan, segment);
  while (walk.next()) {
    const offset = baseOffset + walk.offsetDelta;
    if (offset < startOffset || baseTimestamp + walk.timestampDelta < timestamp) continue;
    return { offset, timestamp: baseTimestamp + walk.timestampDelta, leaderEpoch };
  }
  return null;
}

function recordsOf(environment: LogEnvironment, scan: BatchScan, segment: Segment): RecordWalk {
  const stored = scan.records();
  if (stored === null) throw new DiskError('EIO', 'read', segment.log.path);
  const plain =
    scan.codec === CODEC.NONE ? stored : environment.decompress(scan.codec, memoryOver(stored), 0, stored.length);
  return new RecordWalk(plain);
}
