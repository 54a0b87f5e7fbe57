/**
 * Finds the addon, once per thread. Without one the broker runs on the portable transport and disk, so that this says
 * why instead of throwing.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Native } from './native.ts';

/** The same from src/runtime and from dist/runtime. */
const ADDON = '../../../build/Release/addon.node';

let native: Native | null | undefined;
let problem: string | null = null;

/** Null when there is none, when it does not load, or when ODRADEK_TRANSPORT=portable says not to. */
export function loadAddon(): Native | null {
  if (native === undefined) native = load();
  return native;
}

/** Why `loadAddon` gives null; null when it gives an addon. */
export function addonProblem(): string | null {
  loadAddon();
  return problem;
}

function load(): Native | null {
  if (process.env.ODRADEK_TRANSPORT === 'portable') {
    problem = 'ODRADEK_TRANSPORT=portable is set';
    return null;
  }
  const path = fileURLToPath(new URL(ADDON, import.meta.url));
  if (!existsSync(path)) {
    problem = `the native addon is not built (no ${path})`;
    return null;
  }
  try {
    return createRequire(import.meta.url)(ADDON) as Native;
  } catch (error) {
    problem = `the native addon does not load: ${String((error as Error).message).split('\n', 1)[0]}`;
    return null;
  }
}
