/**
 * Loaded first into every process and thread of the tests that imports sources past the runner: it hands out what
 * `strip.mjs` made. Node would strip the types itself, in WebAssembly compiled anew in each thread; threads that start and
 * end by the thousand then run into V8's register of code pages (`Check failed: jit_page.has_value()`), now and then.
 */
import { globSync, readFileSync, statSync } from 'node:fs';
import { enableCompileCache, registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLES, CACHE_FOLDER, FRESH, SOURCE_FOLDER, strippedPath } from './places.mjs';

function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** An entry with all it imports, unless one of the sources was saved since. */
function freshBundle(source) {
  const bundle = BUNDLES.get(source);
  if (bundle === undefined) return null;
  if (process.env[FRESH] === 'yes') return bundle;
  const madeMs = changedMs(bundle);
  const isFresh =
    madeMs > 0 &&
    globSync('**/*.ts', { cwd: SOURCE_FOLDER }).every((name) => changedMs(path.join(SOURCE_FOLDER, name)) < madeMs);
  return isFresh ? bundle : null;
}

/** A source saved while the tests run is left to Node. */
function freshStripped(source) {
  const stripped = strippedPath(source);
  return stripped !== null && changedMs(stripped) > changedMs(source) ? stripped : null;
}

enableCompileCache(CACHE_FOLDER);
registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:')) return nextLoad(url, context);
    const source = fileURLToPath(url);
    const made = freshBundle(source) ?? freshStripped(source);
    if (made === null) return nextLoad(url, context);
    return { format: 'module', source: readFileSync(made, 'utf8'), shortCircuit: true };
  },
});
