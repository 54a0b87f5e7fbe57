/**
 * Before the first test: every source without its types, line for line, for the threads and processes the tests start, and
 * what they begin with as one file each.
 */
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { bundled } from '../../../scripts/bundle.mjs';
import { BUNDLES, FRESH, SOURCE_FOLDER, strippedPath } from './places.mjs';

/** It is experimental, and says so; tests are no place to read that. */
function stripped(source) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whole or not at all: another run may be reading it. */
function write(target, code) {
  mkdirSync(path.dirname(target), { recursive: true });
  const made = `${target}.${process.pid}`;
  writeFileSync(made, code);
  renameSync(made, target);
}

export default async function strip(project) {
  for (const name of globSync('**/*.ts', { cwd: SOURCE_FOLDER })) {
    const source = path.join(SOURCE_FOLDER, name);
    write(strippedPath(source), stripped(readFileSync(source, 'utf8')));
  }
  await Promise.all(Array.from(BUNDLES, async ([source, bundle]) => write(bundle, await bundled(source))));
  // Sources change under a runner that watches them.
  if (project.vitest.config.watch !== true) process.env[FRESH] = 'yes';
}
