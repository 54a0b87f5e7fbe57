/**
 * The embedded store's tree together with its file: reads them in, writes down each change, and starts the file anew when
 * it has grown. What the tree shows before `commit` has returned is not yet durable.
 *
 *   snapshot { format, nodes: how many }      the first entry; then come
 *   nodes    { nodes: [[path, data, version, created, owner] ...] }
 *   session  {}                               a process has opened the store: ephemeral nodes of earlier ones are gone
 *   multi    { session, writes: [[letter, path, data?] ...] }
 *   end      {}                               the session was closed in order
 *
 * Versions and creation numbers follow from the order of the entries, so a multi need not carry them; checks need no entry.
 */
import type { Kernels } from '../base/kernels.ts';
import type { MultiResult, StoreWrite } from '../cluster/metadata-store.ts';
import { ANY_VERSION } from '../cluster/metadata-store.ts';
import type { Disk } from '../log/disk.ts';
import { Journal, JournalDamaged, readJournal } from './journal.ts';
import type { SavedNode, Touched } from './node-tree.ts';
import { NodeTree } from './node-tree.ts';

const FORMAT = 1;
const NODES_PER_ENTRY = 5000;
/** Of data in one entry of a snapshot; in the file a character takes three bytes at most, far from what an entry may have. */
const CHARACTERS_PER_ENTRY = 8 * 1024 * 1024;

type Letter = 'c' | 'e' | 's' | 'd';
type SavedWrite = readonly [letter: Letter, path: string, data?: string];

type Body =
  | { readonly kind: 'snapshot'; readonly format: number; readonly nodes: number }
  | { readonly kind: 'nodes'; readonly nodes: readonly SavedNode[] }
  | { readonly kind: 'session' }
  | { readonly kind: 'multi'; readonly session: number; readonly writes: readonly SavedWrite[] }
  | { readonly kind: 'end' };

const encoder = new TextEncoder();

function encode(body: Body): Uint8Array {
  return encoder.encode(JSON.stringify(body));
}

/** The entry of a multi, or null when it only checks. */
export function encodeMulti(session: number, writes: readonly StoreWrite[]): Uint8Array | null {
  const saved: SavedWrite[] = [];
  for (const write of writes) {
    if (write.kind === 'create') saved.push([write.ephemeral === true ? 'e' : 'c', write.path, write.data]);
    else if (write.kind === 'set') saved.push(['s', write.path, write.data]);
    else if (write.kind === 'delete') saved.push(['d', write.path]);
  }
  return saved.length === 0 ? null : encode({ kind: 'multi', session, writes: saved });
}

function decodeWrite([letter, path, data = '']: SavedWrite): StoreWrite {
  if (letter === 'd') return { kind: 'delete', path, version: ANY_VERSION };
  if (letter === 's') return { kind: 'set', path, data, version: ANY_VERSION };
  return { kind: 'create', path, data, ephemeral: letter === 'e' };
}

interface Loaded {
  readonly tree: NodeTree;
  readonly transaction: number;
  readonly snapshotBytes: number;
  readonly goodBytes: number;
  readonly tornBytes: number;
}

function load(bytes: Uint8Array, path: string, kernels: Kernels): Loaded {
  const { entries, goodBytes, tornBytes } = readJournal(bytes, path, kernels);
  const start = entries[0]?.body as Body | undefined;
  if (start?.kind !== 'snapshot') throw new JournalDamaged(`${path}: is no metadata store, or its start is damaged`);
  if (start.format !== FORMAT) {
    throw new JournalDamaged(`${path}: has format ${start.format}, but this version reads format ${FORMAT}`);
  }
  const tree = new NodeTree();
  let snapshotBytes = 0;
  let transaction = 0;
  for (const entry of entries) {
    const body = entry.body as Body;
    transaction = entry.transaction;
    if (body.kind === 'nodes') for (const node of body.nodes) tree.restore(node);
    else if (body.kind === 'session' || body.kind === 'end') tree.endSessions();
    else if (body.kind === 'multi') {
      const result = tree.multi(body.writes.map(decodeWrite), transaction, body.session);
      if (!result.done) throw new JournalDamaged(`${path}: transaction ${transaction} does not fit the ones before it`);
    } else if (body.kind !== 'snapshot') {
      throw new JournalDamaged(`${path}: transaction ${transaction} is of a kind that this version does not know`);
    }
    if (tree.size === start.nodes && snapshotBytes === 0) snapshotBytes = entry.end;
  }
  if (snapshotBytes === 0) throw new JournalDamaged(`${path}: its snapshot is not complete`);
  return { tree, transaction, snapshotBytes, goodBytes, tornBytes };
}

