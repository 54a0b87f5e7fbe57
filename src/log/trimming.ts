/** Making a log shorter: at its start by age, size or request, at its end when a leader has other records. */
import { assert } from '../base/assert.ts';
import { hasPolicy } from './config.ts';
import { checkSegment, newSegment, retireSegment } from './recovery.ts';
import type { Segment } from './segment.ts';
import type { LogState } from './state.ts';

/**
 * How many segments at the start have passed the topic's limits. Never one that reaches beyond the high watermark, and the
 * active one only together with all others.
 */
export function expiredSegments(state: LogState, now: number, highWatermark: number): number {
  const { segments, config, logStartOffset, nextOffset } = state;
  const byPolicy = hasPolicy(config, 'delete');
  let excess = config.retentionBytes >= 0 ? segments.sizeBytes - config.retentionBytes : -1;
  let count = 0;
  for (; count < segments.count; count++) {
    const segment = segments.at(count);
    const last = count === segments.count - 1;
    const endOffset = last ? nextOffset : segments.at(count + 1).baseOffset;
    if (endOffset > highWatermark || (last && segment.sizeBytes === 0)) break;
    const deletedByRequest = !last && endOffset <= logStartOffset;
    const tooOld = byPolicy && config.retentionMs >= 0 && now - ageFrom(segment) > config.retentionMs;
    const tooMuch = byPolicy && excess >= segment.sizeBytes;
    if (!deletedByRequest && !tooOld && !tooMuch) break;
    excess -= segment.sizeBytes;
  }
  return count;
}

/** Records without a timestamp are as old as their file is known to be. */
function ageFrom(segment: Segment): number {
  return segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.createdMs;
}

/** Retires the first `count` segments; at least one must remain. The log starts where the rest begins. */
export function retireFirst(state: LogState, count: number, now: number): void {
  if (count === 0) return;
  const { environment, segments, directory, deletions, durability, snapshots, config } = state;
  assert(count < segments.count, 'a log keeps a segment', { count, segments: segments.count });
  const dueMs = now + config.fileDeleteDelayMs;
  raiseStart(state, segments.at(count).baseOffset);
  for (const segment of segments.takeFirst(count)) {
    durability.segmentGone(segment);
    retireSegment(environment, directory, segment, deletions, dueMs);
  }
  snapshots.retireBefore(segments.first.baseOffset, deletions, dueMs);
  durability.directoryChanged(directory);
}

export function raiseStart(state: LogState, offset: number): void {
  if (offset <= state.logStartOffset) return;
  state.logStartOffset = offset;
  state.epochs.truncateFromStart(offset);
}

/**
 * Cuts off everything from `offset` on, and the whole batch that holds it: a log ends between batches. What is cut from a
 * file is gone for readers, too. Nothing may be staged.
 */
export function truncateLog(state: LogState, offset: number, now: number): void {
  if (offset >= state.nextOffset) return;
  const { environment, segments, directory, config, deletions, durability, epochs, producers, snapshots } = state;
  const keep = segments.floor(offset);
  const dueMs = now + config.fileDeleteDelayMs;
  for (const segment of segments.takeFrom(keep + 1)) {
    durability.segmentGone(segment);
    retireSegment(environment, directory, segment, deletions, dueMs);
  }
  if (keep < 0) startAgain(state, offset, now);
  else {
    const { active } = segments;
    const first = active.find(offset, active.sizeBytes);
    const { disk, files } = environment;
    if (first !== null) disk.truncate(files.descriptor(active.log), first.position);
    state.nextOffset = checkSegment(environment, active, active.baseOffset, config, epochs).endOffset;
    // Or what was cut could come back behind what is appended next.
    disk.sync(files.descriptor(active.log));
    active.activate(config);
    durability.segmentGone(active);
  }
  epochs.truncateFromEnd(state.nextOffset);
  durability.cutBack(state.nextOffset);
  snapshots.restore(producers, segments, state.nextOffset, true);
  // What was renamed or removed must not come back beside what is appended in its place.
  environment.disk.syncDirectory(directory);
}

/** Every segment is gone: the log begins and ends at `offset`. */
function startAgain(state: LogState, offset: number, now: number): void {
  const { environment, directory, config, segments, epochs, snapshots } = state;
  epochs.clear();
  snapshots.removeAll();
  const segment = newSegment(environment, directory, offset, config, now, true);
  segments.add(segment);
  segment.create(config);
  state.logStartOffset = offset;
  state.nextOffset = offset;
}
