/**
 * The records of one batch, decompressed, one after the other: deltas, and where key and value lie. For rare questions
 * (a timestamp's offset, a transaction's end); nothing is copied and nothing is believed that does not fit.
 *
 *   length varint | attributes int8 | timestamp delta varlong | offset delta varint | key length varint, key | value ...
 */
export class RecordWalk {
  readonly #bytes: Uint8Array;
  #at = 0;
  #failed = false;

  timestampDelta = 0;
  offsetDelta = 0;
  keyAt = 0;
  /** -1: null. */
  keyLength = 0;
  valueAt = 0;
  valueLength = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** False at the end, and where a record is damaged. */
  next(): boolean {
    if (this.#failed || this.#at >= this.#bytes.length) return false;
    const length = this.#varint();
    const start = this.#at;
    if (length < 0 || length > this.#bytes.length - start) return false;
    this.#at += 1;
    this.timestampDelta = this.#varint();
    this.offsetDelta = this.#varint();
    this.keyLength = this.#varint();
    this.keyAt = this.#at;
    this.#at += Math.max(0, this.keyLength);
    this.valueLength = this.#varint();
    this.valueAt = this.#at;
    if (this.#failed || this.#at + Math.max(0, this.valueLength) > start + length) return false;
    this.#at = start + length;
    return true;
  }

  /** Zigzag, up to ten bytes; exact up to 2^53. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    this.#failed = true;
    return 0;
  }
}

/** What a transaction's end record says: the key is a version and a type, the value a version and the coordinator's epoch. */
export interface TransactionEnd {
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
}

const ABORT = 0;
const COMMIT = 1;

/** Null when the control batch is empty, or of another kind. */
export function transactionEnd(records: Uint8Array): TransactionEnd | null {
  const walk = new RecordWalk(records);
  if (!walk.next() || walk.keyLength < 4 || walk.valueLength < 6) return null;
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const type = view.getInt16(walk.keyAt + 2);
  if (type !== ABORT && type !== COMMIT) return null;
  return { committed: type === COMMIT, coordinatorEpoch: view.getInt32(walk.valueAt + 2) };
}
