/**
 * A file of checksummed entries that only grows: nothing in it is believed unless its checksum holds, and what was synced
 * once is either found again or its loss is told. Owns the format; what an entry means is the business of its reader.
 *
 *   entry   0  uint32   'ODRJ'
 *           4  uint32   length of the body
 *           8  uint32   CRC-32C of bytes 12 to the end of the body
 *          12  float64  transaction, one more than the entry's before
 *          20  float64  bytes of this file that were synced when this entry was written
 *          28           body: JSON, UTF-8
 *
 * Entries are written in batches, each synced before the next is written. So a damaged entry can be what a crash left of
 * the last batch, and is cut off with all behind it; unless a whole entry behind it says that its place was synced: then
 * acknowledged data is damaged, and the file is not opened.
 */
import type { Kernels } from '../base/kernels.ts';
import type { Memory } from '../base/memory.ts';
import { memoryOver } from '../base/memory.ts';
import type { Disk } from '../log/disk.ts';

const MAGIC = 0x4f44524a;
const HEADER_BYTES = 28;
/** No single multi is larger; a length above it is damage. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
}

export interface Entry {
  readonly transaction: number;
  readonly body: unknown;
  /** Where it ends in the file. */
  readonly end: number;
}

export interface Read {
  readonly entries: Entry[];
  /** Where the good entries end. */
  readonly goodBytes: number;
  /** What lies behind them: what a crash left of a batch that nobody was promised. */
  readonly tornBytes: number;
}

export function readJournal(bytes: Uint8Array, path: string, kernels: Kernels): Read {
  const memory = memoryOver(bytes);
  const decoder = new TextDecoder();
  const entries: Entry[] = [];
  let at = 0;
  for (;;) {
    const bodyBytes = entryAt(memory, at, kernels);
    if (bodyBytes === -1) break;
    const transaction = memory.view.getFloat64(at + 12);
    const last = entries.at(-1);
    if (last !== undefined && transaction !== last.transaction + 1) {
      throw new JournalDamaged(`${path}: transaction ${transaction} follows ${last.transaction} at byte ${at}`);
    }
    const from = at + HEADER_BYTES;
    at = from + bodyBytes;
    entries.push({ transaction, body: JSON.parse(decoder.decode(bytes.subarray(from, at))), end: at });
  }
  for (let later = at + 1; later <= bytes.length - HEADER_BYTES; later++) {
    if (memory.view.getUint32(later) !== MAGIC || entryAt(memory, later, kernels) === -1) continue;
    if (memory.view.getFloat64(later + 20) > at) {
      throw new JournalDamaged(
        `${path}: the entry at byte ${at} is damaged, and entries behind it are whole: acknowledged metadata would be lost. Restore the file from a copy.`,
      );
    }
  }
  return { entries, goodBytes: at, tornBytes: bytes.length - at };
}

/** The length of the body of a whole entry, or -1. */
function entryAt(memory: Memory, at: number, kernels: Kernels): number {
  const left = memory.bytes.length - at;
  if (left < HEADER_BYTES || memory.view.getUint32(at) !== MAGIC) return -1;
  const bodyBytes = memory.view.getUint32(at + 4);
  if (bodyBytes > BODY_BYTES_MAX || bodyBytes > left - HEADER_BYTES) return -1;
  const crc = kernels.crc32c(memory, at + 12, HEADER_BYTES - 12 + bodyBytes);
  return crc === memory.view.getUint32(at + 8) ? bodyBytes : -1;
}

/** The writing end. Entries are added to a batch; `commit` makes the batch durable. After an error it is of no more use. */
export class Journal {
  readonly #disk: Disk;
  readonly #kernels: Kernels;
  readonly #file: number;
  #syncedBytes: number;
  #transaction: number;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #closed = false;

  constructor(disk: Disk, kernels: Kernels, file: number, syncedBytes: number, transaction: number) {
    this.#disk = disk;
    this.#kernels = kernels;
    this.#file = file;
    this.#syncedBytes = syncedBytes;
    this.#transaction = transaction;
  }

  /** The last one that was added. */
  get transaction(): number {
    return this.#transaction;
  }

  get syncedBytes(): number {
    return this.#syncedBytes;
  }

  add(body: Uint8Array): void {
    const entry = new Uint8Array(HEADER_BYTES + body.length);
    const memory = memoryOver(entry);
    this.#transaction += 1;
    memory.view.setUint32(0, MAGIC);
    memory.view.setUint32(4, body.length);
    memory.view.setFloat64(12, this.#transaction);
    memory.view.setFloat64(20, this.#syncedBytes);
    entry.set(body, HEADER_BYTES);
    memory.view.setUint32(8, this.#kernels.crc32c(memory, 12, entry.length - 12));
    this.#batch.push(entry);
    this.#batchBytes += entry.length;
  }

  commit(): void {
    if (this.#batchBytes === 0) return;
    const bytes = new Uint8Array(this.#batchBytes);
    let at = 0;
    for (const entry of this.#batch) {
      bytes.set(entry, at);
      at += entry.length;
    }
    this.#disk.writeBytes(this.#file, this.#syncedBytes, bytes);
    this.#disk.sync(this.#file);
    this.#syncedBytes += bytes.length;
    this.#batch = [];
    this.#batchBytes = 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#disk.close(this.#file);
  }
}
