/**
 * What a log remembers of its idempotent and transactional producers: epoch, the last five batches, an open transaction.
 * A batch that was seen is recognized, a gap is refused, an old epoch is fenced. Holds for all offsets below `endOffset`.
 */
import { ERROR } from '../wire/errors.ts';

/** A retry may be this many batches late and still be told where its records lie. */
export const BATCHES_KEPT = 5;
/** Not a code of the protocol: the batch is there already, see `duplicate`. */
export const DUPLICATE = -1000;

const NO_EPOCH = -1;
const SEQUENCES = 0x8000_0000;

export interface ProducerBatch {
  lastSequence: number;
  lastOffset: number;
  offsetDelta: number;
  timestamp: number;
}

export interface Producer {
  readonly id: number;
  epoch: number;
  coordinatorEpoch: number;
  lastTimestamp: number;
  /** First offset of the open transaction, -1 when there is none. */
  transactionStart: number;
  /** Oldest first. */
  readonly batches: ProducerBatch[];
}

/** Sequence numbers run from 0 to 2^31 - 1 and begin again. */
export function sequenceAfter(sequence: number, steps: number): number {
  return (sequence + steps) % SEQUENCES;
}

function sequenceBefore(sequence: number, steps: number): number {
  return (sequence - steps + SEQUENCES) % SEQUENCES;
}

export class Producers {
  readonly #byId = new Map<number, Producer>();
  endOffset = 0;
  /** The batch that `check` recognized. */
  readonly duplicate = { baseOffset: -1, lastOffset: -1, timestamp: -1 };

  get count(): number {
    return this.#byId.size;
  }

  values(): IterableIterator<Producer> {
    return this.#byId.values();
  }

  /** An error code, DUPLICATE, or NONE: the batch may be appended. Changes nothing. */
  check(id: number, epoch: number, firstSequence: number, lastSequence: number, transactional: boolean): number {
    if (epoch < 0) return ERROR.INVALID_PRODUCER_EPOCH;
    const producer = this.#byId.get(id);
    // All of its records may be gone by now, so any sequence may be the next one.
    if (producer === undefined || producer.epoch === NO_EPOCH) return ERROR.NONE;
    if (epoch < producer.epoch) return ERROR.INVALID_PRODUCER_EPOCH;
    if (producer.transactionStart >= 0 && !transactional) return ERROR.INVALID_TXN_STATE;
    if (epoch > producer.epoch) return firstSequence === 0 ? ERROR.NONE : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER;
    const { batches } = producer;
    for (const seen of batches) {
      if (seen.lastSequence !== lastSequence) continue;
      if (sequenceBefore(seen.lastSequence, seen.offsetDelta) !== firstSequence) continue;
      this.duplicate.baseOffset = seen.lastOffset - seen.offsetDelta;
      this.duplicate.lastOffset = seen.lastOffset;
      this.duplicate.timestamp = seen.timestamp;
      return DUPLICATE;
    }
    const newest = batches[batches.length - 1];
    // After the end of a transaction by a new epoch no batch of that epoch is known yet: it begins at 0.
    if (newest === undefined) return firstSequence === 0 ? ERROR.NONE : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (firstSequence === sequenceAfter(newest.lastSequence, 1)) return ERROR.NONE;
    const oldest = batches[0] as ProducerBatch;
    const behind = sequenceBefore(sequenceBefore(oldest.lastSequence, oldest.offsetDelta), lastSequence);
    return behind > 0 && behind < SEQUENCES / 2 ? ERROR.DUPLICATE_SEQUENCE_NUMBER : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  append(
    id: number,
    epoch: number,
    lastSequence: number,
    lastOffset: number,
    offsetDelta: number,
    timestamp: number,
    transactional: boolean,
  ): void {
    const producer = this.#producer(id, epoch);
    const { batches } = producer;
    if (batches.length < BATCHES_KEPT) batches.push({ lastSequence, lastOffset, offsetDelta, timestamp });
    else {
      const batch = batches.shift() as ProducerBatch;
      batch.lastSequence = lastSequence;
      batch.lastOffset = lastOffset;
      batch.offsetDelta = offsetDelta;
      batch.timestamp = timestamp;
      batches.push(batch);
    }
    producer.lastTimestamp = timestamp;
    if (transactional && producer.transactionStart < 0) producer.transactionStart = lastOffset - offsetDelta;
  }

  endTransaction(id: number, epoch: number, coordinatorEpoch: number, timestamp: number): void {
    const producer = this.#producer(id, epoch);
    producer.coordinatorEpoch = coordinatorEpoch;
    producer.lastTimestamp = timestamp;
    producer.transactionStart = -1;
  }

  /** Forgets who was silent for too long and has no open transaction. */
  expire(now: number, expirationMs: number): void {
    for (const producer of this.#byId.values()) {
      if (producer.transactionStart < 0 && now - producer.lastTimestamp >= expirationMs) this.#byId.delete(producer.id);
    }
  }

  /** Takes producers as a snapshot has them. */
  load(producers: Iterable<Producer>, endOffset: number): void {
    this.#byId.clear();
    for (const producer of producers) this.#byId.set(producer.id, producer);
    this.endOffset = endOffset;
  }

  #producer(id: number, epoch: number): Producer {
    let producer = this.#byId.get(id);
    if (producer === undefined) {
      producer = { id, epoch, coordinatorEpoch: -1, lastTimestamp: -1, transactionStart: -1, batches: [] };
      this.#byId.set(id, producer);
    } else if (producer.epoch !== epoch) {
      producer.epoch = epoch;
      producer.batches.length = 0;
    }
    return producer;
  }
}
