/**
 * The seam to whatever keeps the cluster's truth: a tree of paths with data and versions, changed by atomic multis, with
 * ephemeral nodes, watches and a session. Shaped after ZooKeeper, so that an ensemble fits behind it as well as a file.
 *
 * One handle is one session. What one handle asks is carried out in the order it was asked, and a read shows nothing that
 * a crash could still take back.
 */

export interface StoredNode {
  readonly data: string;
  /** 0 when created, one more with each set. */
  readonly version: number;
  /** The transaction that created it: of two nodes that had one path after another, the younger has the higher number. */
  readonly created: number;
  /** The session that the node dies with, 0 for one that stays. */
  readonly owner: number;
}

/** Takes the node at whatever version it has. */
export const ANY_VERSION = -1;

export type StoreWrite =
  | { readonly kind: 'check'; readonly path: string; readonly version: number }
  | { readonly kind: 'create'; readonly path: string; readonly data: string; readonly ephemeral?: boolean }
  | { readonly kind: 'set'; readonly path: string; readonly data: string; readonly version: number }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number };

/**
 * Why a multi was refused: the node is there already; it or its parent is not there; its version is another one; it has
 * children; its parent is ephemeral.
 */
export type Conflict = 'exists' | 'missing' | 'version' | 'children' | 'ephemeral-parent';

/** All writes were made and are durable, or none was made. `index` is the first write that could not be made. */
export type MultiResult =
  | { readonly done: true; readonly transaction: number }
  | { readonly done: false; readonly index: number; readonly conflict: Conflict };

/** `data` fires when the node comes, changes or goes; `children` when a child comes or goes. */
export type WatchKind = 'data' | 'children';

export interface StoreSession {
  readonly id: number;
  /** Higher than the token of every session that began before. */
  readonly fencingToken: number;
  readonly expired: boolean;
  /** Called once, when the session's ephemeral nodes may be gone: its owner must stop acting for them. */
  onExpired(listener: (reason: Error) => void): void;
}

/** The store cannot serve any more (its disk failed, it was closed, the session expired). Conflicts are no errors. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

export interface MetadataStore {
  readonly session: StoreSession;
  /** Null when there is no such node. */
  read(path: string): Promise<StoredNode | null>;
  /** Names, not paths, in alphabetical order; null when there is no such node. */
  children(path: string): Promise<string[] | null>;
  /** When the promise is rejected, nobody knows whether the writes were made. */
  multi(writes: readonly StoreWrite[]): Promise<MultiResult>;
  /**
   * Stays until the returned function is called. The listener is told that something is different, not what: it runs
   * before any read shows the change, and changes that come close together may be told once.
   */
  watch(path: string, kind: WatchKind, listener: () => void): () => void;
  /** Ends the session: its ephemeral nodes go. */
  close(): Promise<void>;
}
