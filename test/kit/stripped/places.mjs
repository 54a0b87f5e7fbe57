/** Where a source without its types lies, and where an entry together with all it imports. */
import { fileURLToPath } from 'node:url';
import { ENTRIES } from '../../../scripts/entries.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MADE = `${ROOT}build/stripped/`;
/** What V8 has compiled, for the next thread. */
export const CACHE_FOLDER = `${MADE}compiled`;
export const SOURCE_FOLDER = `${ROOT}src/`;

/** A variable of the environment: the bundles are of this run, nobody need look whether they are older than a source. */
export const FRESH = 'ODRADEK_BUNDLES_ARE_FRESH';

/** By an entry's source, its bundle. */
export const BUNDLES = new Map(ENTRIES.map((name) => [`${SOURCE_FOLDER}${name}.ts`, `${MADE}${name}.bundle.mjs`]));

/** Null for a file that is no source of ours. */
export function strippedPath(source) {
  return source.startsWith(SOURCE_FOLDER) && source.endsWith('.ts')
    ? `${MADE}${source.slice(SOURCE_FOLDER.length)}.mjs`
    : null;
}
