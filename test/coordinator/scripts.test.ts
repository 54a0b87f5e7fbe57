/**
 * The classic group protocol by its scripts: each file under scripts/ is run, and what comes out is what it says. To take over
 * what comes out: npx vitest run --project native test/coordinator/scripts.test.ts -u
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runScript } from './script.ts';

const FOLDER = fileURLToPath(new URL('scripts/', import.meta.url));
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test.each(scripts)('%s', async (name) => {
  await expect(runScript(readFileSync(`${FOLDER}${name}`, 'utf8'))).toMatchFileSnapshot(`${FOLDER}${name}`);
});
