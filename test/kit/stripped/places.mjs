/** Where a source without its types lies, and where an entry together with all it imports. */
import { fileURLToPath } from 'node:url';
import { ENTRIES } from '../../../scripts/entries.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MADE = `${ROOT}build/stripped/`;
export const SOURCE_FOLDER = `${ROOT}src/`;

/** By an entry's source, its bundle. */
export const BUNDLES = new Map(ENTRIES.map((name) => [`${SOURCE_FOLDER}${name}.ts`, `${MADE}${name}.bundle.mjs`]));

/** Null for a file that is no source of ours. */
export function strippedPath(source) {
  return source.startsWith(SOURCE_FOLDER) && source.endsWith('.ts')
    ? `${MADE}${source.slice(SOURCE_FOLDER.length)}.mjs`
    : null;
}
