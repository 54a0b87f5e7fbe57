/** A control group of the kernel that gives its processes so much memory and no more, page cache included. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

const ROOTS = [
  { path: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' },
  { path: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak' },
] as const;

export class MemoryLimit {
  /** Words to put in front of a command, which then runs within the limit. */
  readonly words: readonly string[];
  readonly #path: string;
  readonly #peak: string;

  private constructor(path: string, peak: string) {
    this.#path = path;
    this.#peak = peak;
    this.words = ['sh', '-c', `echo $$ > ${path}/cgroup.procs && exec "$@"`, 'sh'];
  }

  /** Null where this process may not make one. */
  static make(name: string, bytes: number): MemoryLimit | null {
    for (const { path: root, limit, peak } of ROOTS) {
      const path = `${root}/odradek-${name}-${process.pid}`;
      if (!isMade(path)) continue;
      if (existsSync(`${path}/${limit}`) && existsSync(`${path}/${peak}`)) {
        writeFileSync(`${path}/${limit}`, String(bytes));
        return new MemoryLimit(path, peak);
      }
      rmdirSync(path);
    }
    return null;
  }

  /** The most that its processes have had. */
  get peakBytes(): number {
    return Number(readFileSync(`${this.#path}/${this.#peak}`, 'utf8'));
  }

  /** When its processes are gone. */
  remove(): void {
    rmdirSync(this.#path);
  }
}

/** Not where the system keeps that to others. */
function isMade(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (problem) {
    const { code } = problem as NodeJS.ErrnoException;
    if (['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes(code ?? '')) return false;
    throw problem;
  }
}
