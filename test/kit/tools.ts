/**
 * Outside tools that some tests need. Where one is missing, `describe.skipIf(!hasTool('kcat'))` skips by name, and the reason is
 * printed once; in CI a missing tool is an error, because nothing may be skipped there.
 */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const found = new Map<string, boolean>();

export function hasTool(name: string): boolean {
  const known = found.get(name);
  if (known !== undefined) return known;
  const present = (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => isExecutable(path.join(folder, name)));
  if (!present && process.env.CI === 'true')
    throw new Error(`${name} is not on the PATH, and in CI nothing is skipped`);
  if (!present) process.stderr.write(`tests that need ${name} are skipped: it is not on the PATH\n`);
  found.set(name, present);
  return present;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
