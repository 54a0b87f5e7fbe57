/**
 * One client's connection: starts requests in order, lets answers leave in order, and knows when to stop reading. It decides;
 * its frames cut what arrives, the transport moves the bytes and the processor does the work.
 *
 * Reading stops while: all answer slots are taken, a request that runs alone is under way, a large frame waits for room,
 * the intake is used up, the processor is congested, or bytes are left that may not be started yet.
 */
import type { Kernels } from '../../base/kernels.ts';
import { takeFirst } from '../../base/lists.ts';
import type { Memory } from '../../base/memory.ts';
import { Timer, type Timers } from '../../base/timers.ts';
import type { Call } from './call.ts';
import { Frames, type FramesOwner, MORE, NO_ROOM, TAKEN } from './frames.ts';
import type { Block, Intake } from './intake.ts';
import { BLOCKED, BROKEN, COLD, Outgoing, type RangeDesk, YIELDED } from './outgoing.ts';
import { END, type Transport, type TransportOwner } from './transport.ts';

export interface ConnectionLimits {
  readonly frameBytesMax: number;
  readonly inFlightMax: number;
  readonly idleMs: number;
  readonly receiveTimeoutMs: number;
}

/** The processor, as its connections see it. */
export interface ConnectionDesk {
  readonly intake: Intake;
  readonly ranges: RangeDesk;
  readonly kernels: Kernels;
  readonly timers: Timers;
  limits: ConnectionLimits;
  /** True while new requests must wait. */
  readonly congested: boolean;
  /** A whole frame. The block holds its bytes until the call releases it. Null: the frame is not acceptable, hang up. */
  frame(connection: Connection, memory: Memory, offset: number, length: number, block: Block, now: number): Call | null;
  /**
   * Writes an answer behind the others into memory that is valid until `resetEncoder`, and adds it to `outgoing`. False
   * when the answer cannot be said in its version: a fault of ours, which costs this connection and nobody else.
   */
  encode(call: Call, outgoing: Outgoing): boolean;
  resetEncoder(): void;
  /** It sends what cannot be a request, by its size, and is closed next. */
  misfit(connection: Connection, size: number): void;
  closed(connection: Connection, why: string): void;
  /** The connection wants to go on in the next turn. */
  again(connection: Connection): void;
  /** The connection could not read for want of memory or ring space: tell it when there is room. */
  stalled(connection: Connection): void;
  /** Closes whoever has not read its answers for longest, if there is one: true when there is more memory now. */
  relieve(now: number): boolean;
}

/** Reads of a connection within one turn: enough for a large batch, few enough to be fair. */
const RECEIVES_PER_TURN_MAX = 4;

export class Connection implements TransportOwner, FramesOwner {
  readonly id: number;
  readonly listener: number;
  readonly transport: Transport;
  readonly outgoing: Outgoing;
  readonly #desk: ConnectionDesk;
  readonly #calls: Call[] = [];
  readonly #idle: Timer;
  readonly #frames: Frames;
  #sendBlocked = false;
  #ended = false;
  /** The other end has closed its sending side; unread bytes of it may still be there. */
  #gone = false;
  #reading = true;
  #writing = false;
  #wroteInterest = false;
  #lastActive = 0;
  closed = false;
  /** Set while the connection is to move: no new frame is started. */
  leaving = false;

