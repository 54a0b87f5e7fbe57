/**
 * What the processors ask a handler by ring: to append, to say where records lie, to list offsets, to delete records. Every
 * question gets one answer; those of appends come when the batch is written, those of deletions when they are kept.
 */
import { FLAG_ACKS_ALL, FLAG_FIRST_BATCH, FLAG_NO_ZSTD } from '../../api/floor.ts';
import type { Memory } from '../../base/memory.ts';
import type { ReadPlan } from '../../log/reading.ts';
import { clearFound, type FoundOffset } from '../../replica/offsets.ts';
import type { Partition } from '../../replica/partition.ts';
import type { PartitionDesk } from '../../replica/partition-desk.ts';
import { CODEC, codec, HEADER_BYTES } from '../../wire/batch.ts';
import { ERROR } from '../../wire/errors.ts';
import type { LetterWriter } from '../rings/letters.ts';
import {
  APPEND,
  COORDINATE,
  DELETE_RECORDS,
  END_OF_EPOCH,
  EPOCH_END_FOUND,
  LIST_OFFSET,
  LOCATE,
  LOCATED,
  OFFSET_LISTED,
  RANGE_IN_OLDER,
  RANGE_WARM,
  RECORDS_DELETED,
} from '../rings/messages.ts';
import type { Inbox, Outbox } from '../rings/ring.ts';
import type { OwnedPartitions } from './owned-partitions.ts';

/** A handler's rings from and to a processor or the blocker. */
export interface HandlerLink {
  readonly peer: string;
  /** Of the processor, or the blocker. */
  readonly index: number;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** The processor's intake; for the blocker nothing. */
  readonly memory: Memory;
  /** For what does not fit a message; the blocker gets none. */
  readonly letters: LetterWriter | null;
}

/** The handler, as its questions see it. */
export interface QuestionsDesk extends Pick<PartitionDesk, 'appended'> {
  /** Has the partition settle at the end of the round. */
  touch(partition: Partition): void;
  /** A request for the coordinator that lives with a partition. */
  coordinate(link: HandlerLink, at: number): void;
  /** Has the start of the partition's log kept on disk, and the deletion answered then. */
  keepStart(partition: Partition, asker: number, op: number, part: number): void;
}

const READ_COMMITTED = 1;

export class Questions {
  readonly #desk: QuestionsDesk;
  readonly #owned: OwnedPartitions;
  readonly #plan: ReadPlan = { errorCode: 0, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
  readonly #found: FoundOffset = { error: 0, leaderEpoch: -1, timestamp: -1, offset: -1 };
  /** Bytes that were given to partitions to append. */
  bytes = 0;

  constructor(owned: OwnedPartitions, desk: QuestionsDesk) {
    this.#owned = owned;
    this.#desk = desk;
  }

  /** False when the message is no question. */
  take(link: HandlerLink, at: number, now: number): boolean {
    const { words, floats } = link.inbox;
    const w = floats[(at >> 1) + 4] as number;
    const a = words[at + 1] as number;
    const b = words[at + 2] as number;
    const c = words[at + 3] as number;
    const d = words[at + 4] as number;
    const e = words[at + 5] as number;
    const f = words[at + 6] as number;
    switch (words[at]) {
      case APPEND:
        this.#append(link, a, b, c, d, e, f, words[at + 7] as number, now);
        return true;
      case LOCATE:
        this.#locate(link, a, b, c, d, e, f, w, now);
        return true;
      case LIST_OFFSET:
        this.#listOffset(link, a, b, c, d, f, w, now);
        return true;
      case DELETE_RECORDS:
        this.#deleteRecords(link, a, b, c, w, now);
        return true;
      case COORDINATE:
        this.#desk.coordinate(link, at);
        return true;
      case END_OF_EPOCH:
        this.#endOfEpoch(link, a, b, c, d, f, now);
        return true;
      default:
        return false;
    }
  }

