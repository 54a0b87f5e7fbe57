/**
 * The two pools, processors and handlers: hosts them as the placement says, joins everybody with everybody by rings, and
 * changes their sizes while the broker runs. No connection is dropped and no partition is unowned for longer than its move.
 */
import type { MetadataImage } from '../cluster/image.ts';
import type { MovedConnection, ProcessorLimits, RoleMessage, RouteMessage } from './control.ts';
import type { Crew } from './crew.ts';
import { intakeBytes } from './intake.ts';
import type { PartitionHost } from './partition-host.ts';
import { ACCEPTOR, BLOCKER, type ThreadPlan } from './placement.ts';
import { DESCRIPTORS_MAX, HANDLERS_MAX, PROCESSORS_MAX } from './shared.ts';

export interface PoolsParts {
  readonly crew: Crew;
  readonly portable: boolean;
  readonly limits: ProcessorLimits;
  readonly queuedBytesMax: number;
  readonly groupCommit: boolean;
  readonly fullValidation: boolean;
  readonly retentionCheckMs: number;
  readonly filesMax: number;
  seed(): number;
  image(): MetadataImage;
  routes(): readonly RouteMessage[];
}

const ACCEPTOR_ROW = 0;
const BLOCKER_ROW = 1;
const FIRST_PROCESSOR_ROW = 2;
const FIRST_HANDLER_ROW = FIRST_PROCESSOR_ROW + PROCESSORS_MAX + 1;
const EVERYBODY = 0x7fffffff;

function indexOf(role: string): number {
  return Number(role.slice(1));
}

function byIndex(a: string, b: string): number {
  return indexOf(a) - indexOf(b);
}

export class Pools {
  readonly #parts: PoolsParts;
  processors: string[] = [];
  handlers: string[] = [];
  /** Descriptors of open connections by processor, for whoever must close them when a thread has died. */
  readonly descriptors = new Map<string, SharedArrayBuffer>();
  #resizing: Promise<void> = Promise.resolve();
  #adoptNext = 0;
  /** Who takes moved connections while the pool changes. */
  #taking: string[] | null = null;
  #adopting: Promise<void> = Promise.resolve();

  constructor(parts: PoolsParts) {
    this.#parts = parts;
  }

  rowOf(role: string): number {
    if (role === ACCEPTOR) return ACCEPTOR_ROW;
    if (role === BLOCKER) return BLOCKER_ROW;
    return (role.startsWith('p') ? FIRST_PROCESSOR_ROW : FIRST_HANDLER_ROW) + indexOf(role);
  }

  async start(threads: readonly ThreadPlan[]): Promise<void> {
    const { crew } = this.#parts;
    await Promise.all([
      crew.addThread(BLOCKER, BLOCKER_ROW),
      ...threads.map(async ({ name, roles }) => {
        await crew.addThread(name);
        for (const role of roles) await crew.host(name, this.#role(role));
      }),
    ]);
    const roles = threads.flatMap((thread) => thread.roles);
    this.processors = roles.filter((role) => role.startsWith('p')).sort(byIndex);
    this.handlers = roles.filter((role) => role.startsWith('h')).sort(byIndex);
    for (const processor of this.processors) await this.#join(processor, [...this.handlers, ACCEPTOR, BLOCKER]);
    for (const handler of this.handlers) await crew.link(handler, BLOCKER);
  }

  /** New connections go to all processors. */
  async openDoors(): Promise<void> {
    await this.#parts.crew.ask(ACCEPTOR, { kind: 'processors', names: this.processors });
  }

  /** Sizes the pools, one change after the other. */
  resize(network: number, io: number, host: PartitionHost): Promise<void> {
    if (!(network >= 1 && network <= PROCESSORS_MAX))
      throw new RangeError(`num.network.threads is 1 to ${PROCESSORS_MAX}`);
    if (!(io >= 1 && io <= HANDLERS_MAX)) throw new RangeError(`num.io.threads is 1 to ${HANDLERS_MAX}`);
    const done = this.#resizing.then(async () => {
      await this.#resizeHandlers(io, host);
      await this.#resizeProcessors(network, host);
    });
    this.#resizing = done.catch(() => {});
    return done;
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
  }

  async #resizeProcessors(count: number, host: PartitionHost): Promise<void> {
    const { crew, portable } = this.#parts;
    const before = this.processors;
    const added: string[] = [];
    while (this.processors.length < count) {
      const name = `p${this.#freeIndex(this.processors)}`;
      const thread = portable ? (crew.threadOf(ACCEPTOR) as string) : `net-${indexOf(name)}`;
      if (!portable) await crew.addThread(thread);
      await crew.host(thread, this.#role(name));
      await this.#join(name, [...this.handlers, ACCEPTOR, BLOCKER]);
      this.processors = [...this.processors, name].sort(byIndex);
      host.processors = this.processors;
      added.push(name);
    }
    const staying = this.processors.slice(0, count);
    const leaving = this.processors.slice(count);
    await crew.ask(ACCEPTOR, { kind: 'processors', names: staying });
    this.#taking = added.length > 0 ? added : staying;
    if (added.length > 0) await this.#evenOut(before, count);
    await Promise.all(leaving.map((name) => crew.ask(name, { kind: 'leave', count: EVERYBODY })));
    await this.#adopting;
    this.#taking = null;
    this.processors = staying;
    host.processors = staying;
    for (const name of leaving) await this.#dismiss(name);
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
    const { limits, queuedBytesMax, groupCommit, fullValidation, retentionCheckMs, filesMax } = this.#parts;
    if (name === ACCEPTOR) return { role: 'acceptor', name, row };
    const index = indexOf(name);
    const seed = this.#parts.seed();
    if (name.startsWith('h'))
      return { role: 'handler', name, index, row, groupCommit, fullValidation, retentionCheckMs, filesMax, seed };
    const descriptors = new SharedArrayBuffer(DESCRIPTORS_MAX * 4);
    new Int32Array(descriptors).fill(-1);
    this.descriptors.set(name, descriptors);
    const intake = new SharedArrayBuffer(
      intakeBytes({ queuedBytesMax, frameBytesMax: limits.connection.frameBytesMax }),
    );
    const image = this.#parts.image();
    const routes = this.#parts.routes();
    return { role: 'processor', name, index, row, intake, descriptors, queuedBytesMax, limits, image, routes, seed };
  }
}
