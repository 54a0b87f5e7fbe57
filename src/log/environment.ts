/** What the logs of one thread need of the world, made once and shared by all of them. */
import type { Kernels } from '../base/kernels.ts';
import type { Memory } from '../base/memory.ts';
import type { Random } from '../base/random.ts';
import type { Disk } from './disk.ts';
import type { FileCache } from './files.ts';

/** What the scratch memory must hold at least: a window of batch headers and an index entry. */
export const SCRATCH_BYTES_MIN = 65_536;

export interface LogEnvironment {
  readonly disk: Disk;
  readonly files: FileCache;
  readonly kernels: Kernels;
  readonly random: Random;
  /** Where files are read to: known to disk and kernels, used by one log at a time, nothing in it outlives a call. */
  readonly scratch: Memory;
  /** The records of a compressed batch as they were before; throws when they do not decompress. */
  decompress(codec: number, memory: Memory, offset: number, length: number): Uint8Array;
}
