/**
 * The disk over `node:fs`: works on every platform and every memory. Knows the path of each descriptor it opened, for
 * what its errors say.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { resolve } from 'node:path';
import type { Memory, Pieces } from '../../base/memory.ts';
import {
  OFFSET_ENTRY_BYTES,
  searchOffsetIndex,
  searchTimeIndex,
  TIME_ENTRY_BYTES,
} from '../../base/portable-kernels.ts';
import { type Disk, DiskError, type OpenMode } from '../../log/disk.ts';
import { dropLock, takeLock } from './lock-file.ts';

const FLAGS = { read: 'r', write: 'r+' } as const;
/** A search narrows down by single entries to so many, then reads them at once. */
const WINDOW_ENTRIES = 512;
export class PortableDisk implements Disk {
  readonly #paths = new Map<number, string>();
  readonly #locks = new Map<number, string>();
  readonly #window = new Uint8Array(WINDOW_ENTRIES * TIME_ENTRY_BYTES);
  readonly #windowView = new DataView(this.#window.buffer);

  open(path: string, mode: OpenMode): number {
    try {
      const file = mode === 'create' ? openOrCreate(path) : openSync(path, FLAGS[mode]);
      this.opened(file, path);
      return file;
    } catch (error) {
      throw diskError(error, 'open', path);
    }
  }

  close(file: number): void {
    const path = this.forget(file);
    const lock = this.#locks.get(file);
    this.#locks.delete(file);
    try {
      if (lock !== undefined) dropLock(lock);
      closeSync(file);
    } catch (error) {
      throw diskError(error, 'close', path);
    }
  }

  size(file: number): number {
    try {
      return fstatSync(file).size;
    } catch (error) {
      throw diskError(error, 'size', this.pathOf(file));
    }
  }

  read(file: number, position: number, into: Memory, offset: number, length: number): number {
    return this.#readBytes(file, position, into.bytes, offset, length);
  }

  write(file: number, position: number, pieces: Pieces): void {
    let rest: Uint8Array[] = [];
    for (let i = 0; i < pieces.count; i++) {
      const start = pieces.offsetOf(i);
      const length = pieces.lengthOf(i);
      if (length > 0) rest.push(pieces.memoryOf(i).bytes.subarray(start, start + length));
    }
    let at = position;
    while (rest.length > 0) {
      const count = this.#wrote(file, () => writevSync(file, rest, at));
      at += count;
      rest = without(rest, count);
    }
  }

  writeBytes(file: number, position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.#wrote(file, () => writeSync(file, bytes, done, bytes.length - done, position + done));
    }
  }

  truncate(file: number, size: number): void {
    try {
      ftruncateSync(file, size);
    } catch (error) {
      throw diskError(error, 'truncate', this.pathOf(file));
    }
  }

  sync(file: number): void {
    try {
      fdatasyncSync(file);
    } catch (error) {
      throw diskError(error, 'sync', this.pathOf(file));
    }
  }

  list(directory: string): string[] {
    return attempt('list', directory, () => readdirSync(directory));
  }

  readFile(path: string): Uint8Array | null {
    try {
      return readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw diskError(error, 'read', path);
    }
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  isDirectory(path: string): boolean {
    return attempt('stat', path, () => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
  }

  makeDirectory(path: string): void {
    attempt('makeDirectory', path, () => mkdirSync(path, { recursive: true }));
  }

  removeDirectory(path: string): void {
    attempt('removeDirectory', path, () => rmdirSync(path));
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => renameSync(from, to));
  }

  remove(path: string): void {
    attempt('remove', path, () => unlinkSync(path));
  }

  /** Windows cannot open a directory, and has no such call. */
  syncDirectory(path: string): void {
    if (process.platform === 'win32') return;
    attempt('syncDirectory', path, () => {
      const directory = openSync(path, 'r');
      try {
        fsyncSync(directory);
      } finally {
        closeSync(directory);
      }
    });
  }

  lock(path: string): number {
    const own = resolve(path);
    const file = attempt('lock', path, () => takeLock(own));
    this.#locks.set(file, own);
    this.opened(file, path);
    return file;
  }

  searchIndex(file: number, kind: 'offset' | 'time', entries: number, target: number): number {
    const [bytes, search] =
      kind === 'offset'
        ? ([OFFSET_ENTRY_BYTES, searchOffsetIndex] as const)
        : ([TIME_ENTRY_BYTES, searchTimeIndex] as const);
    let low = 0;
    let high = entries;
    while (high - low > WINDOW_ENTRIES) {
      const middle = (low + high) >>> 1;
      this.#fillWindow(file, middle * bytes, bytes);
      if (search(this.#windowView, 1, target) === 0) low = middle + 1;
      else high = middle;
    }
    this.#fillWindow(file, low * bytes, (high - low) * bytes);
    return low + search(this.#windowView, high - low, target);
  }

  protected opened(file: number, path: string): void {
    this.#paths.set(file, path);
  }

  /** Returns its path. */
  protected forget(file: number): string {
    const path = this.pathOf(file);
    this.#paths.delete(file);
    return path;
  }

  protected pathOf(file: number): string {
    return this.#paths.get(file) ?? `descriptor ${file}`;
  }

  protected owns(file: number): boolean {
    return this.#paths.has(file);
  }

  #fillWindow(file: number, position: number, length: number): void {
    if (this.#readBytes(file, position, this.#window, 0, length) < length) {
      throw new DiskError('EIO', 'searchIndex', this.pathOf(file));
    }
  }

  #readBytes(file: number, position: number, into: Uint8Array, offset: number, length: number): number {
    let done = 0;
    try {
      while (done < length) {
        const count = readSync(file, into, offset + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      throw diskError(error, 'read', this.pathOf(file));
    }
    return done;
  }

  /** A write that takes nothing and gives no reason would be tried for ever. */
  #wrote(file: number, write: () => number): number {
    let count = 0;
    try {
      count = write();
    } catch (error) {
      throw diskError(error, 'write', this.pathOf(file));
    }
    if (count === 0) throw new DiskError('EIO', 'write', this.pathOf(file));
    return count;
  }
}

function openOrCreate(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    return openSync(path, 'wx+', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return openSync(path, 'r+');
}

function without(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let first = 0;
  while (first < pieces.length && left >= (pieces[first] as Uint8Array).length) {
    left -= (pieces[first] as Uint8Array).length;
    first += 1;
  }
  const rest = pieces.slice(first);
  if (left > 0) rest[0] = (rest[0] as Uint8Array).subarray(left);
  return rest;
}

function attempt<T>(operation: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw diskError(error, operation, path);
  }
}

/** What the world did wrong becomes a DiskError; a wrong argument (ERR_...) stays what it is. */
function diskError(error: unknown, operation: string, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && /^E(?!RR_)[A-Z0-9]+$/.test(code) ? new DiskError(code, operation, path) : error;
}
