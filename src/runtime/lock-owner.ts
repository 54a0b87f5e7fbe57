/**
 * Who holds a lock file. Two kinds of lock meet on it: the kernel's (the addon, Kafka itself), which dies with its
 * process, and the portable one, which is the holder's process id in the file. Each looks for the other.
 */
import { readFileSync, statSync } from 'node:fs';

/** "pid start": start is the kernel's time of the process's beginning, so that a pid used again is not taken for it. */
export function ownText(): string {
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
export function lockedByKernel(path: string): boolean {
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
