/**
 * The disk as the log needs it: synchronous, by path and by descriptor. Three exist: native (addon), portable (`node:fs`)
 * and simulated (tears, forgets, lies). Everything that fails throws a DiskError; a failed sync is never tried again.
 */
import type { Memory, Pieces } from '../base/memory.ts';

export class DiskError extends Error {
  override readonly name = 'DiskError';
  /** The kernel's name: ENOENT, ENOSPC, EIO, EACCES, EROFS ... */
  readonly code: string;
  readonly operation: string;
  readonly path: string;

  constructor(code: string, operation: string, path: string) {
    super(`${operation} ${path}: ${code}`);
    this.code = code;
    this.operation = operation;
    this.path = path;
  }
}

/** `create` makes the file if it is not there and opens it for reading and writing. */
export type OpenMode = 'read' | 'write' | 'create';

export interface Disk {
  open(path: string, mode: OpenMode): number;
  close(file: number): void;
  size(file: number): number;
  /** Reads `length` bytes or up to the end of the file; returns how many. */
  read(file: number, position: number, into: Memory, offset: number, length: number): number;
  /** Writes all pieces one behind the other, or throws; what a failed write left behind is undefined. */
  write(file: number, position: number, pieces: Pieces): void;
  /** For index entries and small files. */
  writeBytes(file: number, position: number, bytes: Uint8Array): void;
  truncate(file: number, size: number): void;
  /** Blocks until what was written is durable. Running handlers never call it: they ask the blocker. */
  sync(file: number): void;
  /** Names in a directory, in no order; throws ENOENT when there is none. */
  list(directory: string): string[];
  /** The whole file, or null when there is none. */
  readFile(path: string): Uint8Array | null;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** With its parents; no error when it is there. */
  makeDirectory(path: string): void;
  /** An empty directory. */
  removeDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(path: string): void;
  /** An exclusive lock on the file, held until closed; throws EAGAIN when somebody has it. Returns its descriptor. */
  lock(path: string): number;
  /**
   * In an index file of `entries` entries (offset: 4-byte key, 4-byte position; time: 8-byte key, 4-byte offset; big-endian)
   * the last entry whose key is <= target, or -1.
   */
  searchIndex(file: number, kind: 'offset' | 'time', entries: number, target: number): number;
}
