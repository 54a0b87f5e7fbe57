/** Ways for a disk to fail: which calls, and how, and a disk that is about to. */
import type { Random } from '../../src/base/random.ts';
import type { SimulatedDisk } from './disk.ts';

export interface Fault {
  readonly operations: readonly string[];
  readonly code: string;
}

export const FAULTS: readonly Fault[] = [
  { operations: ['write'], code: 'EIO' },
  { operations: ['writeBytes'], code: 'EIO' },
  { operations: ['sync'], code: 'EIO' },
  { operations: ['syncDirectory'], code: 'EIO' },
  { operations: ['open'], code: 'EIO' },
  { operations: ['open'], code: 'EMFILE' },
  { operations: ['rename'], code: 'EIO' },
  { operations: ['truncate'], code: 'EIO' },
  { operations: ['read'], code: 'EIO' },
  { operations: ['searchIndex'], code: 'EIO' },
  { operations: ['remove'], code: 'EIO' },
  // A disk that is full.
  { operations: ['write', 'writeBytes', 'open', 'rename', 'truncate', 'makeDirectory'], code: 'ENOSPC' },
  // One that only reads.
  { operations: ['write', 'writeBytes', 'truncate', 'sync', 'syncDirectory', 'rename', 'remove'], code: 'EROFS' },
];

/** One of them, once or for ever, after a few calls; `failed` is told of each call that fails. */
export function armFault(disk: SimulatedDisk, random: Random, failed: (what: string) => void): void {
  const { operations, code } = FAULTS[random.below(FAULTS.length)] as Fault;
  let times = random.below(2) === 0 ? 1 : Number.POSITIVE_INFINITY;
  let calls = random.below(12);
  disk.fault = (operation, path) => {
    if (!operations.includes(operation) || calls-- > 0 || times-- <= 0) return null;
    failed(`${code} of ${operation} ${path}`);
    return code;
  };
}
