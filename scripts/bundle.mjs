/**
 * One file in place of the two hundred modules behind an entry: a thread, and the program itself, start in half the time.
 * `node scripts/bundle.mjs FOLDER` puts bundles in place of the entries that tsc has put there.
 */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { ENTRIES } from './entries.mjs';

/** Packages and what Node brings stay where they are. */
const EXTERNAL = /^(?:node:|[@a-z][^:]*$)/;

/** Modules name other files relative to their own place, which a bundle does not have: it names that place from its own. */
function places(entry) {
  const from = path.dirname(entry);
  return {
    name: 'places',
    transform(code, id) {
      if (id === entry || !code.includes('import.meta.url')) return null;
      const place = JSON.stringify(`./${path.relative(from, id).split(path.sep).join('/')}`);
      return { code: code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) };
    },
  };
}

/** The entry and all it imports, as one module that may lie where the entry lies. */
export async function bundled(entry) {
  const bundle = await rolldown({ input: entry, platform: 'node', external: EXTERNAL, plugins: [places(entry)] });
  try {
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.resolve(process.argv[2]);
  const made = await Promise.all(
    ENTRIES.map(async (name) => {
      const entry = path.join(folder, `${name}.js`);
      return { entry, code: await bundled(entry) };
    }),
  );
  for (const { entry, code } of made) {
    writeFileSync(`${entry}.new`, code);
    renameSync(`${entry}.new`, entry);
  }
}
