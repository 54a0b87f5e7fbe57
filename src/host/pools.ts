/**
 * The two pools, processors and handlers: hosts them as the placement says, joins everybody with everybody by rings, and
 * changes their sizes while the broker runs. No connection is dropped and no partition is unowned for longer than its move.
 */
import type { GroupSettings } from '../coordinator/group/desk.ts';
import type { ImageMessage, MovedConnection, ProcessorLimits, RoleMessage, RouteMessage } from '../runtime/control.ts';
import { intakeBytes } from '../runtime/net/intake.ts';
import { DESCRIPTORS_MAX, HANDLERS_MAX, PROCESSORS_MAX } from '../runtime/shared.ts';
import type { Crew } from './crew.ts';
import type { PartitionHost } from './partition-host.ts';
import { BLOCKER, type PoolSizes, sizesOf, type ThreadPlan } from './placement.ts';

export interface PoolsParts {
  readonly crew: Crew;
  readonly portable: boolean;
  readonly limits: ProcessorLimits;
  /** Of all processors together; each has its share, and so each handler of the files. */
  readonly queuedBytesMax: number;
  readonly groupCommit: boolean;
  readonly fullValidation: boolean;
  readonly retentionCheckMs: number;
  readonly checkpointMs: number;
  readonly filesMax: number;
  readonly groups: GroupSettings;
  readonly groupExpiryCheckMs: number;
  seed(): number;
  image(): ImageMessage;
  routes(): readonly RouteMessage[];
}

const BLOCKER_ROW = 0;
const FIRST_PROCESSOR_ROW = 1;
const FIRST_HANDLER_ROW = FIRST_PROCESSOR_ROW + PROCESSORS_MAX + 1;
const FIRST_ACCEPTOR_ROW = FIRST_HANDLER_ROW + HANDLERS_MAX;
const EVERYBODY = 0x7fffffff;
/** A handler can always work on a few logs at a time. */
const FILES_LEAST = 16;

interface ProcessorMemory {
  readonly intake: SharedArrayBuffer;
  readonly descriptors: SharedArrayBuffer;
}

