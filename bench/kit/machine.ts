/** Where figures come from: the machine, how large the run was, and the commit; without them no two runs can be compared. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly model: string;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly node: string;
  /** quick: a few seconds, too little to trust. full: the largest data a suite knows of. */
  readonly size: 'quick' | 'normal' | 'full';
}

export function machineOf(size: Machine['size']): Machine {
  return {
    model: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: process.platform,
    architecture: process.arch,
    kernel: release(),
    node: process.version,
    size,
  };
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** Its short name, with a plus when files differ from it; `unknown` outside of a clone. */
export function commitOf(): string {
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
