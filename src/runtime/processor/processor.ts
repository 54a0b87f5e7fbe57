/**
 * The network role: reads the requests that its connections cut, starts them on its floor and sends the answers. It is the
 * desk that its connections turn to.
 */
import { dispatch } from '../../api/dispatch.ts';
import type { ApiCall } from '../../api/floor.ts';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Kernels } from '../../base/kernels.ts';
import type { Memory } from '../../base/memory.ts';
import type { Random } from '../../base/random.ts';
import { Timer, type Timers } from '../../base/timers.ts';
import { imageOf } from '../../cluster/changes.ts';
import type { MetadataImage } from '../../cluster/image.ts';
import type { FileTable } from '../../log/leases.ts';
import { FetchSessions } from '../../replica/fetch-session.ts';
import type { PublishedPartitions } from '../../replica/published.ts';
import { RequestHeader, readRequestHeader } from '../../wire/headers.ts';
import { REQUEST_ELEMENTS_MAX, Reader } from '../../wire/reader.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { ControlMessage, FromThread, ProcessorLimits, RouteMessage } from '../control.ts';
import type { Counters } from '../counters.ts';
import type { Answers } from '../net/answers.ts';
import { Call, type CallOwner } from '../net/call.ts';
import type { Connection, ConnectionDesk, ConnectionLimits } from '../net/connection.ts';
import { Connections, type Sockets } from '../net/connections.ts';
import { type Block, Intake } from '../net/intake.ts';
import type { Outgoing } from '../net/outgoing.ts';
import { LetterReader } from '../rings/letters.ts';
import { type Linked, Links } from '../rings/links.ts';
import { ACCEPTED, BLOCKED_DONE, COORDINATED } from '../rings/messages.ts';
import type { Inbox, Outbox } from '../rings/ring.ts';
import type { Reply, Role } from '../role.ts';
import { Faults } from './faults.ts';
import { LentFiles } from './lent-files.ts';
import { Owners } from './owners.ts';
import { RequestFloor } from './request-floor.ts';

export interface ProcessorParts {
  readonly name: string;
  readonly index: number;
  readonly intake: Memory;
  readonly queuedBytesMax: number;
  readonly answers: Answers;
  readonly scratch: Memory;
  readonly kernels: Kernels;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileTable;
  readonly published: PublishedPartitions;
  readonly sockets: Sockets;
  readonly counters: Counters;
  readonly limits: ProcessorLimits;
  readonly image: MetadataImage;
  readonly routes: readonly RouteMessage[];
  /** Slots of shared memory where the descriptors of open connections stand, for whoever must close them if this thread dies. */
  readonly descriptors: Int32Array;
  /** One shared int32: connections open in the whole broker, counted from being accepted to being closed. */
  readonly open: Int32Array;
  post(message: FromThread): void;
}

interface Link extends Linked {
  /** From a handler. */
  readonly letters: LetterReader | null;
}

/** Idle memory below this stays; what a burst touched beyond goes back. */
const INTAKE_IDLE_BYTES = 8_388_608;
const TRIM_EVERY_MS = 2_000;

export class Processor implements Role, ConnectionDesk, CallOwner {
  readonly name: string;
  readonly kernels: Kernels;
  readonly timers: Timers;
  readonly intake: Intake;
  readonly ranges: LentFiles;
  readonly limits: ConnectionLimits;
  readonly #parts: ProcessorParts;
  readonly #owners: Owners;
  readonly #floor: RequestFloor;
  readonly #sessions: FetchSessions;
  readonly #reader = new Reader(REQUEST_ELEMENTS_MAX);
  readonly #header = new RequestHeader();
  readonly #connections: Connections;
  readonly #links = new Links<Link>();
  readonly #trim: Timer;
  readonly #limits: ProcessorLimits;
  readonly #faults: Faults;
  /** Partitions are held back, or forgotten, once all that was sent to their owners is in the rings. */
  readonly #holding: Reply[] = [];
  #callsOpen = 0;
  #now = 0;
  #requests = 0;
  #answered = 0;

