/**
 * V8's CPU profile of the thread that asks for it, from now until it ends: what DevTools, and whoever reads `.cpuprofile`,
 * shows as a flame graph. A thread that is not asked to pays nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { StartError } from '../base/start-error.ts';

const SAMPLE_EVERY_US = 500;

/** Gives what ends it and writes `<name>.cpuprofile`; a thread of a name that was there before gets a number behind it. */
export function startProfile(directory: string, name: string): () => void {
  make(directory);
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
  session.post('Profiler.start');
  return () => {
    // Within its own thread a session answers before `post` returns: nothing is left to wait for.
    session.post('Profiler.stop', (problem, answer) => {
      if (problem !== null) throw problem;
      writeAnew(directory, name, JSON.stringify(answer.profile));
    });
    session.disconnect();
  };
}

/** Until the thread's end, whoever ends it in order. */
export function profileUntilExit(directory: string, name: string): void {
  process.once('exit', startProfile(directory, name));
}

function make(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (problem) {
    const { code } = problem as NodeJS.ErrnoException;
    throw new StartError(`No profile can be written to ${directory} (${code}): name another folder.`, {
      cause: problem,
    });
  }
}

function writeAnew(directory: string, name: string, text: string): void {
  for (let number = 1; ; number++) {
    const path = join(directory, `${name}${number === 1 ? '' : `-${number}`}.cpuprofile`);
    try {
      writeFileSync(path, text, { flag: 'wx' });
      return;
    } catch (problem) {
      if ((problem as NodeJS.ErrnoException).code !== 'EEXIST') throw problem;
    }
  }
}
