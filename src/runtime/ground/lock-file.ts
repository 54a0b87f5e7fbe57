/**
 * The lock file of a directory. Two kinds of lock meet on it: the kernel's (the addon's, Kafka's), which dies with its
 * process, and the portable one, taken here, which is a file that one process could make, with who that is in it. Each
 * looks for the other.
 */
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { threadId } from 'node:worker_threads';
import { DiskError } from '../../log/disk.ts';

/** Each round of taking a lock ends with it, with an error, or because somebody else was faster. */
const LOCK_ROUNDS_MAX = 10;

/** The portable locks of this thread, by whole path. */
const locked = new Set<string>();

/**
 * Returns the descriptor; throws EAGAIN when somebody has it. A file whose owner is gone is moved aside, looked at once
 * more, and dropped: of two that do so, the slower finds the faster's file in its hands and puts it back.
 */
export function takeLock(path: string): number {
  if (locked.has(path)) throw new DiskError('EAGAIN', 'lock', path);
  for (let round = 0; round < LOCK_ROUNDS_MAX; round++) {
    const file = createLock(path);
    if (file !== null) {
      locked.add(path);
      return file;
    }
    dropStaleLock(path);
  }
  throw new DiskError('EAGAIN', 'lock', path);
}

export function dropLock(path: string): void {
  unlinkSync(path);
  locked.delete(path);
}

/** Made aside and linked into place, so that nobody sees one without its text. Null when there is one. */
function createLock(path: string): number | null {
  const made = nameAside(path, 'new');
  const file = openSync(made, 'w+', 0o644);
  try {
    writeSync(file, ownText(), 0);
    linkSync(made, path);
    return file;
  } catch (error) {
    closeSync(file);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  } finally {
    unlinkSync(made);
  }
}

function nameAside(path: string, kind: 'new' | 'old'): string {
  return `${path}.${kind}.${process.pid}.${threadId}`;
}

function dropStaleLock(path: string): void {
  const aside = nameAside(path, 'old');
  try {
    refuseHeld(path);
    renameSync(path, aside);
  } catch (error) {
    // Somebody else has just dropped it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    refuseHeld(aside);
  } catch (error) {
    if (!existsSync(path)) linkSync(aside, path);
    throw error;
  } finally {
    unlinkSync(aside);
  }
}

/** An owner that cannot be told from a gone one is taken for alive, except this process, whose own locks are known. */
function refuseHeld(path: string): void {
  const text = readFileSync(path, 'latin1');
  const lives = ownerLives(text) ?? !text.startsWith(`${process.pid} `);
  if (lives || lockedByKernel(path)) throw new DiskError('EAGAIN', 'lock', path);
}

/** "pid start": start is the kernel's time of the process's beginning, so that a pid used again is not taken for it. */
function ownText(): string {
  return `${process.pid} ${startOf('self') ?? ''}\n`;
}

/** Whether the process that a lock file names is there; null when that cannot be told. */
export function ownerLives(text: string): boolean | null {
  const found = /^(\d+) (\d*)\n$/.exec(text);
  if (found === null) return false;
  const pid = Number(found[1]);
  const start = startOf(String(pid));
  if (start !== null && found[2] !== '') return start === found[2];
  if (pid === process.pid) return null;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    return code === 'EPERM' ? true : null;
  }
}

/** Whether the kernel holds a lock on the file for anybody. False where the kernel does not say. */
function lockedByKernel(path: string): boolean {
  const locks = readProc('/proc/locks');
  if (locks === null) return false;
  const { dev, ino } = statSync(path);
  const major = Math.floor(dev / 0x100) & 0xfff;
  const minor = (dev & 0xff) | (Math.floor(dev / 0x1000) & 0xfff00);
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return locks.includes(` ${hex(major)}:${hex(minor)}:${ino} `);
}

/** Field 22 of the process's status line; its second field, in brackets, may hold anything. */
function startOf(pid: string): string | null {
  const status = readProc(`/proc/${pid}/stat`);
  return status?.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/** Null off Linux, for a process that is gone, and where a runtime keeps /proc closed. */
function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
