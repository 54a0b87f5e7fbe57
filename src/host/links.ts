/**
 * The shared memory between roles: for each pair two rings, and letters where a handler speaks to a processor. What a role
 * that is gone leaves serves those that come, so that there is never more of it than was in use at a time: a thread that has
 * little garbage to collect would hold on to all that it was ever told of.
 */
import { newLetters } from '../runtime/rings/letters.ts';
import { newRing } from '../runtime/rings/ring.ts';
import { RING_SLOTS } from '../runtime/shared.ts';

export interface LinkMemory {
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
  readonly letters: SharedArrayBuffer | null;
}

interface Kept extends LinkMemory {
  readonly a: string;
  readonly b: string;
}

/** Where rings and letters keep how far they are. */
const MARKS_BYTES = 128;
const WITH_LETTERS: ReadonlySet<string> = new Set(['hp', 'ph']);

export class Links {
  readonly #links: Kept[] = [];
  readonly #spareRings: SharedArrayBuffer[] = [];
  readonly #spareLetters: SharedArrayBuffer[] = [];

  /** For a new pair: nothing is in it. */
  add(a: string, b: string): LinkMemory {
    const ring = () => this.#spareRings.pop() ?? newRing(RING_SLOTS);
    const lettered = WITH_LETTERS.has(`${a[0]}${b[0]}`);
    const letters = lettered ? (this.#spareLetters.pop() ?? newLetters()) : null;
    const kept = { a, b, there: ring(), back: ring(), letters };
    this.#links.push(kept);
    return kept;
  }

  peersOf(role: string): string[] {
    return this.#links.flatMap(({ a, b }) => (a === role ? [b] : b === role ? [a] : []));
  }

  /** The role is gone, and nobody speaks to it any more. */
  remove(role: string): void {
    for (let at = this.#links.length - 1; at >= 0; at--) {
      const { a, b, there, back, letters } = this.#links[at] as Kept;
      if (a !== role && b !== role) continue;
      this.#links.splice(at, 1);
      this.#spareRings.push(emptied(there), emptied(back));
      if (letters !== null) this.#spareLetters.push(emptied(letters));
    }
  }
}

function emptied(memory: SharedArrayBuffer): SharedArrayBuffer {
  new Uint8Array(memory, 0, MARKS_BYTES).fill(0);
  return memory;
}
