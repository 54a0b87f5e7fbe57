/**
 * The roles of one process: the real processors, handlers and blocker over the simulated disk and sockets, with rings between
 * them. Nothing runs unless it is told to; roles share a loop or have one each.
 */
import type { Clock } from '../../src/base/clock.ts';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { Timers } from '../../src/base/timers.ts';
import { emptyImage } from '../../src/cluster/image.ts';
import { parseSettings } from '../../src/config/settings.ts';
import { groupSettings } from '../../src/host/groups.ts';
import { FileCache } from '../../src/log/files.ts';
import { FileTable } from '../../src/log/leases.ts';
import type { PublishedPartitions } from '../../src/replica/published.ts';
import { Blocker } from '../../src/runtime/blocker.ts';
import type { ControlMessage, FromThread } from '../../src/runtime/control.ts';
import { Counters, countersMemory } from '../../src/runtime/counters.ts';
import { Handler } from '../../src/runtime/handler/handler.ts';
import { Loop } from '../../src/runtime/loop.ts';
import { Answers, UNREGISTERED } from '../../src/runtime/net/answers.ts';
import type { Connection } from '../../src/runtime/net/connection.ts';
import { intakeBytes } from '../../src/runtime/net/intake.ts';
import { Processor } from '../../src/runtime/processor/processor.ts';
import { ACCEPTED } from '../../src/runtime/rings/messages.ts';
import type { Outbox } from '../../src/runtime/rings/ring.ts';
import type { Role } from '../../src/runtime/role.ts';
import { environment, kernels } from '../log/fixture.ts';
import { INTAKE_LIMITS, LIMITS } from '../runtime/kit.ts';
import { FakeTransport, must } from '../runtime/net/sockets.ts';
import type { SimulatedDisk } from './disk.ts';
import { poisonWhatIsFree } from './poison.ts';
import { rings } from './rings.ts';
import type { Settings } from './settings.ts';
import { SimulatedSockets, syncErrno } from './sockets.ts';

const QUEUED_REQUESTS_MAX = 40;
const FILE_SLOTS = 256;
const PROCESSORS_MAX = 2;
/** Used again by process after process: nobody of an earlier one is left to look. */
const INTAKES = Array.from({ length: PROCESSORS_MAX }, () => new SharedArrayBuffer(intakeBytes(INTAKE_LIMITS)));

export interface CrewParts {
  readonly settings: Settings;
  readonly disk: SimulatedDisk;
  readonly clock: Clock;
  readonly published: PublishedPartitions;
  /** To the main thread. */
  post(message: FromThread): void;
}

/** What a role answers at once. */
export function ask(role: Role, message: ControlMessage): unknown {
  const answers: unknown[] = [];
  role.control(message, (value, error) => {
    must(error === undefined, `${role.name} answers ${message.kind}: ${error}`);
    answers.push(value);
  });
  must(answers.length === 1, `${role.name} answers ${message.kind} at once`);
  return answers[0];
}

