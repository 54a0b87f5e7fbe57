/**
 * One process of a broker: the real processors, handlers and blocker over the simulated disk and sockets, with rings between
 * them, and what the main thread does for them. Nothing runs unless it is told to; roles share a loop or have one each.
 */
import type { Clock } from '../../src/base/clock.ts';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { Timers } from '../../src/base/timers.ts';
import { emptyImage } from '../../src/cluster/image.ts';
import { parseSettings } from '../../src/config/settings.ts';
import type { ClosedPartition, RunningOffset } from '../../src/host/data.ts';
import { groupSettings } from '../../src/host/groups.ts';
import { openBatch } from '../../src/jobs/open-batch.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { FileCache } from '../../src/log/files.ts';
import { FileTable } from '../../src/log/leases.ts';
import { newPartitionView, type PartitionView, PublishedPartitions, SLOT_BYTES } from '../../src/replica/published.ts';
import { Answers, UNREGISTERED } from '../../src/runtime/answers.ts';
import { Blocker } from '../../src/runtime/blocker.ts';
import type { Connection } from '../../src/runtime/connection.ts';
import type { ControlMessage, FromThread, FrozenPartition } from '../../src/runtime/control.ts';
import { Counters, countersMemory } from '../../src/runtime/counters.ts';
import { Handler } from '../../src/runtime/handler.ts';
import { intakeBytes } from '../../src/runtime/intake.ts';
import { Loop } from '../../src/runtime/loop.ts';
import { ACCEPTED } from '../../src/runtime/messages.ts';
import { Processor } from '../../src/runtime/processor.ts';
import type { Outbox } from '../../src/runtime/ring.ts';
import type { Role } from '../../src/runtime/role.ts';
import { environment, kernels } from '../log/fixture.ts';
import { INTAKE_LIMITS, LIMITS } from '../runtime/kit.ts';
import { FakeTransport, must } from '../runtime/sockets.ts';
import type { SimulatedDisk } from './disk.ts';
import { Home, TOPIC, TOPIC_ID } from './home.ts';
import { rings } from './rings.ts';
import type { Settings } from './settings.ts';
import { SimulatedSockets, syncErrno } from './sockets.ts';

export const PARTITIONS_MAX = 3;
const QUEUED_REQUESTS_MAX = 40;
/** The descriptors that the process itself keeps: of its lock and its store. */
export const OWN_DESCRIPTORS = 2;
const FILE_SLOTS = 256;
const PROCESSORS_MAX = 2;
/** Used again by process after process: nobody of an earlier one is left to look. */
const INTAKES = Array.from({ length: PROCESSORS_MAX }, () => new SharedArrayBuffer(intakeBytes(INTAKE_LIMITS)));
const ROUNDS_MAX = 400;

