/**
 * Which modules the threads of a broker begin with. Its own, unless whoever starts it hands others in under `ENTRIES`: a name
 * that the package does not export, so that only the project's own tests put threads with faults in their place.
 */

export interface ThreadEntries {
  readonly thread: URL;
  readonly blocker: URL;
  /** Memory that these threads share with whoever handed them in. */
  readonly board: SharedArrayBuffer | null;
}

export const ENTRIES = Symbol('thread entries');

export interface WithEntries {
  readonly [ENTRIES]?: ThreadEntries;
}

function entry(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new URL(`../runtime/${name}${extension}`, import.meta.url);
}

const OWN: ThreadEntries = { thread: entry('thread-entry'), blocker: entry('blocker-entry'), board: null };

export function entriesOf(options: WithEntries): ThreadEntries {
  return options[ENTRIES] ?? OWN;
}
