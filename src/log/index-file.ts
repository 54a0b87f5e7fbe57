/**
 * A file of fixed-size entries in rising order of their key, searched on disk, appended in memory and written many at a
 * time. What is pending counts everywhere as if it were written; a crash loses it and recovery makes it anew.
 *
 * While its segment is the active one the file is as long as it may become (sparse); `trim` cuts it to its entries.
 */
import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import { DiskError } from './disk.ts';
import type { LogEnvironment } from './environment.ts';
import type { CachedFile } from './files.ts';

/** Entries gathered before a write; with large batches there is one entry a batch, and no system call for it. */
const PENDING_MAX = 128;
/** Entries that are read at once where many are looked at. */
const WINDOW_ENTRIES = 512;
/** Above any real index, below any overflow of what a search computes. */
const KEY_MAX_OFFSET = 0x7fffffff;

export type IndexKind = 'offset' | 'time';

export interface IndexEntry {
  readonly key: number;
  readonly value: number;
}

export const NO_ENTRY: IndexEntry = { key: 0, value: 0 };

export class IndexFile {
  readonly file: CachedFile;
  readonly #environment: LogEnvironment;
  readonly #kind: IndexKind;
  readonly #entryBytes: number;
  /** Made when the first entry is appended: most indexes of a log are never appended to again. */
  #pending: DataView | null = null;
  #entries = 0;
  #written = 0;

  constructor(environment: LogEnvironment, file: CachedFile, kind: IndexKind) {
    this.#environment = environment;
    this.file = file;
    this.#kind = kind;
    this.#entryBytes = kind === 'offset' ? 8 : 12;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Takes the entries that are in the file. False when its length is no whole number of entries. */
  load(): boolean {
    const size = this.#environment.disk.size(this.#environment.files.descriptor(this.file));
    this.reset(Math.floor(size / this.#entryBytes));
    return size % this.#entryBytes === 0;
  }

  /** Says how many entries the file has; whatever is pending is forgotten. */
  reset(entries: number): void {
    this.#entries = entries;
    this.#written = entries;
  }

  /**
   * Takes the entries that a process left behind when it was killed, as long as they count: of entries that rise, the first
   * ones do. The file is empty from the last one on; no entry is all zero but perhaps the first. Uses the scratch memory.
   */
  loadWritten(counts: (key: number, value: number) => boolean): void {
    this.load();
    const isTaken = ({ key, value }: IndexEntry): boolean => !(key === 0 && value === 0) && counts(key, value);
    let low = 0;
    // Most segments that are appended to have few entries in a long file.
    let high = WINDOW_ENTRIES;
    while (high < this.#entries && isTaken(this.at(high - 1))) {
      low = high;
      high *= 2;
    }
    high = Math.min(high, this.#entries);
    while (high - low > WINDOW_ENTRIES) {
      const middle = (low + high) >>> 1;
      if (isTaken(this.at(middle))) low = middle + 1;
      else high = middle;
    }
    const from = low;
    const { view } = this.#read(from, high - from, 0);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isTaken(this.#decode(view, (middle - from) * this.#entryBytes))) low = middle + 1;
      else high = middle;
    }
    this.reset(low);
  }

  /** The next entry brings those that are pending into the file. */
  get flushDue(): boolean {
    return this.#entries - this.#written === PENDING_MAX;
  }

  capacity(bytesMax: number): number {
    return Math.floor(bytesMax / this.#entryBytes);
  }

  append(key: number, value: number): void {
    if (this.flushDue) this.flush();
    this.#pending ??= new DataView(new ArrayBuffer(PENDING_MAX * this.#entryBytes));
    const at = (this.#entries - this.#written) * this.#entryBytes;
    if (this.#kind === 'offset') this.#pending.setInt32(at, key);
    else {
      this.#pending.setInt32(at, Math.floor(key / 0x1_0000_0000));
      this.#pending.setInt32(at + 4, key | 0);
    }
    this.#pending.setInt32(at + this.#entryBytes - 4, value);
    this.#entries += 1;
  }

  flush(): void {
    const count = this.#entries - this.#written;
    if (count === 0) return;
    const { disk, files } = this.#environment;
    const bytes = new Uint8Array((this.#pending as DataView).buffer as ArrayBuffer, 0, count * this.#entryBytes);
    disk.writeBytes(files.descriptor(this.file), this.#written * this.#entryBytes, bytes);
    this.#written = this.#entries;
  }

  /** The last entry whose key is <= target, or -1. */
  search(target: number): number {
    if (target < 0 || this.#entries === 0) return -1;
    const key = this.#kind === 'offset' ? Math.min(target, KEY_MAX_OFFSET) : target;
    if (this.#written < this.#entries && this.key(this.#written) <= key) return this.#searchPending(key);
    if (this.#written === 0) return -1;
    const { disk, files } = this.#environment;
    return disk.searchIndex(files.descriptor(this.file), this.#kind, this.#written, key);
  }

  key(slot: number): number {
    return this.at(slot).key;
  }

  value(slot: number): number {
    return this.at(slot).value;
  }

  at(slot: number): IndexEntry {
    assert(slot >= 0 && slot < this.#entries, 'an index has the entry', { slot, entries: this.#entries });
    if (slot >= this.#written)
      return this.#decode(this.#pending as DataView, (slot - this.#written) * this.#entryBytes);
    // The end of the scratch memory is for entries: a scan that goes on beside keeps its window at the start.
    const at = this.#environment.scratch.bytes.length - 16;
    return this.#decode(this.#read(slot, 1, at).view, at);
  }

  /** Makes the file as long as `bytesMax` allows, so that the pages of a map of it stay the same. */
  preallocate(bytesMax: number): void {
    const { disk, files } = this.#environment;
    disk.truncate(files.descriptor(this.file), this.capacity(bytesMax) * this.#entryBytes);
  }

  trim(): void {
    this.flush();
    const { disk, files } = this.#environment;
    const size = this.#entries * this.#entryBytes;
    if (disk.size(files.descriptor(this.file)) !== size) disk.truncate(files.descriptor(this.file), size);
  }

  /** Forgets all entries, on disk, too. */
  clear(): void {
    this.reset(0);
    this.trim();
  }

  #searchPending(key: number): number {
    let low = this.#written;
    let high = this.#entries - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.key(middle) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #decode(view: DataView, at: number): IndexEntry {
    const value = view.getInt32(at + this.#entryBytes - 4);
    const first = view.getInt32(at);
    return { key: this.#kind === 'offset' ? first : first * 0x1_0000_0000 + view.getUint32(at + 4), value };
  }

  /** Entries that are in the file, into the scratch memory at `at`. */
  #read(slot: number, count: number, at: number): Memory {
    const { disk, files, scratch } = this.#environment;
    const bytes = count * this.#entryBytes;
    const got = disk.read(files.descriptor(this.file), slot * this.#entryBytes, scratch, at, bytes);
    if (got !== bytes) throw new DiskError('EIO', 'read', this.file.path);
    return scratch;
  }
}
