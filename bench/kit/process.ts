/** What Linux says about a running process from outside: CPU time, memory, who listens on a port. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** CPU seconds of each living thread by its name, by the scheduler's nanosecond account; threads of one name together. */
export function threadCpuSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim();
      const ns = Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]);
      seconds.set(name, (seconds.get(name) ?? 0) + ns / 1e9);
    } catch (error) {
      // A thread that ended while the list was read has no file any more.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ESRCH')
        throw error;
    }
  }
  return seconds;
}

/** Of all living threads. */
export function cpuSeconds(pid: number): number {
  let sum = 0;
  for (const seconds of threadCpuSeconds(pid).values()) sum += seconds;
  return sum;
}

/** The names that the threads of a process have given themselves. */
export function threadNames(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim());
}

export interface ProcessMemory {
  anonymousBytes: number;
  fileBytes: number;
  sharedBytes: number;
  threads: number;
}

export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status);
    if (!found) throw new Error(`/proc/${pid}/status has no ${name}`);
    return Number(found[1]);
  };
  return {
    anonymousBytes: field('RssAnon') * 1024,
    fileBytes: field('RssFile') * 1024,
    sharedBytes: field('RssShmem') * 1024,
    threads: field('Threads'),
  };
}

/** What it has read so far by system calls, from disks and from the page cache. */
export function readBytes(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The process that listens on a TCP port of this machine, or undefined. A command that starts a server may not be the server. */
export function listenerOf(port: number): number | undefined {
  const wanted = new Set<string>();
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A' && fields[1]?.endsWith(suffix)) wanted.add(`socket:[${fields[9]}]`);
    }
  }
  if (wanted.size === 0) return undefined;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    if (descriptorsOf(entry).some((target) => wanted.has(target))) return Number(entry);
  }
  return undefined;
}

function descriptorsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${name}`)];
      } catch {
        return [];
      }
    });
  } catch {
    // Another user's process, or one that has just ended: neither is ours.
    return [];
  }
}
