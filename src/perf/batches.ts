/** The batches of a load: all alike, made once; for end to end each is given the number of its request, by which it is known again. */
import { type Memory, memoryOver } from '../base/memory.ts';
import { PortableKernels } from '../base/portable-kernels.ts';
import { SeededRandom } from '../base/random.ts';
import * as batch from '../wire/batch.ts';
import { encodeBatch } from '../wire/records.ts';
import { sizeOfVarint } from '../wire/varint.ts';

const KERNELS = new PortableKernels();
/** In front of the first value: the run's eight bytes, then the number as a double. */
export const MARK_BYTES = 8;
const NUMBER_BYTES = 8;
/** What a value must have room for. */
export const MARKED_BYTES = MARK_BYTES + NUMBER_BYTES;
const BITS_OF_A_DIE = 256;

/** Attributes, timestamp delta, key length and headers count take a byte each; offset delta and length up to what they are here. */
function recordsThatFit(recordBytes: number, batchBytes: number): number {
  const room = batchBytes - batch.HEADER_BYTES;
  const bodyBytes = 4 + sizeOfVarint(Math.floor(room / recordBytes)) + sizeOfVarint(recordBytes) + recordBytes;
  return Math.max(1, Math.floor(room / (sizeOfVarint(bodyBytes) + bodyBytes)));
}

export class Batches {
  readonly records: number;
  readonly bytes: number;
  readonly #template: Uint8Array;
  readonly #mark: Buffer;
  /** Where the mark stands in a batch. */
  readonly #markAt: number;

  /** `mark` is of this run alone. */
  constructor(recordBytes: number, batchBytes: number, nowMs: number, mark: Uint8Array) {
    this.records = recordsThatFit(recordBytes, batchBytes);
    const dice = new SeededRandom(1);
    const filling = Uint8Array.from({ length: recordBytes }, () => dice.below(BITS_OF_A_DIE));
    const first = new Uint8Array(filling);
    this.#mark = Buffer.from(mark.subarray(0, MARK_BYTES));
    first.set(this.#mark);
    const values = Array.from({ length: this.records }, (_, at) => (at === 0 ? first : filling));
    this.#template = encodeBatch({ records: values.map((value) => ({ timestamp: nowMs, key: null, value })) }, KERNELS);
    this.bytes = this.#template.length;
    this.#markAt = Buffer.from(this.#template.buffer).indexOf(this.#mark, batch.HEADER_BYTES);
  }

  get template(): Uint8Array {
    return this.#template;
  }

  numbered(number: number): Uint8Array {
    const memory = memoryOver(new Uint8Array(this.#template));
    memory.view.setFloat64(this.#markAt + MARK_BYTES, number);
    batch.setCrc(memory.view, 0, KERNELS.crc32c(memory, batch.ATTRIBUTES_AT, this.bytes - batch.ATTRIBUTES_AT));
    return memory.bytes;
  }

  /** The number of the batch that begins at `offset`, or -1 for one of somebody else. */
  numberOf(memory: Memory, offset: number): number {
    if (batch.sizeInBytes(memory.view, offset) !== this.bytes) return -1;
    const at = offset + this.#markAt;
    const isOurs = this.#mark.equals(memory.bytes.subarray(at, at + MARK_BYTES));
    return isOurs ? memory.view.getFloat64(at + MARK_BYTES) : -1;
  }
}