export class SimulatedBroker {
  readonly home: Home;
  readonly published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * PARTITIONS_MAX));
  readonly table: FileTable;
  readonly handlers: Handler[] = [];
  readonly caches: FileCache[] = [];
  readonly processors: Processor[] = [];
  readonly loops: Loop[] = [];
  /** Why the process must end: its disk has failed it. */
  failed: string | null = null;
  /** Loops that have heard from the main thread since their last turn. */
  readonly #told = new Set<Loop>();
  readonly #settings: Settings;
  readonly #disk: SimulatedDisk;
  readonly #config: LogConfig;
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #blocker: Blocker;
  readonly #sockets: SimulatedSockets[] = [];
  readonly #accepting: Outbox[] = [];
  readonly #posted: FromThread[] = [];
  readonly #owners: number[] = [];
  readonly #view = newPartitionView();
  #descriptors = 1_000_000;
  #accepted = 0;

  constructor(settings: Settings, disk: SimulatedDisk, clock: Clock, config: LogConfig, epoch: number) {
    this.#settings = settings;
    this.#disk = disk;
    this.#clock = clock;
    this.#config = config;
    this.#epoch = epoch;
    this.home = new Home(disk, settings.seed);
    const words = new Int32Array(FileTable.memory(FILE_SLOTS * settings.handlers));
    this.table = new FileTable(words);
    const calls = {
      sync: (descriptor: number) => syncErrno(disk, descriptor),
      readAhead: (descriptor: number) => {
        for (const sockets of this.#sockets) sockets.warm.add(descriptor);
        return 0;
      },
    };
    this.#blocker = new Blocker('b0', calls, this.table, new Counters(countersMemory(), 0));
    for (let index = 0; index < settings.processors; index++) this.#addProcessor(index);
    for (let index = 0; index < settings.handlers; index++) this.#addHandler(index, words);
    for (let partition = 0; partition < this.home.partitions; partition++) this.openPartition(partition);
  }

  get partitions(): number {
    return this.#owners.length;
  }

  view(partition: number): PartitionView {
    this.published.read(partition, this.#view);
    return this.#view;
  }

  online(partition: number): boolean {
    return this.published.online(partition);
  }

  ask(role: Role, message: ControlMessage): unknown {
    const answers: unknown[] = [];
    role.control(message, (value, error) => {
      must(error === undefined, `${role.name} answers ${message.kind}: ${error}`);
      answers.push(value);
    });
    must(answers.length === 1, `${role.name} answers ${message.kind} at once`);
    return answers[0];
  }

  openPartition(partition: number): void {
    const owner = partition % this.handlers.length;
    this.#owners[partition] = owner;
    const message = this.home.partition(partition, this.#epoch, this.#config);
    const offline = this.ask(this.handlers[owner] as Handler, { kind: 'open', partitions: [message] }) as {
      why: string;
    }[];
    for (const { why } of offline) this.failed ??= why;
    this.#route();
  }

  #route(): void {
    const routes = [{ name: TOPIC, id: TOPIC_ID, slots: Array.from({ length: this.partitions }, (_, slot) => slot) }];
    for (const one of this.processors) this.ask(one, { kind: 'changes', changes: [], add: routes, remove: [] });
  }

  // ---- Connections

  /** A socket that was accepted; its processor takes it in its next turn. */
  connect(): FakeTransport {
    const index = this.#accepted++ % this.processors.length;
    const sockets = this.#sockets[index] as SimulatedSockets;
    const transport = new FakeTransport(sockets);
    const descriptor = this.#descriptors++;
    sockets.arriving.set(descriptor, transport);
    (this.#accepting[index] as Outbox).send(ACCEPTED, descriptor, 0, 0, 0, 0, 0, 0);
    return transport;
  }

  connectionsOf(processor: Processor): Connection[] {
    const { open } = this.#sockets[this.processors.indexOf(processor)] as SimulatedSockets;
    return Array.from(open.keys(), (id) => processor.connection(id)).filter((one) => one !== undefined);
  }

  /** Ranges that were in the page cache are not any more. */
  cool(): void {
    for (const sockets of this.#sockets) sockets.warm.clear();
  }

  // ---- Turns

  /** One loop's: what its sockets have, then a round. */
  turn(index: number): void {
    const loop = this.loops[index % this.loops.length] as Loop;
    for (const [at, processor] of this.processors.entries()) {
      if (!loop.roles.includes(processor)) continue;
      const now = this.#clock.monotonic();
      for (const [id, transport] of (this.#sockets[at] as SimulatedSockets).open) {
        const connection = processor.connection(id);
        if (connection === undefined) continue;
        if (transport.isReadable) connection.readable(now);
        if (!connection.closed && transport.isWritable) connection.writable(now);
      }
    }
    loop.round();
    this.#told.delete(loop);
  }

  /** Some loop has not had its turn since the main thread told it something: what it appended then is not published. */
  get isBetween(): boolean {
    return this.#told.size > 0;
  }

  block(): void {
    this.#blocker.work();
  }

  /** Everybody works until nobody has anything to do at this moment. */
  settle(): void {
    for (let idle = 0, round = 0; idle < 3; round++) {
      must(round < ROUNDS_MAX, 'a broker comes to rest');
      for (let index = 0; index < this.loops.length; index++) this.turn(index);
      this.block();
      this.main();
      idle = this.#busy() ? 0 : idle + 1;
    }
  }

  /** Connections that are not closed; also those of clients that have gone, whose requests wait for their time. */
  get connections(): number {
    let count = 0;
    for (const { open } of this.#sockets) for (const one of open.values()) if (one.closed === 0) count += 1;
    return count;
  }

  #busy(): boolean {
    if (this.#posted.length > 0 || this.#blocker.pending()) return true;
    for (const loop of this.loops) if (loop.pending()) return true;
    for (const { open } of this.#sockets)
      for (const one of open.values()) if (one.closed === 0 && (one.isReadable || one.isWritable)) return true;
    return false;
  }

  /** The main thread's work on what the others have posted. */
  main(): void {
    for (const loop of this.loops) this.#told.add(loop);
    for (const message of this.#posted.splice(0)) {
      if (message.kind === 'openBatch') {
        const { offset, length, opening, token, processor } = message;
        const memory = INTAKES[Number(processor.slice(1))] as SharedArrayBuffer;
        this.ask(this.#role(message.from), {
          kind: 'opened',
          token,
          opened: openBatch({ memory, offset, length, opening }),
        });
      } else if (message.kind === 'keepStart') {
        const kept = this.home.data.keepStarts(this.#offsets().map((one) => ({ ...one, offset: one.logStartOffset })));
        if (kept.length > 0) this.failed ??= 'a start was not kept';
        this.ask(this.#role(message.from), { kind: 'startKept', token: message.token, kept: kept.length === 0 });
      } else if (message.kind === 'offline') this.failed ??= message.why;
      else if (message.kind === 'log') {
        must(
          message.level !== 'error',
          `nothing is logged as an error: ${message.event} ${JSON.stringify(message.values)}`,
        );
        must(
          message.event !== 'request.malformed',
          `what clients send is understood: ${JSON.stringify(message.values)}`,
        );
      } else must(false, `main hears nothing of ${message.kind}`);
    }
  }

  checkpoint(): void {
    if (this.home.data.checkpoint(this.#offsets()).length > 0) this.failed ??= 'a checkpoint was not written';
  }

  /** What the main thread keeps of each: of one that is out of service where it started, and that all of it is to be scanned. */
  #offsets(): RunningOffset[] {
    return this.#owners.map((_, partition) => {
      const { durableEndOffset, logStartOffset } = this.view(partition);
      const left = this.home.data.leftBehind(TOPIC_ID, partition);
      const kept = this.online(partition) ? 0 : (left?.logStartOffset ?? 0);
      const offset = this.online(partition) ? durableEndOffset : (left?.recoveryPoint ?? 0);
      return { topic: TOPIC, partition, directory: 0, offset, logStartOffset: Math.max(kept, logStartOffset) };
    });
  }

  /** A partition goes to another handler while it is used. */
  move(partition: number): void {
    const from = this.handlers[this.#owners[partition] as number] as Handler;
    const owner = ((this.#owners[partition] as number) + 1) % this.handlers.length;
    const slots = [partition];
    for (const processor of this.processors) this.#await(processor, { kind: 'hold', slots });
    const [frozen] = this.#await(from, { kind: 'freeze', slots }) as [FrozenPartition];
    const message = { ...this.home.partition(partition, this.#epoch, this.#config), bytes: frozen.bytes };
    this.ask(this.handlers[owner] as Handler, { kind: 'thaw', partitions: [message] });
    this.#owners[partition] = owner;
    for (const processor of this.processors) this.ask(processor, { kind: 'resume', slots });
  }

  /** An answer that comes when others have gone on. */
  #await(role: Role, message: ControlMessage): unknown {
    const answers: unknown[] = [];
    role.control(message, (value) => answers.push(value));
    for (let round = 0; answers.length === 0; round++) {
      must(round < ROUNDS_MAX, `${role.name} answers ${message.kind} in time`);
      for (let index = 0; index < this.loops.length; index++) this.turn(index);
      this.block();
      this.main();
    }
    return answers[0];
  }

  /** A clean end. False when the disk did not let it be one. */
  close(): boolean {
    for (const processor of this.processors) processor.stop();
    this.settle();
    const closed = this.handlers.flatMap((handler) => this.ask(handler, { kind: 'close' }) as ClosedPartition[]);
    const offsets = closed.map(({ slot, recoveryPoint, logStartOffset, highWatermark }) => ({
      topic: TOPIC,
      partition: slot,
      directory: 0,
      offset: recoveryPoint,
      logStartOffset,
      highWatermark,
    }));
    const clean = closed.every(({ error }) => error === null) && this.failed === null;
    const unwritten = this.home.data.checkpoint(offsets);
    if (clean && unwritten.length === 0) {
      this.home.data.markClean(
        0,
        offsets.map((entry) => ({ ...entry, offset: entry.highWatermark })),
        1,
      );
    }
    for (const handler of this.handlers) handler.stop();
    this.home.store.endSession();
    this.home.store.commit();
    this.home.close();
    return clean && unwritten.length === 0;
  }

  // ---- Putting it together

  #role(name: string): Role {
    return this.handlers[Number(name.slice(1))] as Handler;
  }

  /** A loop of its own, or the one that all share. */
  #loop(): Loop {
    const shared = this.loops[0];
    if (this.#settings.together && shared !== undefined) return shared;
    const loop = new Loop(this.#clock, new Timers(this.#clock.monotonic()));
    this.loops.push(loop);
    return loop;
  }

  #addProcessor(index: number): void {
    const { settings, loop } = { settings: this.#settings, loop: this.#loop() };
    const counters = new Counters(countersMemory(), 0);
    const sockets = new SimulatedSockets(this.#disk, new SeededRandom(settings.seed + index));
    const processor = new Processor({
      name: `p${index}`,
      index,
      intake: memoryOver(new Uint8Array(INTAKES[index] as SharedArrayBuffer)),
      queuedBytesMax: INTAKE_LIMITS.queuedBytesMax,
      answers: new Answers(UNREGISTERED),
      scratch: memoryOver(new Uint8Array(65_536)),
      kernels,
      timers: loop.timers,
      clock: this.#clock,
      random: new SeededRandom(settings.seed),
      files: this.table,
      published: this.published,
      sockets,
      counters,
      limits: {
        connection: { ...LIMITS, inFlightMax: settings.inFlightMax },
        zeroCopyMinBytes: settings.zeroCopyMinBytes,
        fetchBytesMax: 1_000_000,
        autoCreateTopics: false,
        describedPartitionsMax: 100,
        queuedRequestsMax: QUEUED_REQUESTS_MAX,
        sessionSlotsMax: 4,
        nodeId: 1,
        listeners: ['PLAINTEXT'],
      },
      image: emptyImage('cluster'),
      routes: [],
      descriptors: new Int32Array(64),
      open: new Int32Array(1),
      post: (message) => this.#posted.push(message),
    });
    loop.add(processor, counters);
    this.processors.push(processor);
    this.#sockets.push(sockets);
    const [, accepting] = rings(this.#settings.ringSlots, processor, 'a0');
    this.#accepting.push(accepting);
    this.#blocker.linked(`p${index}`, ...rings(this.#settings.ringSlots, processor, 'b0'));
  }

  #addHandler(index: number, words: Int32Array): void {
    const { settings, loop } = { settings: this.#settings, loop: this.#loop() };
    const counters = new Counters(countersMemory(), 0);
    const files = new FileTable(words, index * FILE_SLOTS, FILE_SLOTS);
    const cache = new FileCache(this.#disk, files, settings.filesMax);
    const handler = new Handler({
      name: `h${index}`,
      index,
      groupCommit: settings.flush === 'group',
      fullValidation: settings.fullValidation,
      retentionCheckMs: 20_000,
      checkpointMs: 5_000,
      timers: loop.timers,
      groups: groupSettings(parseSettings([]).settings),
      groupExpiryCheckMs: 600_000,
      image: emptyImage('cluster'),
      environment: { ...environment(this.#disk, 1, settings.seed + index), files: cache },
      cache,
      registry: UNREGISTERED,
      files,
      published: this.published,
      clock: this.#clock,
      counters,
      post: (message) => this.#posted.push(message),
    });
    loop.add(handler, counters);
    this.handlers.push(handler);
    this.caches.push(cache);
    this.#blocker.linked(
      `h${index}`,
      ...rings(
        this.#settings.ringSlots,
        { linked: (peer, inbox, outbox) => handler.linked(peer, inbox, outbox, null) },
        'b0',
      ),
    );
    for (const [at, processor] of this.processors.entries()) {
      const intake: Memory = memoryOver(new Uint8Array(INTAKES[at] as SharedArrayBuffer));
      const [inbox, outbox] = rings(
        this.#settings.ringSlots,
        { linked: (peer, inbox, outbox) => handler.linked(peer, inbox, outbox, intake) },
        `p${at}`,
      );
      processor.linked(`h${index}`, inbox, outbox);
    }
  }
}
