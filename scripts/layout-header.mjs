// Makes native/layout.h from the plain number constants of src/runtime/ground/layout.ts, so that both sides of the addon agree
// on where things lie. The header is committed, because an installed package has no sources; a test compares the two.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param {string} source the text of layout.ts */
export function layoutHeader(source) {
  const constants = [...source.matchAll(/^export const ([A-Z][A-Z0-9_]*) = (\d+);$/gm)];
  if (constants.length === 0) throw new Error('layout.ts has no line of the form: export const NAME = number;');
  const lines = constants.map(([, name, value]) => `inline constexpr int ${name} = ${value};`);
  return `// Made from src/runtime/ground/layout.ts by scripts/layout-header.mjs; change it there.
#pragma once

namespace odradek {

${lines.join('\n')}

}  // namespace odradek
`;
}

/**
 * Writes only what changed.
 * @param {string} root the project's folder
 */
export function writeLayoutHeader(root) {
  const target = join(root, 'native/layout.h');
  const header = layoutHeader(readFileSync(join(root, 'src/runtime/ground/layout.ts'), 'utf8'));
  if (!existsSync(target) || readFileSync(target, 'utf8') !== header) writeFileSync(target, header);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeLayoutHeader(fileURLToPath(new URL('..', import.meta.url)));
