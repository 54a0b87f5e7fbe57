/**
 * What npm runs where the package is installed: builds the addon if this machine can. It never fails an installation,
 * because the broker runs without the addon, on the portable transport.
 */
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
try {
  const { buildAddon } = await import('./build-addon.mjs');
  const result = await buildAddon({ root });
  if (!result.built) say(result.reason);
} catch (error) {
  say(error.message);
}

function say(reason) {
  process.stdout.write(`odradek: no addon, so the portable transport runs (slower, same behaviour): ${reason}\n`);
}