/** Puts a file with nothing but the tree in the place of the one that is there, and opens it. */
function startFile(
  disk: Disk,
  kernels: Kernels,
  directory: string,
  path: string,
  tree: NodeTree,
  transaction: number,
): Journal {
  const aside = asidePath(path);
  const file = disk.open(aside, 'create');
  const snapshot = new Journal(disk, kernels, file, 0, transaction);
  try {
    snapshot.add(encode({ kind: 'snapshot', format: FORMAT, nodes: tree.size }));
    let nodes: SavedNode[] = [];
    let characters = 0;
    for (const node of tree.save()) {
      const [path, data] = node;
      nodes.push(node);
      characters += path.length + data.length;
      if (nodes.length < NODES_PER_ENTRY && characters < CHARACTERS_PER_ENTRY) continue;
      snapshot.add(encode({ kind: 'nodes', nodes }));
      nodes = [];
      characters = 0;
    }
    if (nodes.length > 0) snapshot.add(encode({ kind: 'nodes', nodes }));
    snapshot.commit();
  } finally {
    disk.close(file);
  }
  disk.rename(aside, path);
  disk.syncDirectory(directory);
  return new Journal(disk, kernels, disk.open(path, 'write'), snapshot.syncedBytes, snapshot.transaction);
}

/** Where the next file is made. What is found there at the start was never finished. */
function asidePath(path: string): string {
  return `${path}.tmp`;
}

export class StoreFile {
  readonly tree: NodeTree;
  /** The transaction that began this process's session. */
  readonly session: number;
  /** What a crash had left at the end of the file, and opening has cut. */
  readonly tornBytes: number;
  readonly #disk: Disk;
  readonly #kernels: Kernels;
  readonly #directory: string;
  readonly #path: string;
  readonly #growthBytes: number;
  #journal: Journal;
  #snapshotBytes: number;

  constructor(disk: Disk, kernels: Kernels, directory: string, path: string, growthBytes: number) {
    this.#disk = disk;
    this.#kernels = kernels;
    this.#directory = directory;
    this.#path = path;
    this.#growthBytes = growthBytes;
    if (disk.exists(asidePath(path))) disk.remove(asidePath(path));
    const bytes = disk.readFile(path);
    if (bytes === null) {
      this.tree = new NodeTree();
      this.tornBytes = 0;
      this.#journal = startFile(disk, kernels, directory, path, this.tree, 0);
      this.#snapshotBytes = this.#journal.syncedBytes;
    } else {
      const loaded = load(bytes, path, kernels);
      this.tree = loaded.tree;
      this.tornBytes = loaded.tornBytes;
      this.#snapshotBytes = loaded.snapshotBytes;
      const file = disk.open(path, 'write');
      // A process that ended behind its rename may have left the older file's name on the disk: what is promised in this one
      // would go with it.
      disk.syncDirectory(directory);
      if (loaded.tornBytes > 0) {
        // Durably cut before anything is written: a whole entry of the lost batch could end up right behind a new one.
        disk.truncate(file, loaded.goodBytes);
        disk.sync(file);
      }
      this.#journal = new Journal(disk, kernels, file, loaded.goodBytes, loaded.transaction);
    }
    this.#journal.add(encode({ kind: 'session' }));
    this.#journal.commit();
    this.tree.endSessions();
    this.session = this.#journal.transaction;
  }

  /** Makes a multi, if it can be made, and adds its entry, which `encodeMulti` has made. */
  write(writes: readonly StoreWrite[], entry: Uint8Array | null): { result: MultiResult; touched: readonly Touched[] } {
    const transaction = this.#journal.transaction + 1;
    const outcome = this.tree.multi(writes, transaction, this.session);
    if (!outcome.done) return { result: outcome, touched: [] };
    if (entry === null) return { result: { done: true, transaction: transaction - 1 }, touched: [] };
    this.#journal.add(entry);
    return { result: { done: true, transaction }, touched: outcome.touched };
  }

  endSession(): readonly Touched[] {
    this.#journal.add(encode({ kind: 'end' }));
    return this.tree.endSessions();
  }

  /** Makes everything written up to now durable. */
  commit(): void {
    this.#journal.commit();
    const grown = this.#journal.syncedBytes - this.#snapshotBytes;
    if (grown <= Math.max(this.#growthBytes, this.#snapshotBytes)) return;
    this.#journal.close();
    const { transaction } = this.#journal;
    this.#journal = startFile(this.#disk, this.#kernels, this.#directory, this.#path, this.tree, transaction);
    this.#snapshotBytes = this.#journal.syncedBytes;
  }

  close(): void {
    this.#journal.close();
  }
}
