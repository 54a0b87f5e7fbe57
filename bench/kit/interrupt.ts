/** What an interrupted bench does before it ends. Who has nothing to clear away installs nothing, and ends at once. */

const clearing = new Set<() => Promise<void>>();

export function beforeInterruptedEnd(clear: () => Promise<void>): void {
  if (clearing.size === 0) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(
        signal,
        () => void Promise.allSettled([...clearing].map((each) => each())).then(() => process.exit(130)),
      );
    }
  }
  clearing.add(clear);
}
