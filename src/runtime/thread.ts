/**
 * A worker thread: builds the roles that the main thread asks for on the ground it stands on, joins them
 * by rings, and runs the loop. Control messages come through a port that is looked into between rounds.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { SeededRandom } from '../base/random.ts';
import { Timers } from '../base/timers.ts';
import { imageOf } from '../cluster/changes.ts';
import { FileCache } from '../log/files.ts';
import { FileTable } from '../log/leases.ts';
import { PublishedPartitions } from '../replica/published.ts';
import { decompressRecords } from '../wire/decompress-batch.ts';
import { Acceptor } from './acceptor.ts';
import type { BellAddress, FromThread, Link, Question, RoleMessage } from './control.ts';
import { Counters } from './counters.ts';
import { GcPauses } from './gc-pauses.ts';
import type { Ground, SocketSettings } from './ground/ground.ts';
import { Handler } from './handler/handler.ts';
import { Loop } from './loop.ts';
import { Answers } from './net/answers.ts';
import { Processor, type ProcessorParts } from './processor/processor.ts';
import { RequestTimes } from './processor/request-times.ts';
import { TimedProcessor } from './processor/timed-processor.ts';
import { Bell, futexBell } from './rings/bell.ts';
import { Inbox, Outbox } from './rings/ring.ts';
import type { Role } from './role.ts';
import { RoleMemory } from './role-memory.ts';
import { FILE_STRIPE, SCRATCH_BYTES, type Shared } from './shared.ts';
import type { World } from './world.ts';

export interface ThreadData {
  readonly name: string;
  readonly kind: 'native' | 'portable';
  readonly shared: Shared;
  readonly bell: BellAddress;
  readonly port: MessagePort;
  readonly sockets: SocketSettings;
  readonly connectionsMax: number;
  /** What the thread's entry shares with whoever handed it in. */
  readonly board: SharedArrayBuffer | null;
  /** Where the thread's CPU profile goes at its end; null for none. */
  readonly profile: string | null;
}

export class Thread {
  readonly #data: ThreadData;
  readonly #world: World;
  readonly #ground: Ground;
  readonly #loop: Loop;
  readonly #roles = new Map<string, Role>();
  readonly #memories = new Map<string, RoleMemory>();
  readonly #published: PublishedPartitions;
  readonly #waiter: { start(): void; stop(): void };

  constructor(data: ThreadData, world: World) {
    this.#data = data;
    this.#world = world;
    this.#ground = world.ground;
    this.#ground.nameThread(data.name);
    this.#published = new PublishedPartitions(data.shared.published);
    this.#loop = new Loop(world.clock, new Timers(world.clock.monotonic()), new GcPauses());
    const flag = new Int32Array(data.bell.flag);
    this.#waiter = this.#ground.waiter(this.#loop, data.bell.event, flag, () => this.#control());
    this.#post({ kind: 'ready' });
    this.#waiter.start();
  }

