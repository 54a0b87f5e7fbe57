/**
 * The open files of one owner, at most `filesMax` of them: opened when they are needed, the one unused longest is let go.
 * A file that was let go, or deleted, stays readable for the leases that are out.
 */
import { assert } from '../base/assert.ts';
import { type Disk, DiskError, type OpenMode } from './disk.ts';
import type { FileTable } from './leases.ts';

const CLOSED = -1;

/** A file by its path, open or not. Its owner makes it and forgets it; the cache keeps the rest. */
export class CachedFile {
  path: string;
  /** `create` holds for the first opening only: a file that is gone later does not come back empty. */
  mode: OpenMode;
  /** Set by the cache alone. */
  slot = CLOSED;
  descriptor = CLOSED;
  newer: CachedFile | null = null;
  older: CachedFile | null = null;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.mode = mode;
  }
}

export class FileCache {
  readonly #disk: Disk;
  readonly #table: FileTable;
  #newest: CachedFile | null = null;
  #oldest: CachedFile | null = null;
  #open = 0;
  /** When it falls below what is open, the next opening lets go of the rest. */
  filesMax: number;

  constructor(disk: Disk, table: FileTable, filesMax: number) {
    assert(filesMax >= 1, 'a cache holds at least one file', { filesMax });
    this.#disk = disk;
    this.#table = table;
    this.filesMax = filesMax;
  }

  get openFiles(): number {
    return this.#open;
  }

  /** The descriptor, valid until the next call to this cache. */
  descriptor(file: CachedFile): number {
    if (file.slot === CLOSED) this.#openFile(file);
    else if (file !== this.#newest) {
      this.#unlink(file);
      this.#pushNewest(file);
    }
    return file.descriptor;
  }

  /** A lease on the file: its slot, held until somebody releases it. */
  lease(file: CachedFile): number {
    this.descriptor(file);
    this.#table.retain(file.slot);
    return file.slot;
  }

  /** Ends a lease; closes the file when it was the last. */
  release(slot: number): void {
    const descriptor = this.#table.release(slot);
    if (descriptor >= 0) this.#disk.close(descriptor);
  }

  /** Lets go of a file; leases on it stay good. */
  forget(file: CachedFile): void {
    if (file.slot === CLOSED) return;
    this.#unlink(file);
    this.#open -= 1;
    const descriptor = this.#table.drop(file.slot);
    file.slot = CLOSED;
    file.descriptor = CLOSED;
    if (descriptor >= 0) this.#disk.close(descriptor);
  }

  close(): void {
    while (this.#oldest !== null) this.forget(this.#oldest);
  }

  #openFile(file: CachedFile): void {
    while (this.#open >= this.filesMax) this.forget(this.#oldest as CachedFile);
    const descriptor = this.#disk.open(file.path, file.mode);
    const slot = this.#table.add(descriptor);
    if (slot === CLOSED) {
      this.#disk.close(descriptor);
      throw new DiskError('EMFILE', 'open', file.path);
    }
    file.slot = slot;
    file.descriptor = descriptor;
    if (file.mode === 'create') file.mode = 'write';
    this.#open += 1;
    this.#pushNewest(file);
  }

  #pushNewest(file: CachedFile): void {
    file.older = this.#newest;
    file.newer = null;
    if (this.#newest !== null) this.#newest.newer = file;
    this.#newest = file;
    this.#oldest ??= file;
  }

  #unlink(file: CachedFile): void {
    if (file.newer === null) this.#newest = file.older;
    else file.newer.older = file.older;
    if (file.older === null) this.#oldest = file.newer;
    else file.older.newer = file.newer;
    file.newer = null;
    file.older = null;
  }
}
