/** Where a source without its types lies. */
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const SOURCE_FOLDER = `${ROOT}src/`;

/** Null for a file that is no source of ours. */
export function strippedPath(source) {
  return source.startsWith(SOURCE_FOLDER) && source.endsWith('.ts')
    ? `${ROOT}build/stripped/${source.slice(SOURCE_FOLDER.length)}.mjs`
    : null;
}