  #post(message: FromThread): void {
    this.#data.port.postMessage(message);
  }

  /** Takes in what the main thread said. True when there was anything: promises may hang on it. */
  #control(): boolean {
    let any = false;
    for (
      let message = receiveMessageOnPort(this.#data.port);
      message;
      message = receiveMessageOnPort(this.#data.port)
    ) {
      any = true;
      this.#answer(message.message as Question);
    }
    return any;
  }

  #answer({ sequence, to, message }: Question): void {
    const reply = (value?: unknown, error?: string): void => {
      this.#post({ kind: 'reply', sequence, value, error: error ?? null });
    };
    try {
      if (message.kind === 'host') {
        this.#host(message.role);
        reply();
      } else if (message.kind === 'retire') {
        this.#retire(message.role);
        reply();
      } else if (message.kind === 'stop') {
        this.#stop();
        reply();
      } else if (message.kind === 'count' && to === '') {
        this.#loop.count();
        reply();
      } else if (message.kind === 'link') {
        this.#link(to, message.link);
        reply();
      } else {
        const role = this.#roles.get(to);
        if (role === undefined) reply(undefined, `no role ${to} on ${this.#data.name}`);
        else role.control(message, reply);
      }
    } catch (problem) {
      reply(undefined, (problem as Error).stack ?? String(problem));
    }
  }

  #host(message: RoleMessage): void {
    const counters = new Counters(this.#data.shared.counters, message.row);
    const memory = new RoleMemory(this.#ground.registry);
    const role = this.#build(message, counters, memory);
    this.#memories.set(role.name, memory);
    this.#world.hosted(role);
    this.#roles.set(role.name, role);
    this.#loop.add(role, counters);
  }

  #build(message: RoleMessage, counters: Counters, memory: RoleMemory): Role {
    const { shared } = this.#data;
    const post = (from: FromThread): void => this.#post(from);
    if (message.role === 'processor') return this.#processor(message, counters, memory);
    if (message.role === 'handler') return this.#handler(message, counters, memory);
    return new Acceptor({
      name: message.name,
      doors: this.#ground.doors(this.#data.sockets),
      counters,
      connectionsMax: this.#data.connectionsMax,
      open: new Int32Array(shared.connections),
      post,
    });
  }

  #processor(message: Extract<RoleMessage, { role: 'processor' }>, counters: Counters, memory: RoleMemory): Processor {
    const ground = this.#ground;
    const { shared, sockets } = this.#data;
    const parts: ProcessorParts = {
      ...message,
      image: imageOf(message.image.clusterId, message.image.changes),
      intake: memory.register(new Uint8Array(message.intake)),
      answers: new Answers(memory),
      scratch: memory.register(new Uint8Array(SCRATCH_BYTES)),
      kernels: ground.kernels,
      timers: this.#loop.timers,
      clock: this.#world.clock,
      random: new SeededRandom(message.seed),
      files: new FileTable(new Int32Array(shared.files)),
      published: this.#published,
      sockets: ground.sockets(sockets, (id) => processor.connection(id)),
      counters,
      open: new Int32Array(shared.connections),
      descriptors: new Int32Array(message.descriptors),
      post: (from) => this.#post(from),
    };
    const { times } = shared;
    const processor: Processor =
      times === null ? new Processor(parts) : new TimedProcessor(parts, new RequestTimes(times, message.index));
    return processor;
  }

  #handler(message: Extract<RoleMessage, { role: 'handler' }>, counters: Counters, memory: RoleMemory): Handler {
    const ground = this.#ground;
    const { shared } = this.#data;
    const files = new FileTable(new Int32Array(shared.files), message.index * FILE_STRIPE, FILE_STRIPE);
    const cache = new FileCache(ground.disk, files, message.filesMax);
    return new Handler({
      ...message,
      environment: {
        disk: ground.disk,
        files: cache,
        kernels: ground.kernels,
        random: new SeededRandom(message.seed),
        scratch: memory.register(new Uint8Array(SCRATCH_BYTES)),
        decompress: decompressRecords,
      },
      cache,
      registry: memory,
      files,
      published: this.#published,
      clock: this.#world.clock,
      timers: this.#loop.timers,
      image: imageOf(message.image.clusterId, message.image.changes),
      counters,
      post: (from) => this.#post(from),
    });
  }

  #link(to: string, link: Link): void {
    const role = this.#roles.get(to);
    const outbox = new Outbox(link.out, this.#bell(link.bell));
    const inbox = new Inbox(link.in);
    if (role instanceof Processor) role.linked(link.peer, inbox, outbox, link.letters);
    else if (role instanceof Handler) {
      role.linked(
        link.peer,
        inbox,
        outbox,
        link.intake === null ? null : (this.#memories.get(to) as RoleMemory).register(new Uint8Array(link.intake)),
        link.letters,
      );
    } else if (role instanceof Acceptor) role.linked(link.peer, outbox);
    else throw new Error(`no role ${to} on ${this.#data.name}`);
  }

  #bell({ flag, event }: BellAddress): Bell {
    const words = new Int32Array(flag);
    return event < 0 ? futexBell(words) : new Bell(words, () => this.#ground.signal(event));
  }

  #retire(name: string): void {
    const role = this.#roles.get(name);
    if (role === undefined) return;
    role.stop();
    this.#roles.delete(name);
    this.#loop.remove(role);
    this.#memories.get(name)?.close();
    this.#memories.delete(name);
  }

  #stop(): void {
    for (const name of Array.from(this.#roles.keys())) this.#retire(name);
    this.#waiter.stop();
  }
}