export class SimulatedCrew {
  readonly table: FileTable;
  readonly handlers: Handler[] = [];
  readonly caches: FileCache[] = [];
  readonly processors: Processor[] = [];
  readonly loops: Loop[] = [];
  readonly #parts: CrewParts;
  readonly #blocker: Blocker;
  readonly #sockets: SimulatedSockets[] = [];
  readonly #accepting: Outbox[] = [];
  #descriptors = 1_000_000;
  #accepted = 0;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    const { settings, disk } = parts;
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
  }

  /** Where the processor of this name receives. */
  intakeOf(processor: string): SharedArrayBuffer {
    return INTAKES[Number(processor.slice(1))] as SharedArrayBuffer;
  }

  handler(name: string): Handler {
    return this.handlers[Number(name.slice(1))] as Handler;
  }

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

  /** Connections that are not closed; also those of clients that have gone, whose requests wait for their time. */
  get connections(): number {
    let count = 0;
    for (const { open } of this.#sockets) for (const one of open.values()) if (one.closed === 0) count += 1;
    return count;
  }

  /** Ranges that were in the page cache are not any more. */
  cool(): void {
    for (const sockets of this.#sockets) sockets.warm.clear();
  }

  /** One loop's: what its sockets have, then a round. */
  turn(index: number): void {
    // As an acceptor does: what found no room in a ring is tried again.
    for (const outbox of this.#accepting) outbox?.ringBell();
    const loop = this.loops[index % this.loops.length] as Loop;
    for (const [at, processor] of this.processors.entries()) {
      if (!loop.roles.includes(processor)) continue;
      const now = this.#parts.clock.monotonic();
      for (const [id, transport] of (this.#sockets[at] as SimulatedSockets).open) {
        const connection = processor.connection(id);
        if (connection === undefined) continue;
        if (transport.isReadable) connection.readable(now);
        if (!connection.closed && transport.isWritable) connection.writable(now);
      }
    }
    loop.round();
  }

  block(): void {
    this.#blocker.work();
  }

  /** Every loop, then the blocker. */
  round(): void {
    for (let index = 0; index < this.loops.length; index++) this.turn(index);
    this.block();
  }

  /** Somebody has something to do at this moment. */
  get pending(): boolean {
    if (this.#blocker.pending()) return true;
    for (const loop of this.loops) if (loop.pending()) return true;
    for (const { open } of this.#sockets)
      for (const one of open.values()) if (one.closed === 0 && (one.isReadable || one.isWritable)) return true;
    return false;
  }

  /** A loop of its own, or the one that all share. */
  #loop(): Loop {
    const shared = this.loops[0];
    if (this.#parts.settings.together && shared !== undefined) return shared;
    const loop = new Loop(this.#parts.clock, new Timers(this.#parts.clock.monotonic()));
    this.loops.push(loop);
    return loop;
  }

  #addProcessor(index: number): void {
    const { settings, loop } = { settings: this.#parts.settings, loop: this.#loop() };
    const counters = new Counters(countersMemory(), 0);
    const sockets = new SimulatedSockets(this.#parts.disk, new SeededRandom(settings.seed + index));
    const processor = new Processor({
      name: `p${index}`,
      index,
      intake: memoryOver(new Uint8Array(INTAKES[index] as SharedArrayBuffer)),
      queuedBytesMax: INTAKE_LIMITS.queuedBytesMax,
      answers: new Answers(UNREGISTERED),
      scratch: memoryOver(new Uint8Array(65_536)),
      kernels,
      timers: loop.timers,
      clock: this.#parts.clock,
      random: new SeededRandom(settings.seed),
      files: this.table,
      published: this.#parts.published,
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
      post: (message) => this.#parts.post(message),
    });
    poisonWhatIsFree(processor.intake);
    loop.add(processor, counters);
    this.processors.push(processor);
    this.#sockets.push(sockets);
    const [, accepting] = rings(this.#parts.settings.ringSlots, processor, 'a0');
    this.#accepting.push(accepting);
    this.#blocker.linked(`p${index}`, ...rings(this.#parts.settings.ringSlots, processor, 'b0'));
  }

  #addHandler(index: number, words: Int32Array): void {
    const { settings, loop } = { settings: this.#parts.settings, loop: this.#loop() };
    const counters = new Counters(countersMemory(), 0);
    const files = new FileTable(words, index * FILE_SLOTS, FILE_SLOTS);
    const cache = new FileCache(this.#parts.disk, files, settings.filesMax);
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
      environment: { ...environment(this.#parts.disk, 1, settings.seed + index), files: cache },
      cache,
      registry: UNREGISTERED,
      files,
      published: this.#parts.published,
      clock: this.#parts.clock,
      counters,
      post: (message) => this.#parts.post(message),
    });
    loop.add(handler, counters);
    this.handlers.push(handler);
    this.caches.push(cache);
    this.#blocker.linked(
      `h${index}`,
      ...rings(
        this.#parts.settings.ringSlots,
        { linked: (peer, inbox, outbox) => handler.linked(peer, inbox, outbox, null) },
        'b0',
      ),
    );
    for (const [at, processor] of this.processors.entries()) {
      const intake: Memory = memoryOver(new Uint8Array(INTAKES[at] as SharedArrayBuffer));
      const [inbox, outbox] = rings(
        this.#parts.settings.ringSlots,
        { linked: (peer, inbox, outbox) => handler.linked(peer, inbox, outbox, intake) },
        `p${at}`,
      );
      processor.linked(`h${index}`, inbox, outbox);
    }
  }
}
