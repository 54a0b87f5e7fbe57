/** Ways for a disk to fail: which calls, and how. */
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
