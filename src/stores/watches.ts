/** Who wants to be told when a path of a metadata store is touched. A listener hears of each batch of changes once. */
import type { WatchKind } from '../cluster/metadata-store.ts';
import type { Touched } from './node-tree.ts';

export class Watches {
  readonly #data = new Map<string, Set<Watch>>();
  readonly #children = new Map<string, Set<Watch>>();

  add(path: string, kind: WatchKind, listener: () => void): () => void {
    const byPath = kind === 'data' ? this.#data : this.#children;
    const watch: Watch = { listener };
    const there = byPath.get(path);
    if (there === undefined) byPath.set(path, new Set([watch]));
    else there.add(watch);
    return () => {
      const watches = byPath.get(path);
      watches?.delete(watch);
      if (watches?.size === 0) byPath.delete(path);
    };
  }

  fire(touched: readonly Touched[]): void {
    const due = new Set<Watch>();
    for (const { path, kind } of touched) {
      const watches = (kind === 'data' ? this.#data : this.#children).get(path);
      if (watches !== undefined) for (const watch of watches) due.add(watch);
    }
    for (const watch of due) watch.listener();
  }
}

/** The same function may watch twice: what counts is the call that asked for it. */
interface Watch {
  readonly listener: () => void;
}
