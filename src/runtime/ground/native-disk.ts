/**
 * The disk over the addon: everything on descriptors, because not every runtime's `node:fs` knows those of the addon; what
 * goes by path stays with `node:fs`. An index is searched in a map, kept per descriptor that this disk opened and gone
 * with it: a file is closed by the disk that opened it.
 */
import { type Memory, memoryOver, type Pieces } from '../../base/memory.ts';
import { moveByWords, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from '../../base/portable-kernels.ts';
import { DiskError, type OpenMode } from '../../log/disk.ts';
import { ownerLives } from './lock-file.ts';
import { type Native, OPEN_CREATE, OPEN_READ, OPEN_READ_WRITE } from './native.ts';
import { PortableDisk } from './portable-disk.ts';

const FLAGS = { read: OPEN_READ, write: OPEN_READ_WRITE, create: OPEN_READ_WRITE | OPEN_CREATE } as const;
/** Index entries, small files and memory that the addon does not know go through here. */
const SCRATCH_BYTES = 16 * 1024;
const MAPS_MAX = 1024;
/** A map may reach behind the end of its file, which then grows into it; address space is all that costs. */
const MAP_BYTES_MIN = 64 * 1024;

/** Makes the block known to the addon on this thread, for good unless the id is unregistered. */
export function nativeMemory(native: Native, bytes: Uint8Array): Memory {
  return memoryOver(bytes, native.register(bytes));
}

interface IndexMap {
  readonly id: number;
  readonly bytes: number;
}

export class NativeDisk extends PortableDisk {
  readonly #native: Native;
  readonly #scratch: Memory;
  /** In the order in which they were made; the oldest goes first. */
  readonly #maps = new Map<number, IndexMap>();

  constructor(native: Native) {
    super();
    this.#native = native;
    this.#scratch = nativeMemory(native, new Uint8Array(SCRATCH_BYTES));
  }

  override open(path: string, mode: OpenMode): number {
    const file = this.#native.open(path, FLAGS[mode]);
    if (file < 0) throw this.#error(file, 'open', path);
    this.opened(file, path);
    return file;
  }

  override close(file: number): void {
    this.#unmap(file);
    const path = this.forget(file);
    const result = this.#native.close(file);
    if (result < 0) throw this.#error(result, 'close', path);
  }

  override size(file: number): number {
    const bytes = this.#native.fileSize(file);
    if (bytes < 0) throw this.#error(bytes, 'size', this.pathOf(file));
    return bytes;
  }

  override read(file: number, position: number, into: Memory, offset: number, length: number): number {
    if (into.id < 0) return this.#readThrough(file, position, into, offset, length);
    let done = 0;
    while (done < length) {
      const count = this.#native.read(file, into.id, offset + done, length - done, position + done);
      if (count < 0) throw this.#error(count, 'read', this.pathOf(file));
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  override write(file: number, position: number, pieces: Pieces): void {
    const { count, table } = pieces;
    for (let i = 0; i < count; i++) {
      if ((table[i * 3] as number) < 0) return this.#writeThrough(file, position, pieces);
    }
    let at = position;
    for (let first = 0; first < count; ) {
      let left = this.#native.writePieces(file, table, first, count - first, at);
      if (left < 0) throw this.#error(left, 'write', this.pathOf(file));
      const before = first;
      while (first < count && left >= pieces.lengthOf(first)) {
        left -= pieces.lengthOf(first);
        at += pieces.lengthOf(first);
        first += 1;
      }
      // The piece that the write ended within goes alone; what follows it is gathered again.
      if (left > 0) {
        const start = pieces.offsetOf(first) + left;
        const rest = pieces.lengthOf(first) - left;
        this.#writeRange(file, at + left, table[first * 3] as number, start, rest);
        at += left + rest;
        first += 1;
      } else if (first === before) {
        throw new DiskError('EIO', 'write', this.pathOf(file));
      }
    }
  }

  override writeBytes(file: number, position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const part = Math.min(SCRATCH_BYTES, bytes.length - done);
      this.#scratch.bytes.set(part === bytes.length ? bytes : bytes.subarray(done, done + part));
      this.#writeRange(file, position + done, this.#scratch.id, 0, part);
      done += part;
    }
  }

  #readThrough(file: number, position: number, into: Memory, offset: number, length: number): number {
    let done = 0;
    while (done < length) {
      const part = Math.min(SCRATCH_BYTES, length - done);
      const count = this.read(file, position + done, this.#scratch, 0, part);
      moveByWords(into, offset + done, this.#scratch, 0, count);
      done += count;
      if (count < part) break;
    }
    return done;
  }

  #writeThrough(file: number, position: number, pieces: Pieces): void {
    let at = position;
    for (let i = 0; i < pieces.count; i++) {
      const length = pieces.lengthOf(i);
      for (let done = 0; done < length; ) {
        const part = Math.min(SCRATCH_BYTES, length - done);
        moveByWords(this.#scratch, 0, pieces.memoryOf(i), pieces.offsetOf(i) + done, part);
        this.#writeRange(file, at, this.#scratch.id, 0, part);
        at += part;
        done += part;
      }
    }
  }

  override truncate(file: number, size: number): void {
    this.#expect(this.#native.truncate(file, size), 'truncate', file);
  }

  override sync(file: number): void {
    this.#expect(this.#native.syncData(file), 'sync', file);
  }

  /** The kernel's lock says it all, but for a portable broker, which has only written its name. */
  override lock(path: string): number {
    const file = this.open(path, 'create');
    try {
      const result = this.#native.lock(file);
      if (result < 0) throw this.#error(result, 'lock', path);
      const text = Buffer.from(this.readFile(path) ?? []).toString('latin1');
      if (ownerLives(text) === true) throw new DiskError('EAGAIN', 'lock', path);
      return file;
    } catch (problem) {
      this.close(file);
      throw problem;
    }
  }

  override searchIndex(file: number, kind: 'offset' | 'time', entries: number, target: number): number {
    if (entries === 0) return -1;
    const map = this.#mapOf(file, entries * (kind === 'offset' ? OFFSET_ENTRY_BYTES : TIME_ENTRY_BYTES));
    const slot =
      kind === 'offset'
        ? this.#native.searchOffset(map, entries, target)
        : this.#native.searchTime(map, entries, target);
    if (!this.owns(file)) this.#native.unmap(map);
    if (slot >= -1) return slot;
    // A map that lost its file stays without it; the file may be whole again.
    this.#unmap(file);
    throw this.#error(slot, 'searchIndex', this.pathOf(file));
  }

  /** The descriptor of another disk may be another file by the next call, so its map is not kept. */
  #mapOf(file: number, bytes: number): number {
    const found = this.#maps.get(file);
    if (found !== undefined && found.bytes >= bytes) return found.id;
    this.#unmap(file);
    let length = MAP_BYTES_MIN;
    while (length < bytes) length *= 2;
    const id = this.#native.map(file, length);
    if (id < 0) throw this.#error(id, 'searchIndex', this.pathOf(file));
    if (!this.owns(file)) return id;
    for (const oldest of this.#maps.keys()) {
      if (this.#maps.size < MAPS_MAX) break;
      this.#unmap(oldest);
    }
    this.#maps.set(file, { id, bytes: length });
    return id;
  }

  #unmap(file: number): void {
    const map = this.#maps.get(file);
    if (map === undefined) return;
    this.#maps.delete(file);
    this.#native.unmap(map.id);
  }

  #writeRange(file: number, position: number, memory: number, offset: number, length: number): void {
    for (let done = 0; done < length; ) {
      const count = this.#native.write(file, memory, offset + done, length - done, position + done);
      if (count < 0) throw this.#error(count, 'write', this.pathOf(file));
      if (count === 0) throw new DiskError('EIO', 'write', this.pathOf(file));
      done += count;
    }
  }

  #expect(result: number, operation: string, file: number): void {
    if (result < 0) throw this.#error(result, operation, this.pathOf(file));
  }

  #error(result: number, operation: string, path: string): DiskError {
    return new DiskError(this.#native.errorName(result), operation, path);
  }
}
