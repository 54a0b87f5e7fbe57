/** Before the first test: every source without its types, line for line, for the threads and processes the tests start. */
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { SOURCE_FOLDER, strippedPath } from './places.mjs';

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

export default function strip() {
  for (const name of globSync('**/*.ts', { cwd: SOURCE_FOLDER })) {
    const source = path.join(SOURCE_FOLDER, name);
    const target = strippedPath(source);
    mkdirSync(path.dirname(target), { recursive: true });
    // Whole or not at all: another run may be reading it.
    const made = `${target}.${process.pid}`;
    writeFileSync(made, stripped(readFileSync(source, 'utf8')));
    renameSync(made, target);
  }
}
