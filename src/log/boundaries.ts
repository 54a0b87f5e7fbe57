/**
 * Where batches begin that were met or appended lately: offset to position and size, so that a reader who goes from batch
 * to batch needs no index and a reader at the end of the log no header. A size of 0 is not known. Only a hint: whoever
 * cuts the segment clears it.
 */

const ENTRIES = 32;
const WORDS = 3;
const NOBODY = -1;

export class Boundaries {
  /** Begin offset, position, size in bytes; made when somebody reads the segment first. */
  #table: Float64Array | null = null;
  /** The offset behind the batch appended last, -1 when that is not known. */
  #end = NOBODY;

  /** Index of the entry of a batch that begins at `offset`, or -1. */
  find(offset: number): number {
    const table = this.#table ?? this.#make();
    const at = (offset % ENTRIES) * WORDS;
    return table[at] === offset ? at : NOBODY;
  }

  position(entry: number): number {
    return (this.#table as Float64Array)[entry + 1] as number;
  }

  sizeBytes(entry: number): number {
    return (this.#table as Float64Array)[entry + 2] as number;
  }

  note(offset: number, position: number, sizeBytes: number): void {
    const table = this.#table ?? this.#make();
    const at = (offset % ENTRIES) * WORDS;
    if (table[at] === offset && sizeBytes === 0) return;
    table[at] = offset;
    table[at + 1] = position;
    table[at + 2] = sizeBytes;
  }

  appended(position: number, sizeBytes: number, lastOffset: number): void {
    if (this.#table !== null && this.#end !== NOBODY) this.note(this.#end, position, sizeBytes);
    this.#end = lastOffset + 1;
  }

  clear(): void {
    this.#table = null;
    this.#end = NOBODY;
  }

  #make(): Float64Array {
    this.#table = new Float64Array(ENTRIES * WORDS).fill(NOBODY);
    return this.#table;
  }
}
