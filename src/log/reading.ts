/**
 * Where a fetch reads: the range of one segment's file that begins with the batch that holds an offset and ends at or
 * before a given position of the log. Batches go out whole from the first one on; the range may cut the last one.
 */
import { ERROR } from '../wire/errors.ts';
import type { LogEnvironment } from './environment.ts';
import type { Segments } from './segments.ts';

/** A place between two batches. Never changed once made, so it may be kept. */
export interface LogPosition {
  readonly offset: number;
  readonly segmentBaseOffset: number;
  /** Byte in the segment's file. */
  readonly position: number;
  /** Bytes of the log before it, ever appended: differences of two positions are what a fetch could read. */
  readonly cumulativeBytes: number;
}

export interface ReadPlan {
  errorCode: number;
  /** The file, under a lease that is the receiver's; -1 when there is nothing to read. */
  slot: number;
  position: number;
  length: number;
  firstBatchBytes: number;
}

/** The caller has made sure that `offset` lies in the log and before `end`. */
export function locate(
  environment: LogEnvironment,
  segments: Segments,
  offset: number,
  maxBytes: number,
  minOneBatch: boolean,
  end: LogPosition,
  plan: ReadPlan,
): void {
  plan.errorCode = ERROR.NONE;
  plan.slot = -1;
  plan.position = 0;
  plan.length = 0;
  plan.firstBatchBytes = 0;
  // A segment may end below the offset when what was there has been compacted away: the next one goes on.
  for (let index = Math.max(0, segments.floor(offset)); index < segments.count; index++) {
    const segment = segments.at(index);
    if (segment.baseOffset > end.segmentBaseOffset) return;
    const limit = segment.baseOffset === end.segmentBaseOffset ? end.position : segment.sizeBytes;
    const first = segment.place(offset, limit);
    if (first === null) continue;
    const length = Math.min(limit - first.position, Math.max(maxBytes, minOneBatch ? first.sizeBytes : 0));
    plan.firstBatchBytes = first.sizeBytes;
    if (length <= 0) return;
    plan.position = first.position;
    plan.length = length;
    plan.slot = environment.files.lease(segment.log);
    return;
  }
}

/** The place of the batch that holds `offset`, or of the next one after it; `end` when there is none. */
export function positionOf(segments: Segments, offset: number, end: LogPosition): LogPosition {
  if (offset >= end.offset) return end;
  for (let index = Math.max(0, segments.floor(offset)); index < segments.count; index++) {
    const segment = segments.at(index);
    const first = segment.find(offset, segment.sizeBytes);
    if (first === null) continue;
    const { position } = first;
    return {
      offset,
      segmentBaseOffset: segment.baseOffset,
      position,
      cumulativeBytes: segment.cumulativeStart + position,
    };
  }
  return end;
}
