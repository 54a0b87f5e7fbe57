/**
 * The metadata store of a single broker: a tree in memory and one journal file in the first log directory. It owns that
 * file. A multi is acknowledged when it is on the disk; after a crash all of it is there or nothing.
 *
 * The store is a file, not a directory: Kafka refuses a log directory with a sub-directory that is no partition, but
 * ignores files it does not know. The file begins with a snapshot of the tree; when the journal behind it has outgrown
 * the snapshot, the next file is written beside it and takes its place by a rename.
 *
 * What is asked in one turn of the event loop is carried out together, in order, with one sync. A failed write or sync is
 * never tried again: the store is broken from then on, says so to everybody, and its session counts as expired.
 */
import type { Kernels } from '../base/kernels.ts';
import type { Logger } from '../base/logger.ts';
import type {
  MetadataStore,
  MultiResult,
  StoredNode,
  StoreSession,
  StoreWrite,
  WatchKind,
} from '../cluster/metadata-store.ts';
import { StoreError } from '../cluster/metadata-store.ts';
import type { Disk } from '../log/disk.ts';
import { encodeMulti, StoreFile } from './embedded-file.ts';
import { BODY_BYTES_MAX } from './journal.ts';
import { checkPath } from './node-tree.ts';
import { Watches } from './watches.ts';

export const STORE_FILE = 'odradek-metadata.journal';
/** The journal may grow by this much, or by the size of its snapshot, before it is written anew. */
const GROWTH_BYTES = 4 * 1024 * 1024;

export interface EmbeddedStoreOptions {
  readonly disk: Disk;
  readonly kernels: Kernels;
  readonly logger: Logger;
  /** The first log directory: made durably and locked by its owner, so that nobody else has the store open. */
  readonly directory: string;
  readonly growthBytes?: number;
}

/** What was asked and not yet answered. */
type Waiting =
  | {
      readonly kind: 'multi';
      readonly writes: readonly StoreWrite[];
      readonly entry: Uint8Array | null;
      readonly answer: Answer<MultiResult>;
    }
  | { readonly kind: 'read'; readonly path: string; readonly answer: Answer<StoredNode | null> }
  | { readonly kind: 'children'; readonly path: string; readonly answer: Answer<string[] | null> }
  | { readonly kind: 'close'; readonly answer: Answer<void> };

type Answer<T> = PromiseWithResolvers<T>;

class EmbeddedSession implements StoreSession {
  /** The transaction that began it: later sessions have higher ones. */
  readonly id: number;
  readonly #listeners: ((reason: Error) => void)[] = [];
  #expired = false;

  constructor(id: number) {
    this.id = id;
  }

  get fencingToken(): number {
    return this.id;
  }

  get expired(): boolean {
    return this.#expired;
  }

  onExpired(listener: (reason: Error) => void): void {
    this.#listeners.push(listener);
  }

  /** Closed in order: its owner knows. */
  end(): void {
    this.#expired = true;
  }

  expire(reason: Error): void {
    this.#expired = true;
    for (const listener of this.#listeners) listener(reason);
  }
}

export class EmbeddedStore implements MetadataStore {
  readonly session: EmbeddedSession;
  readonly #file: StoreFile;
  readonly #watches = new Watches();
  readonly #logger: Logger;
  #waiting: Waiting[] = [];
  /** Why nothing more is served. */
  #over: StoreError | null = null;
  #closing = false;

  /** Throws a DiskError, or JournalDamaged when acknowledged data cannot be read any more. */
  static open(options: EmbeddedStoreOptions): EmbeddedStore {
    const { directory, disk, logger } = options;
    const path = `${directory}/${STORE_FILE}`;
    const file = new StoreFile(disk, options.kernels, directory, path, options.growthBytes ?? GROWTH_BYTES);
    if (file.tornBytes > 0) logger.warn('metadata store: cut a torn tail', { path, bytes: file.tornBytes });
    return new EmbeddedStore(file, logger);
  }

  private constructor(file: StoreFile, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
    this.session = new EmbeddedSession(file.session);
  }

  read(path: string): Promise<StoredNode | null> {
    checkPath(path, false);
    const answer = Promise.withResolvers<StoredNode | null>();
    return this.#ask({ kind: 'read', path, answer }, answer);
  }

  children(path: string): Promise<string[] | null> {
    checkPath(path, false);
    const answer = Promise.withResolvers<string[] | null>();
    return this.#ask({ kind: 'children', path, answer }, answer);
  }

  multi(writes: readonly StoreWrite[]): Promise<MultiResult> {
    for (const write of writes) checkPath(write.path, write.kind !== 'check');
    const entry = encodeMulti(this.session.id, writes);
    if (entry !== null && entry.length > BODY_BYTES_MAX) {
      return Promise.reject(new StoreError(`a multi of ${entry.length} bytes is above the limit of ${BODY_BYTES_MAX}`));
    }
    const answer = Promise.withResolvers<MultiResult>();
    return this.#ask({ kind: 'multi', writes, entry, answer }, answer);
  }

  watch(path: string, kind: WatchKind, listener: () => void): () => void {
    return this.#watches.add(path, kind, listener);
  }

  close(): Promise<void> {
    if (this.#over !== null) this.#file.close();
    if (this.#closing || this.#over !== null) return Promise.resolve();
    const answer = Promise.withResolvers<void>();
    const closed = this.#ask({ kind: 'close', answer }, answer);
    this.#closing = true;
    return closed;
  }

  #ask<T>(waiting: Waiting, answer: Answer<T>): Promise<T> {
    const over = this.#over ?? (this.#closing ? new StoreError('the metadata store is closed') : null);
    if (over !== null) {
      answer.reject(over);
      return answer.promise;
    }
    this.#waiting.push(waiting);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#serve());
    return answer.promise;
  }

  /** Carries out what waits, makes it durable, and only then answers and tells the watchers. */
  #serve(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const answers: (() => void)[] = [];
    try {
      for (const one of waiting) answers.push(this.#carryOut(one));
      this.#file.commit();
    } catch (error) {
      this.#break(error as Error, waiting);
      return;
    }
    for (const answer of answers) answer();
  }

  #carryOut(one: Waiting): () => void {
    switch (one.kind) {
      case 'read': {
        const node = this.#file.tree.read(one.path);
        return () => one.answer.resolve(node);
      }
      case 'children': {
        const names = this.#file.tree.children(one.path);
        return () => one.answer.resolve(names);
      }
      case 'multi': {
        const { result, touched } = this.#file.write(one.writes, one.entry);
        return () => {
          this.#watches.fire(touched);
          one.answer.resolve(result);
        };
      }
      case 'close': {
        const touched = this.#file.endSession();
        return () => {
          this.#watches.fire(touched);
          this.#file.close();
          this.#over = new StoreError('the metadata store is closed');
          this.session.end();
          one.answer.resolve();
        };
      }
    }
  }

  #break(cause: Error, waiting: readonly Waiting[]): void {
    this.#over = new StoreError(`the metadata store failed: ${cause.message}`, { cause });
    this.#logger.error('metadata store failed', { cause: cause.message });
    for (const one of waiting) one.answer.reject(this.#over);
    this.session.expire(this.#over);
  }
}