  constructor(parts: ProcessorParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.kernels = parts.kernels;
    this.timers = parts.timers;
    this.#limits = parts.limits;
    this.#faults = new Faults(parts.limits.listeners, (message) => parts.post(message));
    this.limits = parts.limits.connection;
    this.#owners = new Owners(parts.published);
    this.#owners.update(parts.routes, []);
    this.#sessions = new FetchSessions(parts.index, parts.limits.sessionSlotsMax, parts.random);
    this.intake = new Intake(parts.intake, {
      queuedBytesMax: parts.queuedBytesMax,
      frameBytesMax: parts.limits.connection.frameBytesMax,
    });
    this.#connections = new Connections({
      ...parts,
      desk: this,
      sessions: this.#sessions,
      intake: this.intake,
      post: (message) => parts.post(message),
    });
    this.ranges = new LentFiles(parts, this.intake);
    this.#floor = new RequestFloor({
      ...parts,
      reader: this.#reader,
      owners: this.#owners,
      sessions: this.#sessions,
      intake: this.intake,
      releaseLease: (slot) => this.ranges.release(slot),
      failed: (call, problem) => this.#failed(call, problem),
      peer: (connection) => this.#connections.get(connection)?.transport.peer ?? '',
      post: (message) => parts.post(message),
    });
    this.#trim = new Timer((now) => this.#trimIntake(now));
    this.#now = parts.clock.monotonic();
    this.timers.set(this.#trim, this.#now + TRIM_EVERY_MS);
  }

  // ---- Role

  drain(now: number): boolean {
    this.#now = now;
    this.#owners.turnAt = now;
    let any = false;
    for (const link of this.#links.all) {
      const { inbox } = link;
      for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
        any = true;
        this.#take(link, at);
        inbox.next();
      }
    }
    return any;
  }

  settle(now: number): boolean {
    this.#now = now;
    this.intake.admitWaiting();
    this.#connections.unstall(this.congested, now);
    const any = this.#connections.resume(now);
    this.#connections.moveAway(this.#floor.quiet);
    this.#owners.ringBells();
    if (this.#holding.length > 0 && !this.#owners.congested) for (const reply of this.#holding.splice(0)) reply();
    this.ranges.blocker?.ringBell();
    return any;
  }

  deadline(): number {
    return this.#connections.anyReady ? 0 : this.timers.next();
  }

  pending(): boolean {
    return this.#links.pending || this.#connections.anyReady;
  }

  control(message: ControlMessage, reply: Reply): void {
    switch (message.kind) {
      case 'image':
        this.#floor.become(imageOf(message.image.clusterId, message.image.changes), message.add);
        return reply();
      case 'close':
        this.stop();
        return reply();
      case 'changes':
        this.#floor.change(message.changes, message.add, message.remove);
        if (message.remove.length === 0) return reply();
        return this.#whenSent(reply);
      case 'count':
        return reply(this.#connections.count);
      case 'hold':
        this.#owners.hold(message.slots);
        return this.#whenSent(reply);
      case 'resume':
        this.#owners.resume(message.slots);
        this.#owners.ringBells();
        return reply();
      case 'answer':
        this.#floor.controllerAnswered(message.token, message.body, message.error);
        return reply();
      case 'leave':
        this.drain(this.#now);
        this.#connections.leave(message.count, reply);
        return this.#connections.moveAway(this.#floor.quiet);
      case 'share':
        this.intake.queuedBytesMax = message.max;
        return reply();
      case 'adopt':
        this.#connections.adopt(message.connection, this.#now);
        return reply();
      case 'unlink':
        // What the other one said last is in the ring, and its link is all that leads there.
        this.drain(this.#now);
        this.#unlink(message.peer);
        return reply();
      default:
        reply(undefined, `a processor does not know ${message.kind}`);
    }
  }

  /** Replies once all that was asked of owners is in their rings. */
  #whenSent(reply: Reply): void {
    this.#owners.ringBells();
    if (this.#owners.congested) this.#holding.push(reply);
    else reply();
  }

  /** Rings to and from another role. Handlers are named h0, h1 ..., the blocker b0, acceptors a0 ... */
  linked(peer: string, inbox: Inbox, outbox: Outbox, letterMemory: SharedArrayBuffer | null = null): void {
    const letters = letterMemory === null ? null : new LetterReader(letterMemory);
    this.#links.add({ peer, inbox, outbox, letters });
    if (peer.startsWith('h')) this.#owners.link(Number(peer.slice(1)), outbox);
    if (peer.startsWith('b')) this.ranges.blocker = outbox;
  }

  stop(): void {
    this.#connections.closeAll('the broker stops');
    this.timers.cancel(this.#trim);
  }

  count(): void {
    const { counters } = this.#parts;
    this.ranges.count();
    counters.set('connectionsOpen', this.#connections.count);
    counters.set('requests', this.#requests);
    counters.set('requestsMalformed', this.#faults.count);
    counters.set('answers', this.#answered);
    counters.set('intakeBlocksHeld', this.intake.heldBlocks);
    counters.set('intakeBytesHeld', this.intake.heldBytes);
    counters.set('framesWaiting', this.intake.waiting);
    counters.set('callsOpen', this.#callsOpen);
    counters.set('fetchSessions', this.#sessions.count);
    counters.set('fetchesWaiting', this.#floor.watching);
    counters.set('requestsUnderWay', this.#floor.inFlight);
    counters.set('ringQueued', this.#links.queued);
  }

  // ---- Desk of the connections

  get congested(): boolean {
    return this.#floor.full || this.#floor.inFlight >= this.#limits.queuedRequestsMax || this.#owners.congested;
  }

  frame(
    connection: Connection,
    memory: Memory,
    offset: number,
    length: number,
    block: Block,
    now: number,
  ): Call | null {
    const reader = this.#reader;
    const header = this.#header;
    const openBefore = this.#callsOpen;
    const begunBefore = this.#floor.begun;
    let call: Call | null = null;
    this.#requests += 1;
    this.#owners.turnAt = now;
    try {
      reader.reset(memory, offset, offset + length);
      readRequestHeader(reader, header);
      call = new Call(this, connection.id, connection.listener, header, now);
      this.#callsOpen += 1;
      this.#floor.frameBlock = block;
      this.#floor.frameOffset = offset;
      this.#floor.frameLength = length;
      dispatch(call, header.api, reader, this.#floor);
      return call;
    } catch (problem) {
      if (!(problem instanceof WireError)) {
        // Its connection goes. What it has begun ends by itself, and gives back what it holds then.
        this.#faults.failed({ apiKey: header.apiKey, version: header.apiVersion }, problem as Error);
        call?.abandon();
        if (this.#floor.begun === begunBefore) this.#callsOpen = openBefore;
        return null;
      }
      // Nothing of it was done: a request is read whole first.
      this.#callsOpen = openBefore;
      const { peer } = connection.transport;
      const { apiKey: api, apiVersion: version } = header;
      this.#faults.malformed({ peer, api, version, why: problem.message }, now);
      return null;
    }
  }

  encode(call: Call, outgoing: Outgoing): boolean {
    this.#answered += 1;
    try {
      this.#parts.answers.encode(call, outgoing);
      return true;
    } catch (problem) {
      for (const range of call.ranges) this.ranges.release(range.slot);
      this.#faults.unwritable(call, problem as Error);
      return false;
    }
  }

  resetEncoder(): void {
    this.#parts.answers.reset();
  }

  closed(connection: Connection, why: string): void {
    this.#parts.counters.add('connectionsClosed', 1);
    Atomics.sub(this.#parts.open, 0, 1);
    this.#connections.forget(connection);
    this.#sessions.drop(connection.id);
    if (why !== '') {
      const values = { peer: connection.transport.peer, why };
      this.#parts.post({ kind: 'log', level: 'debug', event: 'connection.closed', values });
    }
  }

  again(connection: Connection): void {
    this.#connections.again(connection);
  }

  stalled(connection: Connection): void {
    this.#connections.stall(connection);
  }

  misfit(connection: Connection, size: number): void {
    this.#faults.misfit(connection.transport.peer, connection.listener, size, this.#now);
  }

  relieve(now: number): boolean {
    return this.#connections.relieve(now);
  }

  ready(call: Call): void {
    this.#callsOpen -= 1;
    const connection = this.#connections.get(call.connection);
    if (call.abandoned || connection === undefined) {
      this.releaseCall(call);
    } else this.#connections.again(connection);
  }

  releaseCall(call: Call): void {
    if (call.done) for (const range of call.ranges) this.ranges.release(range.slot);
  }

  /** A fault of ours in one request costs its connection, not the thread. */
  #failed(call: ApiCall, problem: Error): void {
    this.#faults.failed(call, problem);
    this.#connections.get(call.connection)?.close('a request that failed here');
  }

  connection(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  #trimIntake(now: number): void {
    this.#faults.sayRest(now);
    if (this.intake.heldBlocks === 0) this.intake.rest();
    const { sockets, intake } = this.#parts;
    this.intake.trim(INTAKE_IDLE_BYTES, (offset, bytes) => sockets.releasePages(intake, offset, bytes));
    this.timers.set(this.#trim, now + TRIM_EVERY_MS);
  }

  // ---- Messages

  #take({ inbox, letters }: Link, at: number): void {
    if (this.#floor.take(inbox, at)) return;
    const { words } = inbox;
    const a = words[at + 1] as number;
    if (words[at] === COORDINATED) {
      const letter = letters?.take(words, at) ?? null;
      if (letter !== null) this.#floor.coordinated(a, words[at + 2] as number, words[at + 3] as number, letter);
      return;
    }
    if (words[at] === ACCEPTED) {
      this.#connections.accept(a, words[at + 2] as number, this.#now);
      return;
    }
    assert(words[at] === BLOCKED_DONE, 'a processor knows its messages', { type: words[at] });
    this.ranges.came(a);
  }

  #unlink(peer: string): void {
    this.#links.remove(peer);
    if (peer.startsWith('h')) this.#owners.unlink(Number(peer.slice(1)));
  }
}
