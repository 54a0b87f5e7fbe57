/** Places to look for, the same in every run, and what looking for each takes. */
import { SeededRandom } from '../../src/base/random.ts';

export function targetsBelow(end: number, count: number): Int32Array {
  const random = new SeededRandom(end);
  return Int32Array.from({ length: count }, () => random.below(end));
}

export function nsEach(targets: Int32Array, look: (target: number) => void): number {
  const startMs = performance.now();
  for (let i = 0; i < targets.length; i++) look(targets[i] as number);
  return ((performance.now() - startMs) * 1e6) / targets.length;
}
