/** Temporary directories of a bench: each goes with its owner, all that are left go when the bench is interrupted. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeInterruptedEnd } from './interrupt.ts';

const left = new Set<string>();

async function removeAll(): Promise<void> {
  for (const path of left) rmSync(path, { recursive: true, force: true });
}

/** Gives a new directory to `use` and removes it afterwards. */
export async function inDirectory<T>(parent: string, use: (path: string) => Promise<T> | T): Promise<T> {
  const path = mkdtempSync(join(parent, 'odradek-bench-'));
  left.add(path);
  beforeInterruptedEnd(removeAll);
  try {
    return await use(path);
  } finally {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    left.delete(path);
  }
}

/** Says so when the disk has not `bytes` to spare. */
export function expectRoom(parent: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(parent);
  if (bavail * bsize < bytes)
    throw new Error(
      `${parent} has ${Math.floor((bavail * bsize) / 1e9)} GB free and this bench writes up to ${Math.ceil(bytes / 1e9)} GB; name another directory with --dir`,
    );
}
