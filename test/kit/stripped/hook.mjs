/**
 * Loaded first into every process and thread of the tests that imports sources past the runner: it hands out what
 * `strip.mjs` made. Node would strip the types itself, in WebAssembly compiled anew in each thread; threads that start and
 * end by the thousand then run into V8's register of code pages (`Check failed: jit_page.has_value()`), now and then.
 */
import { readFileSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { strippedPath } from './places.mjs';

function isFresh(stripped, source) {
  return (statSync(stripped, { throwIfNoEntry: false })?.mtimeMs ?? 0) > statSync(source).mtimeMs;
}

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:')) return nextLoad(url, context);
    const source = fileURLToPath(url);
    const stripped = strippedPath(source);
    // A source saved while the tests run is left to Node.
    if (stripped === null || !isFresh(stripped, source)) return nextLoad(url, context);
    return { format: 'module', source: readFileSync(stripped, 'utf8'), shortCircuit: true };
  },
});
