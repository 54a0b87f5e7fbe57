/**
 * A disk in memory that forgets. What is written, truncated, created, renamed or removed is visible at once and durable only
 * after a sync of the file or its directory. `crash` keeps, of what was not synced, what the seed says: for each file any of
 * its writes, torn at any byte; for each directory a prefix of its changes, as a journalling file system does. Calls fail
 * when `fault` says so; a file whose sync fails with EIO shows what was written and has lost it.
 */
import { assert } from '../../src/base/assert.ts';
import type { Memory, Pieces } from '../../src/base/memory.ts';
import type { Random } from '../../src/base/random.ts';
import { type Disk, DiskError, type OpenMode } from '../../src/log/disk.ts';
import { type Entry, SimulatedDirectory, SimulatedFile } from './entries.ts';

interface Opened {
  readonly path: string;
  readonly entry: Entry;
  readonly writable: boolean;
}

export class SimulatedDisk implements Disk {
  /** Asked before every call: an errno name makes it fail. A write that fails leaves its first half behind. */
  fault: ((operation: string, path: string) => string | null) | null = null;
  /** Calls by operation. */
  readonly calls = new Map<string, number>();
  #root = new SimulatedDirectory();
  readonly #open = new Map<number, Opened>();
  #next = 3;
  #crashes = 0;

  get openDescriptors(): number {
    return this.#open.size;
  }

  /** Names the life of the system that uses it: another one after each loss of power. */
  get kernelId(): string {
    return `kernel ${this.#crashes}`;
  }

  /** Power goes and comes back. */
  crash(random: Random): void {
    this.#crashes += 1;
    this.#open.clear();
    this.#root.crash(random);
  }

  /** The process ends, the system stays: nothing is lost but descriptors and locks. */
  kill(): void {
    for (const { entry } of this.#open.values()) if (entry instanceof SimulatedFile) entry.locked = false;
    this.#open.clear();
  }

  /** The same disk once more, with nobody at it: for a crash that does not happen to this one. */
  fork(): SimulatedDisk {
    const fork = new SimulatedDisk();
    fork.#root = this.#root.copy();
    fork.#crashes = this.#crashes;
    return fork;
  }

  open(path: string, mode: OpenMode): number {
    this.#enter('open', path);
    let entry = this.#find(path);
    if (entry === null && mode === 'create') {
      entry = new SimulatedFile();
      this.#link(path, entry, 'open');
    }
    if (entry === null) throw new DiskError('ENOENT', 'open', path);
    if (entry instanceof SimulatedDirectory && mode !== 'read') throw new DiskError('EISDIR', 'open', path);
    const descriptor = this.#next++;
    this.#open.set(descriptor, { path, entry, writable: mode !== 'read' });
    return descriptor;
  }

  close(file: number): void {
    const opened = this.#opened(file, 'close');
    if (opened.entry instanceof SimulatedFile) opened.entry.locked = false;
    this.#open.delete(file);
  }

  size(file: number): number {
    return this.#file(file, 'size').current.size;
  }

  read(file: number, position: number, into: Memory, offset: number, length: number): number {
    const { current } = this.#file(file, 'read');
    const count = Math.max(0, Math.min(length, current.size - position));
    into.bytes.set(current.bytes.subarray(position, position + count), offset);
    return count;
  }

  write(file: number, position: number, pieces: Pieces): void {
    const bytes = new Uint8Array(pieces.totalBytes);
    for (let i = 0, at = 0; i < pieces.count; i++) {
      const offset = pieces.offsetOf(i);
      const length = pieces.lengthOf(i);
      bytes.set(pieces.memoryOf(i).bytes.subarray(offset, offset + length), at);
      at += length;
    }
    this.#write('write', file, position, bytes);
  }

  writeBytes(file: number, position: number, bytes: Uint8Array): void {
    this.#write('writeBytes', file, position, bytes.slice());
  }

  truncate(file: number, size: number): void {
    const target = this.#file(file, 'truncate');
    this.#mustWrite(file, 'truncate');
    if (size !== target.current.size) target.change({ kind: 'truncate', size });
  }

  sync(file: number): void {
    const { entry, path } = this.#opened(file, 'sync');
    try {
      this.#enter('sync', path);
    } catch (problem) {
      // As Linux does it: pages that could not be written are no longer to be written.
      if ((problem as DiskError).code === 'EIO' && entry instanceof SimulatedFile) entry.forget();
      throw problem;
    }
    entry.sync();
  }

  list(directory: string): string[] {
    return Array.from(this.#directory(directory, 'list').current.keys());
  }

  readFile(path: string): Uint8Array | null {
    this.#enter('readFile', path);
    const entry = this.#find(path);
    if (entry instanceof SimulatedDirectory) throw new DiskError('EISDIR', 'readFile', path);
    return entry === null ? null : entry.current.bytes.slice();
  }

  exists(path: string): boolean {
    return this.#find(path) !== null;
  }

  isDirectory(path: string): boolean {
    return this.#find(path) instanceof SimulatedDirectory;
  }

  makeDirectory(path: string): void {
    this.#enter('makeDirectory', path);
    let built = '';
    for (const name of names(path)) {
      built += `/${name}`;
      const entry = this.#find(built);
      if (entry instanceof SimulatedFile) throw new DiskError('ENOTDIR', 'makeDirectory', built);
      if (entry === null) this.#link(built, new SimulatedDirectory(), 'makeDirectory');
    }
  }

  removeDirectory(path: string): void {
    if (this.#directory(path, 'removeDirectory').current.size > 0) {
      throw new DiskError('ENOTEMPTY', 'removeDirectory', path);
    }
    this.#unlink(path, 'removeDirectory');
  }

  rename(from: string, to: string): void {
    this.#enter('rename', from);
    const entry = this.#find(from);
    if (entry === null) throw new DiskError('ENOENT', 'rename', from);
    const source = split(from);
    const target = split(to);
    assert(source.parent === target.parent, 'files are renamed within their directory', { from, to });
    const directory = this.#directory(source.parent, 'rename');
    if (directory.current.get(target.name) instanceof SimulatedDirectory) throw new DiskError('EEXIST', 'rename', to);
    directory.change({ gone: source.name, come: { name: target.name, entry } });
  }

  remove(path: string): void {
    this.#enter('remove', path);
    if (this.#find(path) instanceof SimulatedDirectory) throw new DiskError('EISDIR', 'remove', path);
    this.#unlink(path, 'remove');
  }

  syncDirectory(path: string): void {
    this.#directory(path, 'syncDirectory').sync();
  }

  lock(path: string): number {
    const descriptor = this.open(path, 'create');
    const file = this.#file(descriptor, 'lock');
    if (file.locked) {
      this.#open.delete(descriptor);
      throw new DiskError('EAGAIN', 'lock', path);
    }
    file.locked = true;
    return descriptor;
  }

  searchIndex(file: number, kind: 'offset' | 'time', entries: number, target: number): number {
    const { bytes } = this.#file(file, 'searchIndex').current;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const entryBytes = kind === 'offset' ? 8 : 12;
    let found = -1;
    for (let slot = 0; slot < entries; slot++) {
      const at = slot * entryBytes;
      const key = kind === 'offset' ? view.getInt32(at) : Number(view.getBigInt64(at));
      if (key > target) break;
      found = slot;
    }
    return found;
  }

  // ---- For tests that look behind or do harm

  /** The bytes of a file as they are now. */
  bytesOf(path: string): Uint8Array {
    const entry = this.#find(path);
    assert(entry instanceof SimulatedFile, 'a test looks at a file that is there', { path });
    return entry.current.bytes.slice();
  }

  /** Puts a whole, durable file in place. */
  put(path: string, bytes: Uint8Array): void {
    const { parent } = split(path);
    this.makeDirectory(parent);
    const file = new SimulatedFile();
    file.change({ kind: 'write', position: 0, bytes: bytes.slice() });
    file.sync();
    this.#link(path, file, 'put');
    this.syncDirectory(parent);
  }

  #write(operation: string, file: number, position: number, bytes: Uint8Array): void {
    const { path } = this.#opened(file, operation);
    this.#mustWrite(file, operation);
    const target = this.#file(file, null);
    try {
      this.#enter(operation, path);
    } catch (problem) {
      target.change({ kind: 'write', position, bytes: bytes.subarray(0, bytes.length >> 1) });
      throw problem;
    }
    target.change({ kind: 'write', position, bytes });
  }

  #enter(operation: string, path: string): void {
    this.calls.set(operation, (this.calls.get(operation) ?? 0) + 1);
    const code = this.fault?.(operation, path) ?? null;
    if (code !== null) throw new DiskError(code, operation, path);
  }

  #opened(file: number, operation: string): Opened {
    const opened = this.#open.get(file);
    if (opened === undefined) throw new DiskError('EBADF', operation, `descriptor ${file}`);
    return opened;
  }