  #append(
    link: HandlerLink,
    op: number,
    part: number,
    slot: number,
    offset: number,
    length: number,
    epoch: number,
    flags: number,
    now: number,
  ): void {
    const asker = link.index;
    const partition = this.#owned.at(slot);
    if (partition === undefined) {
      this.#desk.appended(asker, op, part, this.#owned.absent(slot), -1, -1, -1);
      return;
    }
    if ((flags & FLAG_ACKS_ALL) !== 0 && partition.inSyncReplicas < partition.minInsyncReplicas) {
      this.#desk.appended(asker, op, part, ERROR.NOT_ENOUGH_REPLICAS, -1, -1, -1);
      return;
    }
    if ((flags & FLAG_NO_ZSTD) !== 0 && length >= HEADER_BYTES && codec(link.memory.view, offset) === CODEC.ZSTD) {
      this.#desk.appended(asker, op, part, ERROR.UNSUPPORTED_COMPRESSION_TYPE, -1, -1, -1);
      return;
    }
    this.bytes += length;
    this.#desk.touch(partition);
    partition.append(link.memory, offset, length, epoch, now, asker, op, part);
  }

  #locate(
    link: HandlerLink,
    op: number,
    part: number,
    slot: number,
    bytesMax: number,
    flags: number,
    epoch: number,
    offset: number,
    now: number,
  ): void {
    const plan = this.#plan;
    const partition = this.#owned.at(slot);
    if (partition === undefined) {
      link.outbox.send(LOCATED, op, part, this.#owned.absent(slot), -1, 0, 0, 0, 0, -1, -1, -1);
      return;
    }
    if (offset > partition.highWatermark) partition.catchUp(now);
    partition.locate(offset, bytesMax, (flags & FLAG_FIRST_BATCH) !== 0, epoch, plan);
    const { highWatermark, lastStableOffset } = partition;
    link.outbox.send(
      LOCATED,
      op,
      part,
      plan.errorCode,
      plan.slot,
      plan.length,
      plan.firstBatchBytes,
      partition.isInOlder(offset) ? RANGE_IN_OLDER : partition.isWarm(offset, plan) ? RANGE_WARM : 0,
      plan.position,
      highWatermark,
      partition.log.logStartOffset,
      lastStableOffset,
    );
  }

  #listOffset(
    link: HandlerLink,
    op: number,
    part: number,
    slot: number,
    isolation: number,
    epoch: number,
    timestamp: number,
    now: number,
  ): void {
    const found = this.#nothing(slot);
    const partition = this.#owned.at(slot);
    partition?.catchUp(now);
    if (partition !== undefined) partition.listOffset(timestamp, isolation === READ_COMMITTED, epoch, found);
    const { error, leaderEpoch } = found;
    link.outbox.send(OFFSET_LISTED, op, part, error, leaderEpoch, 0, 0, 0, found.timestamp, found.offset);
  }

  #endOfEpoch(
    link: HandlerLink,
    op: number,
    part: number,
    slot: number,
    wanted: number,
    epoch: number,
    now: number,
  ): void {
    const found = this.#nothing(slot);
    const partition = this.#owned.at(slot);
    partition?.catchUp(now);
    partition?.endOfEpoch(wanted, epoch, found);
    link.outbox.send(EPOCH_END_FOUND, op, part, found.error, found.leaderEpoch, 0, 0, 0, found.offset);
  }

  #deleteRecords(link: HandlerLink, op: number, part: number, slot: number, offset: number, now: number): void {
    const partition = this.#owned.at(slot);
    partition?.catchUp(now);
    const error = partition?.deleteRecords(offset) ?? this.#owned.absent(slot);
    if (partition !== undefined && error === ERROR.NONE) this.#desk.keepStart(partition, link.index, op, part);
    else link.outbox.send(RECORDS_DELETED, op, part, error, 0, 0, 0, 0, -1);
  }

  /** What is said of a partition that is not here. */
  #nothing(slot: number): FoundOffset {
    clearFound(this.#found, this.#owned.absent(slot));
    return this.#found;
  }
}
