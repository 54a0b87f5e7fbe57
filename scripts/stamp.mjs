/** A stamp says which bytes a step last worked from; a step whose stamp still fits has nothing to do. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** All files under a directory, sorted, as paths from `root`. */
export function filesUnder(root, directory) {
  return readdirSync(path.join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** One hash over names and contents. A file that is not there counts as such. */
export function hashFiles(root, files, ...more) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file}\0`);
    hash.update(read(path.join(root, file)) ?? 'absent');
  }
  for (const word of more) hash.update(`\0${word}`);
  return hash.digest('hex');
}

export function stampFits(file, hash) {
  return read(file)?.toString() === hash;
}

export function writeStamp(file, hash) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, hash);
}

function read(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}