  /** `operation` null: the caller has asked for faults itself. */
  #file(file: number, operation: string | null): SimulatedFile {
    const { entry, path } = this.#opened(file, operation ?? 'write');
    if (operation !== null) this.#enter(operation, path);
    if (entry instanceof SimulatedDirectory) throw new DiskError('EISDIR', operation ?? 'write', path);
    return entry;
  }

  #mustWrite(file: number, operation: string): void {
    const { writable, path } = this.#opened(file, operation);
    if (!writable) throw new DiskError('EBADF', operation, path);
  }

  #find(path: string): Entry | null {
    let entry: Entry = this.#root;
    for (const name of names(path)) {
      if (entry instanceof SimulatedFile) return null;
      const next: Entry | undefined = entry.current.get(name);
      if (next === undefined) return null;
      entry = next;
    }
    return entry;
  }

  #directory(path: string, operation: string): SimulatedDirectory {
    this.#enter(operation, path);
    const entry = this.#find(path);
    if (entry === null) throw new DiskError('ENOENT', operation, path);
    if (entry instanceof SimulatedFile) throw new DiskError('ENOTDIR', operation, path);
    return entry;
  }

  #link(path: string, entry: Entry, operation: string): void {
    const { parent, name } = split(path);
    const directory = this.#find(parent);
    if (!(directory instanceof SimulatedDirectory)) throw new DiskError('ENOENT', operation, path);
    directory.change({ gone: null, come: { name, entry } });
  }

  #unlink(path: string, operation: string): void {
    const { parent, name } = split(path);
    const directory = this.#find(parent);
    if (!(directory instanceof SimulatedDirectory) || !directory.current.has(name)) {
      throw new DiskError('ENOENT', operation, path);
    }
    directory.change({ gone: name, come: null });
  }
}

function names(path: string): string[] {
  assert(path.startsWith('/'), 'simulated paths are absolute', { path });
  return path.split('/').filter((name) => name !== '');
}

function split(path: string): { parent: string; name: string } {
  const all = names(path);
  const name = all.pop();
  assert(name !== undefined, 'the root has no name', { path });
  return { parent: `/${all.join('/')}`, name };
}
