/**
 * A job: copies the files of a partition to another directory while its owner goes on writing, and, once the owner stands
 * still, copies the rest, makes it durable and puts the copy in the partition's place. A crash at any step leaves one
 * whole copy under the partition's name, or two that end alike.
 *
 * A log file is only ever appended to: one that keeps its inode grows by what is missing. Other files are copied again when
 * they have changed.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type CopiedFile, MOVE_MARK, type MovePartition, type MoveResult } from '../log/move.ts';
import { CLEANED, DELETED, LOG, SWAP } from '../log/names.ts';

const NEVER = -1n;
/** Time stamps of files are as coarse as the system's clock tick. */
const YOUNG_NS = 1_000_000_000n;
const CHUNK_BYTES = 1_048_576;
const PASSED_OVER = [DELETED, CLEANED, SWAP, '.tmp'];

export default function movePartition(job: MovePartition): MoveResult {
  if (job.step === 'remove') {
    rmSync(job.copy, { recursive: true, force: true });
    return { copied: [], bytes: 0, sourceProblem: null };
  }
  const pass = copyChanged(job.source, job.copy, job.copied);
  return job.step === 'copy' ? pass : { ...pass, sourceProblem: takePlace(job, pass.copied) };
}

function copyChanged(source: string, copy: string, before: readonly CopiedFile[]): MoveResult {
  const known = new Map(before.map((file) => [file.name, file]));
  const copied: CopiedFile[] = [];
  let bytes = 0;
  for (const name of readdirSync(source)) {
    if (PASSED_OVER.some((suffix) => name.endsWith(suffix))) continue;
    const path = join(source, name);
    const now = BigInt(Date.now()) * 1_000_000n;
    // One that retention has just taken away is missed by nobody.
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) continue;
    const size = Number(stat.size);
    const changed = now - stat.mtimeNs < YOUNG_NS ? NEVER : stat.mtimeNs;
    const old = known.get(name);
    const file = { name, inode: stat.ino, size, changed };
    if (old?.inode === file.inode && old.size === size && (name.endsWith(LOG) || old.changed === stat.mtimeNs)) {
      copied.push(file);
      continue;
    }
    const grown = old?.inode === file.inode && name.endsWith(LOG) && size > old.size;
    const from = grown ? old.size : 0;
    if (!copyRange(path, join(copy, name), from, size)) continue;
    copied.push(file);
    bytes += size - from;
  }
  return { copied, bytes, sourceProblem: null };
}

/** Puts [from, size) of a file into its copy, which then ends there. What is empty stays a hole. False when it is gone. */
function copyRange(source: string, copy: string, from: number, size: number): boolean {
  const input = openIfThere(source);
  if (input === null) return false;
  const output = openSync(copy, from === 0 ? 'w' : 'r+');
  try {
    ftruncateSync(output, from);
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const empty = Buffer.alloc(CHUNK_BYTES);
    for (let at = from; at < size; ) {
      const got = readSync(input, chunk, 0, Math.min(CHUNK_BYTES, size - at), at);
      if (got === 0) break;
      if (chunk.compare(empty, 0, got, 0, got) !== 0) write(output, chunk, got, at);
      at += got;
    }
    ftruncateSync(output, size);
    fdatasyncSync(output);
    return true;
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

function write(file: number, chunk: Buffer, length: number, position: number): void {
  for (let done = 0; done < length; ) done += writeSync(file, chunk, done, length - done, position + done);
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== 'ENOENT') throw problem;
    return null;
  }
}

/** The owner stands still and the copy is whole. Returns why the source is still in its place, null when it is not. */
function takePlace(job: Extract<MovePartition, { step: 'finish' }>, copied: readonly CopiedFile[]): string | null {
  const { source, copy, target, retired } = job;
  const wanted = new Set(copied.map(({ name }) => name));
  for (const name of readdirSync(copy)) if (!wanted.has(name)) rmSync(join(copy, name));
  writeFileSync(join(copy, MOVE_MARK), '');
  syncDirectory(copy);
  renameSync(copy, target);
  try {
    syncDirectory(dirname(target));
  } catch (problem) {
    renameSync(target, copy);
    throw problem;
  }
  try {
    renameSync(source, retired);
    syncDirectory(dirname(source));
  } catch (problem) {
    return (problem as Error).message;
  }
  return null;
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
