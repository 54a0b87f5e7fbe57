/**
 * A file of fixed-size entries in rising order of their key, searched on disk, appended in memory and written many at a
 * time. What is pending counts everywhere as if it were written; a crash loses it and recovery makes it anew.
 *
 * While its segment is the active one the file is as long as it may become (sparse); `trim` cuts it to its entries.
 */
import { assert } from '../base/assert.ts';
import { DiskError } from './disk.ts';
import type { LogEnvironment } from './environment.ts';
import type { CachedFile } from './files.ts';

/** Entries gathered before a write; with large batches there is one entry a batch, and no system call for it. */
const PENDING_MAX = 128;
/** Above any real index, below any overflow of what a search computes. */
const KEY_MAX_OFFSET = 0x7fffffff;

export type IndexKind = 'offset' | 'time';

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
   * Takes the entries that a process left behind when it was killed: the file is empty from the last one on. No entry is all
   * zero but perhaps the first.
   */
  loadWritten(): void {
    this.load();
    let low = 0;
    let high = this.#entries;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.key(middle) === 0 && this.value(middle) === 0) high = middle;
      else low = middle + 1;
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
    const { view, at } = this.#entry(slot);
    if (this.#kind === 'offset') return view.getInt32(at);
    return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
  }

  value(slot: number): number {
    const { view, at } = this.#entry(slot);
    return view.getInt32(at + this.#entryBytes - 4);
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

  /** Where an entry can be read until the next call. */
  #entry(slot: number): { readonly view: DataView; readonly at: number } {
    assert(slot >= 0 && slot < this.#entries, 'an index has the entry', { slot, entries: this.#entries });
    if (slot >= this.#written)
      return { view: this.#pending as DataView, at: (slot - this.#written) * this.#entryBytes };
    const { disk, files, scratch } = this.#environment;
    // The end of the scratch memory is for entries: a scan that goes on beside keeps its window at the start.
    const at = scratch.bytes.length - 16;
    const got = disk.read(files.descriptor(this.file), slot * this.#entryBytes, scratch, at, this.#entryBytes);
    if (got !== this.#entryBytes) throw new DiskError('EIO', 'read', this.file.path);
    return { view: scratch.view, at };
  }
}
