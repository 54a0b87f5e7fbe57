/** What may be wrong with a single record, and which one of a batch it is: the answer to the producer names it. */
import { RecordWalk } from './record-walk.ts';

export const RECORD_FAULT = {
  NONE: 0,
  NO_KEY: 1,
  TIMESTAMP_OUT_OF_RANGE: 2,
  /** The producer says that the broker's clock stamped it. */
  TIMESTAMP_TYPE: 3,
} as const;

const NO_TIMESTAMP = -1;

/** A record with a timestamp; Kafka lets one without any pass. */
export function outside(timestamp: number, oldest: number, newest: number): boolean {
  return timestamp !== NO_TIMESTAMP && !(timestamp >= oldest && timestamp <= newest);
}

/** The first record of an uncompressed section that has no key; -1 when all have. */
export function firstKeyless(records: Uint8Array): number {
  const walk = new RecordWalk(records);
  for (let index = 0; walk.next(); index++) if (walk.keyLength < 0) return index;
  return -1;
}

/** The first record whose timestamp lies outside; -1 when none does. */
export function firstOutside(records: Uint8Array, baseTimestamp: number, oldest: number, newest: number): number {
  const walk = new RecordWalk(records);
  for (let index = 0; walk.next(); index++) {
    if (outside(baseTimestamp + walk.timestampDelta, oldest, newest)) return index;
  }
  return -1;
}
