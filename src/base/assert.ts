/** Programmer errors: a broken invariant throws with the values that broke it. Never for input or for the world's faults. */

export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

export function assert(condition: unknown, message: string, values?: Record<string, unknown>): asserts condition {
  if (!condition) throw new BrokenInvariant(values === undefined ? message : `${message} ${JSON.stringify(values)}`);
}
