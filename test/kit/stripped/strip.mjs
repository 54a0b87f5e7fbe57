/** Before the first test: every source without its types, line for line, for the threads and processes the tests start. */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { SOURCE_FOLDER, strippedPath } from './places.mjs';

export default function strip() {
  for (const name of globSync('**/*.ts', { cwd: SOURCE_FOLDER })) {
    const source = path.join(SOURCE_FOLDER, name);
    const target = strippedPath(source);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, stripTypeScriptTypes(readFileSync(source, 'utf8')));
  }
}