  constructor(id: number, listener: number, transport: Transport, desk: ConnectionDesk, now: number) {
    this.id = id;
    this.listener = listener;
    this.transport = transport;
    this.#desk = desk;
    this.outgoing = new Outgoing(transport, desk.ranges, () => this.#desk.again(this));
    this.#lastActive = now;
    this.#idle = new Timer((at) => this.#checkIdle(at));
    this.#frames = new Frames(desk, this);
    desk.timers.set(this.#idle, now + desk.limits.idleMs);
    transport.interest(true, false);
  }

  /** Nothing under way and nothing to send. */
  get quiet(): boolean {
    return this.#calls.length === 0 && this.outgoing.empty && !this.#frames.applying;
  }

  /** At a frame boundary, or in the middle of a small frame whose bytes can go along. */
  get movable(): boolean {
    return this.quiet && !this.#frames.holdsLarge && !this.closed;
  }

  /** The last one started, if nothing may start behind it. */
  get #blocked(): boolean {
    const calls = this.#calls;
    if (calls.length === 0) return false;
    const last = calls[calls.length - 1] as Call;
    return !last.done && (last.alone || last.waits);
  }

  get inFlight(): number {
    return this.#calls.length;
  }

  /** Bytes that were read and belong to no started request. */
  get partialBytes(): number {
    return this.#frames.bytes;
  }

  readable(now: number): void {
    this.#lastActive = now;
    if (!this.mayRead()) {
      // Turned off only now: most clients send nothing while they wait, and a change costs a system call.
      this.#stopReading();
      this.#awaitDesk();
      return;
    }
    for (let turn = 0; turn < RECEIVES_PER_TURN_MAX && this.mayRead(); turn++) {
      if (!this.#receive(now)) return;
    }
    this.#updateInterest();
  }

  writable(now: number): void {
    this.#lastActive = now;
    this.#sendBlocked = false;
    this.proceed(now);
  }

  /** Nobody may be there any more: a fetch that waits ends now, and its answer shows whether somebody is. */
  gone(_now: number): void {
    if (this.closed || this.#gone) return;
    this.#gone = true;
    for (const call of this.#calls) call.hurry();
  }

  /** After an answer is ready, after a stall, at the start of a turn it asked for. */
  proceed(now: number): void {
    if (this.closed) return;
    this.flush(now);
    if (this.closed) return;
    this.#cutLeft(now);
    if (this.closed) return;
    this.#frames.watchTime(now);
    if (!this.#reading) this.#awaitDesk();
    this.#updateInterest();
  }

  /** Sends what is ready. Answers leave in the order of their requests. */
  flush(now: number): void {
    if (this.closed || this.#sendBlocked) return;
    this.#desk.resetEncoder();
    for (;;) {
      while (this.#calls.length > 0 && (this.#calls[0] as Call).done) {
        const call = this.#calls[0] as Call;
        if (call.hangUp) {
          // The answers before it still go out.
          if (this.outgoing.empty) return this.close(call.why);
          break;
        }
        takeFirst(this.#calls);
        if (!call.silent && !this.#desk.encode(call, this.outgoing))
          return this.close('an answer that cannot be written');
        if (this.outgoing.heavy) break;
      }
      if (this.outgoing.empty) break;
      const result = this.outgoing.send();
      if (result === BROKEN) return this.close('the other end is gone');
      this.#lastActive = now;
      if (result === BLOCKED || result === COLD || result === YIELDED) {
        this.#sendBlocked = result !== YIELDED;
        while (!this.outgoing.keep(this.#desk.intake, this.#desk.kernels)) {
          if (!this.#desk.relieve(now)) return this.close('no memory for an answer that its client does not read');
        }
        this.#writing = result === BLOCKED;
        if (result === YIELDED) this.#desk.again(this);
        break;
      }
      this.#desk.resetEncoder();
    }
    if (this.outgoing.empty) this.#writing = false;
    if (this.#ended && this.quiet && !this.#frames.hasLeft) return this.close('');
    this.#updateInterest();
  }

  /** A cold range has arrived, or it is this connection's turn again. */
  resume(now: number): void {
    if (this.closed) return;
    if (!this.#writing) this.#sendBlocked = false;
    this.proceed(now);
  }

  /** For how long answers have been ready that their client does not read. */
  stuckMs(now: number): number {
    return this.outgoing.empty ? 0 : now - this.#lastActive;
  }

  /** Others wait for memory. */
  press(): void {
    this.#frames.press();
  }

  excuse(): void {
    this.#frames.excuse();
  }

  close(why: string): void {
    if (this.closed) return;
    this.closed = true;
    this.#desk.timers.cancel(this.#idle);
    this.#frames.letGo();
    for (const call of this.#calls) call.abandon();
    this.#calls.length = 0;
    this.outgoing.close();
    this.transport.close();
    this.#desk.closed(this, why);
  }

  /** It is to move: no new frame is started, and what waits ends now. */
  leave(): void {
    this.leaving = true;
    for (const call of this.#calls) call.hurry();
  }

  /** Takes the connection apart at a frame boundary: the bytes that were read and not used, as a copy. */
  detach(): Uint8Array {
    const left = this.#frames.copy();
    this.#desk.timers.cancel(this.#idle);
    this.#frames.letGo();
    this.closed = true;
    return left;
  }

  /** The other half of `detach`: bytes that an earlier processor has read. */
  adoptBytes(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return;
    if (!this.#frames.take(bytes)) return this.close('no memory for a connection that moved');
    this.#cutLeft(now);
    this.#updateInterest();
  }

  mayRead(): boolean {
    return !this.closed && !this.#ended && !this.#frames.applying && !this.#frames.hasLeft && this.mayStart();
  }

  mayStart(): boolean {
    return (
      !this.#blocked &&
      !this.#sendBlocked &&
      !(this.leaving && !this.#frames.holdsLarge) &&
      this.#calls.length < this.#desk.limits.inFlightMax &&
      !this.#desk.congested
    );
  }

  /** One receive and what follows from it. False when there is nothing more to get now. */
  #receive(now: number): boolean {
    const result = this.#frames.receive(this.transport, now);
    if (result === MORE) return true;
    if (result === TAKEN) return false;
    if (result === NO_ROOM) {
      this.#stopReading();
      this.stalled();
    } else if (result === END) {
      this.#ended = true;
      this.#frames.dropUnfinished();
      if (this.quiet && !this.#frames.hasLeft) this.close('');
      else this.#updateInterest();
    } else this.close('the other end is gone');
    return false;
  }

  stalled(): void {
    this.#desk.stalled(this);
  }

  misfit(size: number): void {
    const { frameBytesMax } = this.#desk.limits;
    this.#desk.misfit(this, size);
    this.close(`a request of ${size} bytes is not between 0 and ${frameBytesMax} (socket.request.max.bytes)`);
  }

  again(): void {
    this.#desk.again(this);
  }

  start(block: Block, offset: number, length: number, now: number): void {
    const call = this.#desk.frame(this, this.#desk.intake.memory, offset, length, block, now);
    this.#lastActive = now;
    if (call === null) return this.close('a request that cannot be read');
    this.#calls.push(call);
    if (this.#gone) call.hurry();
    if (call.done) this.#desk.again(this);
  }

  /** Goes on with what was left, now that something may have changed. */
  #cutLeft(now: number): void {
    if (!this.#frames.hasLeft || this.#frames.applying) return;
    if (this.mayStart()) this.#frames.cutLeft(now);
    else this.#awaitDesk();
  }

  #stopReading(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#wroteInterest = this.#writing;
    this.transport.interest(false, this.#writing);
  }

  /** Congestion ends without a word to those who stood still: the desk tells who has asked. */
  #awaitDesk(): void {
    if (this.#desk.congested) this.#desk.stalled(this);
  }

  #checkIdle(now: number): void {
    const due = this.#lastActive + this.#desk.limits.idleMs;
    const stuck = !this.outgoing.empty;
    if (now >= due && (this.quiet || stuck)) return this.close('idle for connections.max.idle.ms');
    this.#desk.timers.set(this.#idle, Math.max(due, now + 1000));
  }

  #updateInterest(): void {
    if (this.closed) return;
    const read = this.#reading || this.mayRead();
    const write = this.#writing;
    if (read === this.#reading && write === this.#wroteInterest) return;
    this.#reading = read;
    this.#wroteInterest = write;
    this.transport.interest(read, write);
  }
}
