/**
 * How far the log of a partition is written, and how far everybody may read it: `visible` is the high watermark, at or before
 * `written`. With group commit what is durable becomes visible; without it, what is written. It never goes back.
 */
import { assert } from '../base/assert.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { LogPosition, ReadPlan } from '../log/reading.ts';

/** What was written last is in the page cache unless the machine is short of memory; then a send waits for the disk once. */
const WARM_BYTES = 268_435_456;

export class Ends {
  visible: LogPosition;
  written: LogPosition;
  #durable: LogPosition;
  readonly #groupCommit: boolean;
  /** Where this process began to write. */
  readonly #openedAtOffset: number;

  constructor(log: PartitionLog, groupCommit: boolean) {
    this.#groupCommit = groupCommit;
    this.written = log.endPosition;
    // What a killed process left in the page cache is there, and may yet be lost.
    this.#durable = groupCommit ? log.positionOf(Math.max(log.logStartOffset, log.recoveryPoint)) : this.written;
    this.visible = this.#durable;
    this.#openedAtOffset = log.logEndOffset;
  }

  /** A sync of finished segments alone may end before what an earlier one has covered. */
  synced(end: LogPosition): void {
    if (end.offset > this.#durable.offset) this.#durable = end;
  }

  /** Shows what may be seen by now. True when that is more than before. */
  show(): boolean {
    const before = this.visible.offset;
    this.visible = this.#groupCommit ? this.#durable : this.written;
    const after = this.visible.offset;
    assert(after >= before, 'the high watermark never goes back', { before, after });
    return after !== before;
  }

  /** Whether the offset lies in a segment to which nothing comes any more, while later ones have what everybody may read. */
  isInOlder(offset: number): boolean {
    return offset < this.visible.segmentBaseOffset;
  }

  /** Whether what was located was written lately by this process, so that the page cache has it. */
  isWarm(offset: number, plan: ReadPlan): boolean {
    const { segmentBaseOffset, position } = this.written;
    if (offset < Math.max(segmentBaseOffset, this.#openedAtOffset)) return false;
    return position - plan.position <= WARM_BYTES;
  }
}
