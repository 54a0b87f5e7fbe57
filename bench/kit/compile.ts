/** Builds the C programs of a bench into `build/bench/`; nothing is rebuilt while the program is newer than its sources. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OUT = fileURLToPath(new URL('../../build/bench/', import.meta.url));

function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Compiles one C file, which may include headers of its own folder; gives the path of the program. */
export function compileC(source: string): string {
  const folder = dirname(source);
  const program = join(OUT, `${basename(folder)}-${basename(source, '.c')}`);
  const inputs = readdirSync(folder).filter((name) => name.endsWith('.h'));
  const newestMs = Math.max(changedMs(source), ...inputs.map((name) => changedMs(join(folder, name))));
  if (changedMs(program) > newestMs) return program;
  mkdirSync(OUT, { recursive: true });
  try {
    execFileSync(process.env.CC ?? 'cc', ['-O2', '-Wall', '-Wextra', '-o', program, source], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('the yardstick needs a C compiler (cc); install gcc or clang');
    throw error;
  }
  return program;
}
