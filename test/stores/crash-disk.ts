/**
 * A disk in memory that can lose power: at a chosen call, or between calls. Then a random part of what was not synced is
 * left: writes whole, torn by sectors or cut at any byte, in any order; names as an ordered prefix of what was done.
 */
import type { Memory, Pieces } from '../../src/base/memory.ts';
import type { Random } from '../../src/base/random.ts';
import type { Disk, OpenMode } from '../../src/log/disk.ts';
import { DiskError } from '../../src/log/disk.ts';

const SECTOR_BYTES = 512;

type Pending =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'size'; readonly size: number };

interface Inode {
  live: Uint8Array;
  durable: Uint8Array;
  pending: Pending[];
}

type NameChange =
  | { readonly kind: 'link'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

export class CrashDisk implements Disk {
  readonly #random: Random;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #pendingNames: NameChange[] = [];
  readonly #directories = new Set<string>();
  #open = new Map<number, { inode: Inode; path: string }>();
  #nextFile = 3;
  #off = false;
  #failure: string | null = null;
  /** Changing calls so far. */
  calls = 0;
  syncs = 0;
  /** The changing call at which the power goes; a write may be made in part. */
  powerOffAt = Number.POSITIVE_INFINITY;
  /** The changing call that fails with EIO, once. */
  failAt = Number.POSITIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /** What a machine that starts again finds. */
  crash(): void {
    this.#off = false;
    this.#open = new Map();
    const kept = this.#random.below(this.#pendingNames.length + 1);
    for (const change of this.#pendingNames.slice(0, kept)) changeName(this.#durableNames, change);
    this.#pendingNames = [];
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) {
      let bytes = inode.durable;
      for (const pending of inode.pending) bytes = this.#keepSome(bytes, pending);
      inode.live = bytes;
      inode.durable = bytes.slice();
      inode.pending = [];
    }
  }

  open(path: string, mode: OpenMode): number {
    let inode = this.#names.get(path);
    if (inode === undefined) {
      if (mode !== 'create') throw new DiskError('ENOENT', 'open', path);
      this.#change('open', path);
      inode = { live: new Uint8Array(0), durable: new Uint8Array(0), pending: [] };
      this.#rename({ kind: 'link', path, inode });
    }
    this.#open.set(this.#nextFile, { inode, path });
    return this.#nextFile++;
  }

  close(file: number): void {
    this.#inode(file);
    this.#open.delete(file);
  }

  size(file: number): number {
    return this.#inode(file).live.length;
  }

  read(file: number, position: number, into: Memory, offset: number, length: number): number {
    const part = this.#inode(file).live.subarray(position, position + length);
    into.bytes.set(part, offset);
    return part.length;
  }

  write(file: number, position: number, pieces: Pieces): void {
    let at = position;
    for (let i = 0; i < pieces.count; i++) {
      const from = pieces.offsetOf(i);
      this.writeBytes(file, at, pieces.memoryOf(i).bytes.subarray(from, from + pieces.lengthOf(i)));
      at += pieces.lengthOf(i);
    }
  }

  writeBytes(file: number, position: number, bytes: Uint8Array): void {
    const inode = this.#inode(file);
    const pending: Pending = { kind: 'write', position, bytes: bytes.slice() };
    inode.pending.push(pending);
    inode.live = written(inode.live, position, bytes);
    this.#change('write', this.#path(file));
  }

  truncate(file: number, size: number): void {
    const inode = this.#inode(file);
    inode.pending.push({ kind: 'size', size });
    inode.live = resized(inode.live, size);
    this.#change('truncate', this.#path(file));
  }

  sync(file: number): void {
    this.#change('sync', this.#path(file));
    this.syncs += 1;
    const inode = this.#inode(file);
    inode.durable = inode.live.slice();
    inode.pending = [];
  }

  list(directory: string): string[] {
    if (!this.#directories.has(directory)) throw new DiskError('ENOENT', 'list', directory);
    const inside = Array.from(this.#names.keys()).filter((path) => path.startsWith(`${directory}/`));
    return inside.map((path) => path.slice(directory.length + 1));
  }

  readFile(path: string): Uint8Array | null {
    return this.#names.get(path)?.live.slice() ?? null;
  }

  exists(path: string): boolean {
    return this.#names.has(path) || this.#directories.has(path);
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  makeDirectory(path: string): void {
    this.#directories.add(path);
  }

  removeDirectory(path: string): void {
    this.#directories.delete(path);
  }

  rename(from: string, to: string): void {
    if (!this.#names.has(from)) throw new DiskError('ENOENT', 'rename', from);
    this.#change('rename', from);
    this.#rename({ kind: 'rename', from, to });
  }

  remove(path: string): void {
    if (!this.#names.has(path)) throw new DiskError('ENOENT', 'remove', path);
    this.#change('remove', path);
    this.#rename({ kind: 'unlink', path });
  }

  syncDirectory(path: string): void {
    this.#change('sync', path);
    for (const change of this.#pendingNames) changeName(this.#durableNames, change);
    this.#pendingNames = [];
  }

  lock(path: string): number {
    return this.open(path, 'create');
  }

  searchIndex(): number {
    throw new Error('a metadata store has no index files');
  }

  /** Changes one durable byte, as a failing medium does. */
  damage(path: string, position: number): void {
    const inode = this.#names.get(path) as Inode;
    inode.live = inode.live.slice();
    inode.live[position] = (inode.live[position] as number) ^ 0x10;
    inode.durable = inode.live.slice();
  }

  #inode(file: number): Inode {
    const open = this.#open.get(file);
    if (open === undefined) throw new DiskError('EBADF', 'use', String(file));
    return open.inode;
  }

  #path(file: number): string {
    return this.#open.get(file)?.path ?? '';
  }

  #rename(change: NameChange): void {
    this.#pendingNames.push(change);
    changeName(this.#names, change);
  }

  /** Counts a changing call and is where the world strikes. */
  #change(operation: string, path: string): void {
    this.calls += 1;
    if (this.calls >= this.powerOffAt) this.#off = true;
    if (this.#off) throw new DiskError('EPOWER', operation, path);
    if (this.calls === this.failAt) this.#failure = 'EIO';
    if (this.#failure === null) return;
    this.#failure = null;
    throw new DiskError('EIO', operation, path);
  }

  #keepSome(bytes: Uint8Array, pending: Pending): Uint8Array {
    const fate = this.#random.below(4);
    if (fate === 0) return bytes;
    if (pending.kind === 'size') return resized(bytes, pending.size);
    if (fate === 1) return written(bytes, pending.position, pending.bytes);
    if (fate === 2) {
      const cut = this.#random.below(pending.bytes.length + 1);
      return written(bytes, pending.position, pending.bytes.subarray(0, cut));
    }
    let torn = bytes;
    for (let at = 0; at < pending.bytes.length; at += SECTOR_BYTES) {
      if (this.#random.below(2) === 0) continue;
      torn = written(torn, pending.position + at, pending.bytes.subarray(at, at + SECTOR_BYTES));
    }
    return torn;
  }
}

function changeName(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === 'link') names.set(change.path, change.inode);
  else if (change.kind === 'unlink') names.delete(change.path);
  else {
    const inode = names.get(change.from) as Inode;
    names.delete(change.from);
    names.set(change.to, inode);
  }
}

function written(bytes: Uint8Array, position: number, piece: Uint8Array): Uint8Array {
  const out = resized(bytes, Math.max(bytes.length, position + piece.length));
  out.set(piece, position);
  return out;
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
}
