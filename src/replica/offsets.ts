/**
 * What a leader says of the offsets of its log: the ends of the log, the offset of a moment, the end of an epoch. The leader's
 * own epoch counts as begun at the end of the log before anything is written in it.
 */
import { NO_EPOCH } from '../log/leader-epochs.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { LIST_OFFSETS_TIMESTAMP } from '../wire/messages/list-offsets.ts';

/** Reusable; -1 where there is nothing to say. */
export interface FoundOffset {
  error: number;
  leaderEpoch: number;
  timestamp: number;
  offset: number;
}

/** Nothing is found yet, or nothing will be for this reason. */
export function clearFound(out: FoundOffset, error: number): void {
  out.error = error;
  out.leaderEpoch = -1;
  out.timestamp = -1;
  out.offset = -1;
}

function say(out: FoundOffset, offset: number, timestamp: number, leaderEpoch: number): void {
  out.offset = offset;
  out.timestamp = timestamp;
  out.leaderEpoch = leaderEpoch;
}

/** For ListOffsets: nothing at or behind `end` is told. There is no tiered storage, so its places are nowhere. */
export function findOffset(
  log: PartitionLog,
  timestamp: number,
  end: number,
  currentEpoch: number,
  out: FoundOffset,
): void {
  const { LATEST, EARLIEST, EARLIEST_LOCAL, MAX_TIMESTAMP } = LIST_OFFSETS_TIMESTAMP;
  if (timestamp === LATEST) say(out, end, -1, currentEpoch);
  else if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL) {
    const start = log.logStartOffset;
    say(out, start, -1, start >= log.endPosition.offset ? currentEpoch : log.epochs.epochOf(start));
  } else if (timestamp === MAX_TIMESTAMP || timestamp >= 0) {
    const found = timestamp === MAX_TIMESTAMP ? log.maxTimestamp() : log.offsetForTimestamp(timestamp, end);
    if (found !== null && found.offset < end) say(out, found.offset, found.timestamp, found.leaderEpoch);
  }
}

/** For OffsetForLeaderEpoch: the end of the epoch, or of the last one before it; nothing for one that is yet to come. */
export function findEpochEnd(log: PartitionLog, epoch: number, currentEpoch: number, out: FoundOffset): void {
  if (epoch < 0 || epoch > currentEpoch) return;
  const end = log.endPosition.offset;
  const found = epoch === currentEpoch ? null : log.epochs.endOffsetFor(epoch, end);
  if (found !== null) say(out, found.endOffset, -1, found.epoch);
  else if (epoch === currentEpoch || log.epochs.latest === NO_EPOCH) say(out, end, -1, epoch);
  else say(out, end, -1, log.epochs.latest);
}
