/**
 * The tree of a metadata store in memory: decides whether a multi can be made and makes it, whole or not at all. Knows
 * nothing of disks and clocks; the embedded store stands on it, and so may a simulated ensemble with many sessions.
 */
import { assert } from '../base/assert.ts';
import type { Conflict, StoredNode, StoreWrite } from '../cluster/metadata-store.ts';
import { ANY_VERSION } from '../cluster/metadata-store.ts';

interface TreeNode {
  readonly stored: StoredNode;
  readonly children: Set<string>;
}

/** A path whose watchers must be told, and of what. */
export interface Touched {
  readonly path: string;
  readonly kind: 'data' | 'children';
}

export type TreeResult =
  | { readonly done: true; readonly touched: Touched[] }
  | { readonly done: false; readonly index: number; readonly conflict: Conflict };

/** A node as snapshots keep it; parents come before their children. */
export type SavedNode = readonly [path: string, data: string, version: number, created: number, owner: number];

const ROOT: StoredNode = { data: '', version: 0, created: 0, owner: 0 };

export class NodeTree {
  readonly #nodes = new Map<string, TreeNode>([['/', { stored: ROOT, children: new Set() }]]);

  /** Nodes beside the root. */
  get size(): number {
    return this.#nodes.size - 1;
  }

  read(path: string): StoredNode | null {
    return this.#nodes.get(path)?.stored ?? null;
  }

  children(path: string): string[] | null {
    const node = this.#nodes.get(path);
    return node === undefined ? null : Array.from(node.children).sort();
  }

  /** Each write sees the ones before it. `session` becomes the owner of ephemeral nodes. */
  multi(writes: readonly StoreWrite[], transaction: number, session: number): TreeResult {
    const undo: (() => void)[] = [];
    const touched: Touched[] = [];
    for (const [index, write] of writes.entries()) {
      const conflict = this.#write(write, transaction, session, undo, touched);
      if (conflict !== null) {
        for (let i = undo.length - 1; i >= 0; i--) (undo[i] as () => void)();
        return { done: false, index, conflict };
      }
    }
    return { done: true, touched };
  }

  /** Removes the ephemeral nodes of one session, or of every session. */
  endSessions(session: number | null = null): Touched[] {
    const touched: Touched[] = [];
    for (const [path, node] of this.#nodes) {
      const { owner } = node.stored;
      if (owner === 0 || (session !== null && owner !== session)) continue;
      this.#unlink(path);
      touched.push({ path, kind: 'data' }, { path: parentOf(path), kind: 'children' });
    }
    return touched;
  }

  *save(): Generator<SavedNode> {
    const waiting = ['/'];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const node = this.#nodes.get(path) as TreeNode;
      const { data, version, created, owner } = node.stored;
      if (path !== '/') yield [path, data, version, created, owner];
      for (const name of node.children) waiting.push(childPath(path, name));
    }
  }

  restore([path, data, version, created, owner]: SavedNode): void {
    assert(this.#nodes.has(parentOf(path)) && !this.#nodes.has(path), 'saved node is out of place', { path });
    this.#link(path, { stored: { data, version, created, owner }, children: new Set() });
  }

  #write(
    write: StoreWrite,
    transaction: number,
    session: number,
    undo: (() => void)[],
    touched: Touched[],
  ): Conflict | null {
    const { path } = write;
    const node = this.#nodes.get(path);
    if (write.kind === 'create') {
      if (node !== undefined) return 'exists';
      const parent = this.#nodes.get(parentOf(path));
      if (parent === undefined) return 'missing';
      if (parent.stored.owner !== 0) return 'ephemeral-parent';
      const owner = write.ephemeral === true ? session : 0;
      this.#link(path, { stored: { data: write.data, version: 0, created: transaction, owner }, children: new Set() });
      undo.push(() => this.#unlink(path));
      touched.push({ path, kind: 'data' }, { path: parentOf(path), kind: 'children' });
      return null;
    }
    if (node === undefined) return 'missing';
    if (write.version !== ANY_VERSION && write.version !== node.stored.version) return 'version';
    if (write.kind === 'set') {
      const stored = { ...node.stored, data: write.data, version: node.stored.version + 1 };
      this.#nodes.set(path, { stored, children: node.children });
      undo.push(() => this.#nodes.set(path, node));
      touched.push({ path, kind: 'data' });
    } else if (write.kind === 'delete') {
      if (node.children.size > 0) return 'children';
      this.#unlink(path);
      undo.push(() => this.#link(path, node));
      touched.push({ path, kind: 'data' }, { path: parentOf(path), kind: 'children' });
    }
    return null;
  }

  #link(path: string, node: TreeNode): void {
    this.#nodes.set(path, node);
    (this.#nodes.get(parentOf(path)) as TreeNode).children.add(nameOf(path));
  }

  #unlink(path: string): void {
    this.#nodes.delete(path);
    (this.#nodes.get(parentOf(path)) as TreeNode).children.delete(nameOf(path));
  }
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, slash);
}

export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Paths are made by us, never taken from a client unchecked: a bad one is a bug. Only the root may not be written to. */
export function checkPath(path: string, writing: boolean): void {
  const good = /^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/.test(path) || (path === '/' && !writing);
  assert(good, 'not a path of the store', { path });
}