/** Runs work while nothing is decided and nobody else changes the floor. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

function indexOf(role: string): number {
  return Number(role.slice(1));
}

function byIndex(a: string, b: string): number {
  return indexOf(a) - indexOf(b);
}

export class Pools {
  readonly #parts: PoolsParts;
  /** One for each listener. */
  acceptors: readonly string[] = [];
  processors: string[] = [];
  handlers: string[] = [];
  /** Descriptors of open connections by processor, for whoever must close them when a thread has died. */
  readonly descriptors = new Map<string, SharedArrayBuffer>();
  /** What the pools have, or will have when all that was asked for is done. */
  sizes: PoolSizes = { network: 0, io: 0 };
  readonly #memories = new Map<string, ProcessorMemory>();
  #resizing: Promise<void> = Promise.resolve();
  #adoptNext = 0;
  /** Who takes moved connections while the pool changes. */
  #taking: string[] | null = null;
  #adopting: Promise<void> = Promise.resolve();

  constructor(parts: PoolsParts) {
    this.#parts = parts;
  }

  rowOf(role: string): number {
    if (role === BLOCKER) return BLOCKER_ROW;
    if (role.startsWith('a')) return FIRST_ACCEPTOR_ROW + indexOf(role);
    return (role.startsWith('p') ? FIRST_PROCESSOR_ROW : FIRST_HANDLER_ROW) + indexOf(role);
  }

  async start(threads: readonly ThreadPlan[]): Promise<void> {
    const { crew } = this.#parts;
    this.sizes = sizesOf(threads);
    await Promise.all([
      crew.addThread(BLOCKER, BLOCKER_ROW),
      ...threads.map(async ({ name, roles }) => {
        await crew.addThread(name);
        for (const role of roles) await crew.host(name, this.#role(role));
      }),
    ]);
    const roles = threads.flatMap((thread) => thread.roles);
    this.acceptors = roles.filter((role) => role.startsWith('a'));
    this.processors = roles.filter((role) => role.startsWith('p')).sort(byIndex);
    this.handlers = roles.filter((role) => role.startsWith('h')).sort(byIndex);
    for (const processor of this.processors)
      await this.#join(processor, [...this.handlers, ...this.acceptors, BLOCKER]);
    for (const handler of this.handlers) await crew.link(handler, BLOCKER);
  }

  /** New connections go to all processors. */
  async openDoors(): Promise<void> {
    await this.#handTo(this.processors);
  }

  /** New connections go to these. */
  async #handTo(names: readonly string[]): Promise<void> {
    const { crew } = this.#parts;
    await Promise.all(this.acceptors.map((acceptor) => crew.ask(acceptor, { kind: 'processors', names })));
  }

  /**
   * Sizes the pools, one change after the other. Connections are waited for outside of `exclusive`: what they have asked the
   * controller must be answered before they can move.
   */
  resize(network: number, io: number, host: PartitionHost, exclusive: Exclusive): Promise<void> {
    if (!(network >= 1 && network <= PROCESSORS_MAX))
      throw new RangeError(`num.network.threads is 1 to ${PROCESSORS_MAX}`);
    if (!(io >= 1 && io <= HANDLERS_MAX)) throw new RangeError(`num.io.threads is 1 to ${HANDLERS_MAX}`);
    this.sizes = { network, io };
    const done = this.#resizing.then(async () => {
      await exclusive(() => this.#resizeHandlers(io, host));
      const before = this.processors;
      await exclusive(() => this.#addProcessors(network, host));
      await this.#moveConnections(before, network);
      await exclusive(() => this.#dismissProcessors(network, host));
    });
    this.#resizing = done.catch(() => {});
    return done;
  }

  /** No change of size is under way. */
  rest(): Promise<void> {
    return this.#resizing;
  }

  /** Connections that are open stay. */
  async limitConnections(count: number): Promise<void> {
    const { crew } = this.#parts;
    await Promise.all(this.acceptors.map((name) => crew.ask(name, { kind: 'connectionsMax', count })));
  }

  /** A connection that left its processor goes to one of those that take connections. */
  async #adopt(connection: MovedConnection): Promise<void> {
    const taking = this.#taking ?? this.processors;
    const name = taking[this.#adoptNext++ % taking.length] as string;
    await this.#parts.crew.ask(name, { kind: 'adopt', connection });
  }

  async #resizeHandlers(count: number, host: PartitionHost): Promise<void> {
    const { crew } = this.#parts;
    while (this.handlers.length < count) {
      const name = `h${this.#freeIndex(this.handlers)}`;
      const thread = `io-${indexOf(name)}`;
      await crew.addThread(thread);
      await crew.host(thread, this.#role(name));
      await crew.link(name, BLOCKER);
      await this.#join(name, this.processors);
      this.handlers = [...this.handlers, name].sort(byIndex);
    }
    const staying = this.handlers.slice(0, count);
    await host.spread(staying);
    for (const name of this.handlers.slice(count)) await this.#dismiss(name);
    this.handlers = staying;
    await Promise.all(staying.map((name) => crew.ask(name, { kind: 'share', max: this.#filesShare })));
  }

  async #addProcessors(count: number, host: PartitionHost): Promise<void> {
    const { crew, portable } = this.#parts;
    while (this.processors.length < count) {
      const name = `p${this.#freeIndex(this.processors)}`;
      const thread = portable ? (crew.threadOf(this.processors[0] as string) as string) : `net-${indexOf(name)}`;
      if (!portable) await crew.addThread(thread);
      await crew.host(thread, this.#role(name));
      await this.#join(name, [...this.handlers, ...this.acceptors, BLOCKER]);
      this.processors = [...this.processors, name].sort(byIndex);
      host.processors = this.processors;
    }
    await this.#handTo(this.processors.slice(0, count));
  }

  /** To the new processors a share of the connections of the older ones; away from those that leave, all. */
  async #moveConnections(before: readonly string[], count: number): Promise<void> {
    const { crew } = this.#parts;
    const added = this.processors.filter((name) => !before.includes(name));
    this.#taking = added.length > 0 ? added : this.processors.slice(0, count);
    if (added.length > 0) await this.#evenOut(before, count);
    const leaving = this.processors.slice(count);
    await Promise.all(leaving.map((name) => crew.ask(name, { kind: 'leave', count: EVERYBODY })));
    await this.#adopting;
    this.#taking = null;
  }

  async #dismissProcessors(count: number, host: PartitionHost): Promise<void> {
    const leaving = this.processors.slice(count);
    this.processors = this.processors.slice(0, count);
    host.processors = this.processors;
    for (const name of leaving) await this.#dismiss(name);
    const share = { kind: 'share', max: this.#queuedBytesShare } as const;
    await Promise.all(this.processors.map((name) => this.#parts.crew.ask(name, share)));
  }

  get #queuedBytesShare(): number {
    return Math.ceil(this.#parts.queuedBytesMax / this.sizes.network);
  }

  get #filesShare(): number {
    return Math.max(FILES_LEAST, Math.floor(this.#parts.filesMax / this.sizes.io));
  }

  /** Part of the connections of the older processors moves to the new ones. */
  async #evenOut(before: readonly string[], count: number): Promise<void> {
    const { crew } = this.#parts;
    await Promise.all(
      before.map(async (name) => {
        const open = (await crew.ask(name, { kind: 'count' })) as number;
        const share = Math.floor((open * (count - before.length)) / count);
        if (share > 0) await crew.ask(name, { kind: 'leave', count: share });
      }),
    );
  }

  /** Called for every connection that a processor lets go. */
  moved(connection: MovedConnection): void {
    this.#adopting = Promise.all([this.#adopting, this.#adopt(connection)]).then(() => {});
  }

  async #dismiss(role: string): Promise<void> {
    const { crew } = this.#parts;
    const thread = crew.threadOf(role) as string;
    await crew.retire(role);
    this.descriptors.delete(role);
    if (crew.rolesOn(thread).length === 0) await crew.removeThread(thread);
  }

  async #join(role: string, peers: readonly string[]): Promise<void> {
    for (const peer of peers) await this.#parts.crew.link(role, peer);
  }

  #freeIndex(names: readonly string[]): number {
    let index = 0;
    while (names.some((name) => indexOf(name) === index)) index += 1;
    return index;
  }

  #role(name: string): RoleMessage {
    const row = this.rowOf(name);
    const { limits, groupCommit, fullValidation, retentionCheckMs, checkpointMs } = this.#parts;
    const queuedBytesMax = this.#queuedBytesShare;
    const filesMax = this.#filesShare;
    if (name.startsWith('a')) return { role: 'acceptor', name, row };
    const index = indexOf(name);
    const seed = this.#parts.seed();
    const image = this.#parts.image();
    if (name.startsWith('h')) {
      const { groups, groupExpiryCheckMs } = this.#parts;
      const logs = { groupCommit, fullValidation, retentionCheckMs, checkpointMs, filesMax };
      return { role: 'handler', name, index, row, ...logs, groups, groupExpiryCheckMs, image, seed };
    }
    const { intake, descriptors } = this.#memoryOf(
      name,
      intakeBytes({ queuedBytesMax, frameBytesMax: limits.connection.frameBytesMax }),
    );
    new Int32Array(descriptors).fill(-1);
    this.descriptors.set(name, descriptors);
    const routes = this.#parts.routes();
    return { role: 'processor', name, index, row, intake, descriptors, queuedBytesMax, limits, image, routes, seed };
  }

  /** A processor has what the last one of its name had: nobody knows when memory that is let go is gone. */
  #memoryOf(name: string, bytes: number): ProcessorMemory {
    const kept = this.#memories.get(name);
    if (kept !== undefined && kept.intake.byteLength >= bytes) return kept;
    const memory = {
      intake: new SharedArrayBuffer(bytes),
      descriptors: new SharedArrayBuffer(DESCRIPTORS_MAX * 4),
    };
    this.#memories.set(name, memory);
    return memory;
  }
}
