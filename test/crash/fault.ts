/**
 * Faults of the disk in a broker's process: a small library (faults.c) is loaded before the C library and lets calls on files
 * below a directory fail. What there is to fail, and the words that start a process with it.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../src/base/random.ts';

export const FAULT_CALLS = ['write', 'sync', 'open', 'rename'] as const;
const { EIO, ENOSPC } = constants.errno;

export interface Fault {
  readonly call: (typeof FAULT_CALLS)[number];
  /** The call that fails first, counted from 1. */
  readonly at: number;
  /** 0: all that follow, too. */
  readonly count: number;
  readonly errno: number;
  /** A write that arrives by half goes before. */
  readonly short: boolean;
  /** The data directory, by its number; null for all. */
  readonly directory: number | null;
  /** Counted from the start of the process, or from when it is ready. */
  readonly fromStart: boolean;
}

export function randomFault(random: Random, call: Fault['call'], at: number, directories: number): Fault {
  const which = random.below(directories + 1);
  return {
    call,
    at,
    count: random.below(2),
    errno: random.below(2) === 0 ? EIO : ENOSPC,
    short: random.below(2) === 0,
    directory: which === directories ? null : which,
    fromStart: random.below(3) === 0,
  };
}

/** Compiles the library. */
export function buildFaults(folder: string): string {
  const source = fileURLToPath(new URL('faults.c', import.meta.url));
  const library = join(folder, 'faults.so');
  const built = spawnSync('cc', ['-std=gnu11', '-O1', '-shared', '-fPIC', source, '-o', library, '-ldl']);
  if (built.status !== 0) throw new Error(`faults.c does not compile: ${built.stderr}`);
  return library;
}

export interface FaultPlaces {
  readonly library: string;
  readonly below: string;
  /** Calls count once this file is there. */
  readonly armed: string;
  /** Is made by the first failure. */
  readonly told: string;
}

/** What stands before the command that is to fail. */
export function faultWords({ call, at, count, errno, short }: Fault, places: FaultPlaces): string[] {
  const values = {
    LD_PRELOAD: places.library,
    FAULT_CALL: call,
    FAULT_BELOW: places.below,
    FAULT_AT: at,
    FAULT_COUNT: count,
    FAULT_ERRNO: errno,
    FAULT_SHORT: short ? 1 : 0,
    FAULT_ARMED: places.armed,
    FAULT_TOLD: places.told,
  };
  return ['env', ...Object.entries(values).map(([name, value]) => `${name}=${value}`)];
}
