/**
 * What lies on the simulated disk: files and directories, each as it is seen now and as it is durable, with the changes that
 * lead from the one to the other. A crash decides the fate of each change; a copy shares nothing with what it was made of.
 */
import type { Random } from '../../src/base/random.ts';

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

/** Bytes that grow. */
class Content {
  #bytes = new Uint8Array(0);
  size = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') this.resize(change.size);
    else {
      this.resize(Math.max(this.size, change.position + change.bytes.length));
      this.#bytes.set(change.bytes, change.position);
    }
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2));
      grown.set(this.bytes);
      this.#bytes = grown;
    } else if (size > this.size) this.#bytes.fill(0, this.size, size);
    this.size = size;
  }

  become(other: Content): void {
    this.#bytes = other.bytes.slice();
    this.size = other.size;
  }
}

export class SimulatedFile {
  readonly current = new Content();
  readonly durable = new Content();
  changes: Change[] = [];
  locked = false;

  change(change: Change): void {
    this.current.apply(change);
    this.changes.push(change);
  }

  sync(): void {
    for (const change of this.changes) this.durable.apply(change);
    this.changes = [];
  }

  /** A sync has failed: bytes that were to become durable are still seen, and nobody will write them any more. */
  forget(): void {
    this.changes = this.changes.filter(({ kind }) => kind === 'truncate');
  }

  crash(random: Random): void {
    this.locked = false;
    for (const change of this.changes) {
      const fate = random.below(3);
      if (fate === 0) continue;
      if (fate === 1 && change.kind === 'write') {
        this.durable.apply({ ...change, bytes: change.bytes.subarray(0, random.below(change.bytes.length + 1)) });
      } else this.durable.apply(change);
    }
    this.changes = [];
    this.current.become(this.durable);
  }

  copy(): SimulatedFile {
    const copy = new SimulatedFile();
    copy.current.become(this.current);
    copy.durable.become(this.durable);
    copy.changes = this.changes.slice();
    return copy;
  }
}

export type Entry = SimulatedFile | SimulatedDirectory;
type Entries = Map<string, Entry>;

/** Names that go, then a name that comes: a rename is both, and one change. */
interface Renaming {
  readonly gone: string | null;
  readonly come: { readonly name: string; readonly entry: Entry } | null;
}

function rename(entries: Entries, { gone, come }: Renaming): void {
  if (gone !== null) entries.delete(gone);
  if (come !== null) entries.set(come.name, come.entry);
}

export class SimulatedDirectory {
  current: Entries = new Map();
  #durable: Entries = new Map();
  #changes: Renaming[] = [];

  change(change: Renaming): void {
    rename(this.current, change);
    this.#changes.push(change);
  }

  sync(): void {
    for (const change of this.#changes) rename(this.#durable, change);
    this.#changes = [];
  }

  crash(random: Random): void {
    const kept = random.below(this.#changes.length + 1);
    for (const change of this.#changes.slice(0, kept)) rename(this.#durable, change);
    this.#changes = [];
    this.current = new Map(this.#durable);
    for (const entry of this.current.values()) entry.crash(random);
  }

  /** `copies`: what was copied already. A file that is seen under one name and durable under another stays one file. */
  copy(copies = new Map<Entry, Entry>()): SimulatedDirectory {
    const copy = new SimulatedDirectory();
    copies.set(this, copy);
    const copyOf = (entry: Entry): Entry => {
      let known = copies.get(entry);
      if (known === undefined) {
        known = entry instanceof SimulatedFile ? entry.copy() : entry.copy(copies);
        copies.set(entry, known);
      }
      return known;
    };
    const copyAll = (entries: Entries): Entries =>
      new Map(Array.from(entries, ([name, entry]) => [name, copyOf(entry)]));
    copy.current = copyAll(this.current);
    copy.#durable = copyAll(this.#durable);
    copy.#changes = this.#changes.map(({ gone, come }) => ({
      gone,
      come: come === null ? null : { name: come.name, entry: copyOf(come.entry) },
    }));
    return copy;
  }
}
