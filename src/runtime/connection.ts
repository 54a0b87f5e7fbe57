/**
 * One client's connection: cuts frames out of what arrives, starts requests in order, lets answers leave in order, and
 * knows when to stop reading. It decides; the transport moves the bytes and the processor does the work.
 *
 * Reading stops while: all answer slots are taken, a request that runs alone is under way, a large frame waits for room,
 * the intake is used up, or the processor is congested. Bytes already read and not yet cut stay in a block ("left").
 */
import type { Kernels } from '../base/kernels.ts';
import type { Memory } from '../base/memory.ts';
import { Timer, type Timers } from '../base/timers.ts';
import type { Call } from './call.ts';
import { type Applicant, type Block, SMALL_FRAME_BYTES_MAX } from './intake.ts';
import { BLOCKED, BROKEN, COLD, Outgoing, type RangeDesk, YIELDED } from './outgoing.ts';
import { END, type Transport, type TransportOwner, WOULD_BLOCK } from './transport.ts';

export interface ConnectionLimits {
  readonly frameBytesMax: number;
  readonly inFlightMax: number;
  readonly idleMs: number;
  readonly receiveTimeoutMs: number;
}

/** The processor, as its connections see it. */
export interface ConnectionDesk extends RangeDesk {
  readonly kernels: Kernels;
  readonly timers: Timers;
  limits: ConnectionLimits;
  /** True while new requests must wait. */
  readonly congested: boolean;
  /** A whole frame. The block holds its bytes until the call releases it. Null: the frame is not acceptable, hang up. */
  frame(connection: Connection, memory: Memory, offset: number, length: number, block: Block): Call | null;
  /**
   * Writes an answer behind the others into memory that is valid until `resetEncoder`, and adds it to `outgoing`. False
   * when the answer cannot be said in its version: a fault of ours, which costs this connection and nobody else.
   */
  encode(call: Call, outgoing: Outgoing): boolean;
  resetEncoder(): void;
  closed(connection: Connection, why: string): void;
  /** The connection wants to go on in the next turn. */
  again(connection: Connection): void;
  /** The connection could not read for want of memory or ring space: tell it when there is room. */
  stalled(connection: Connection): void;
}

/** Reads of a connection within one turn: enough for a large batch, few enough to be fair. */
const RECEIVES_PER_TURN_MAX = 4;
/** At the rate of 64 KiB a second a frame of this size earns that many milliseconds on top of the time-out. */
const BYTES_PER_MS = 65.536;
/** A partial of this size is a size prefix that is not whole: no frame is that short. */
const SIZE_BYTES = 4;

export class Connection implements TransportOwner, Applicant {
  readonly id: number;
  readonly listener: number;
  readonly transport: Transport;
  readonly outgoing: Outgoing;
  readonly #desk: ConnectionDesk;
  readonly #calls: Call[] = [];
  readonly #idle: Timer;
  readonly #receiving: Timer;
  /** The unfinished frame: its block, whole size with its prefix, and how much is there. */
  #partial: Block | null = null;
  #partialBytes = 0;
  #partialHave = 0;
  /** Bytes that were read and not cut: in `#leftBlock` from `#leftStart` to `#leftEnd`. */
  #leftBlock: Block | null = null;
  #leftStart = 0;
  #leftEnd = 0;
  frameBytes = 0;
  #applying = false;
  #sendBlocked = false;
  #ended = false;
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
    this.outgoing = new Outgoing(transport, desk, () => this.#desk.again(this));
    this.#lastActive = now;
    this.#idle = new Timer((at) => this.#checkIdle(at));
    this.#receiving = new Timer((at) => this.#checkReceived(at));
    desk.timers.set(this.#idle, now + desk.limits.idleMs);
    transport.interest(true, false);
  }

  /** Nothing under way and nothing to send. */
  get quiet(): boolean {
    return this.#calls.length === 0 && this.outgoing.empty && !this.#applying;
  }

  /** At a frame boundary, or in the middle of a small frame whose bytes can go along. */
  get movable(): boolean {
    return this.quiet && !this.#holdsLarge && !this.closed;
  }

  get #holdsLarge(): boolean {
    return this.#partial !== null && this.#partialBytes > SMALL_FRAME_BYTES_MAX;
  }

  /** The last one started, if nothing may start behind it. */
  get #blocked(): boolean {
    const last = this.#calls[this.#calls.length - 1];
    return last !== undefined && !last.done && (last.alone || last.waits);
  }

  get inFlight(): number {
    return this.#calls.length;
  }

  /** Bytes that were read and belong to no started request. */
  get partialBytes(): number {
    return this.#partialHave + (this.#leftBlock === null ? 0 : this.#leftEnd - this.#leftStart);
  }

  readable(now: number): void {
    this.#lastActive = now;
    if (!this.#mayRead()) {
      // Turned off only now: most clients send nothing while they wait, and a change costs a system call.
      this.#stopReading();
      this.#awaitDesk();
      return;
    }
    for (let turn = 0; turn < RECEIVES_PER_TURN_MAX && this.#mayRead(); turn++) {
      if (!this.#receive(now)) return;
    }
    this.#updateInterest();
  }

  writable(now: number): void {
    this.#lastActive = now;
    this.#sendBlocked = false;
    this.proceed(now);
  }

  /** After an answer is ready, after a stall, at the start of a turn it asked for. */
  proceed(now: number): void {
    if (this.closed) return;
    this.flush(now);
    if (this.closed) return;
    if (this.#leftBlock !== null) this.#cutLeft(now);
    if (this.closed) return;
    if (this.#partial !== null && !this.#receiving.waiting) this.#allow(now, this.#partialBytes);
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
        this.#calls.shift();
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
        if (!this.outgoing.keep(this.#desk.intake, this.#desk.kernels)) {
          return this.close('no memory for an answer that its client does not read');
        }
        this.#writing = result === BLOCKED;
        if (result === YIELDED) this.#desk.again(this);
        break;
      }
      this.#desk.resetEncoder();
    }
    if (this.outgoing.empty) this.#writing = false;
    if (this.#ended && this.quiet && this.#leftBlock === null) return this.close('');
    this.#updateInterest();
  }

  /** A cold range has arrived, or it is this connection's turn again. */
  resume(now: number): void {
    if (this.closed) return;
    if (!this.#writing) this.#sendBlocked = false;
    this.proceed(now);
  }

  /** The intake has found room for the large frame. */
  admitted(block: Block): void {
    this.#applying = false;
    if (this.closed) {
      this.#desk.intake.release(block);
      return;
    }
    this.#adopt(block, this.frameBytes);
    this.#desk.again(this);
  }

  close(why: string): void {
    if (this.closed) return;
    this.closed = true;
    const { intake, timers } = this.#desk;
    timers.cancel(this.#idle);
    timers.cancel(this.#receiving);
    if (this.#applying) intake.withdraw(this);
    if (this.#partial !== null) intake.release(this.#partial);
    if (this.#leftBlock !== null) intake.release(this.#leftBlock);
    this.#partial = null;
    this.#leftBlock = null;
    for (const call of this.#calls) call.abandon();
    this.#calls.length = 0;
    this.outgoing.close();
    this.transport.close();
    this.#desk.closed(this, why);
  }

  /** Takes the connection apart at a frame boundary: the bytes that were read and not used, as a copy. */
  detach(): Uint8Array {
    const { intake, timers } = this.#desk;
    const left = new Uint8Array(this.partialBytes);
    const source = intake.memory.bytes;
    const partial = this.#partial;
    if (partial !== null) left.set(source.slice(partial.offset, partial.offset + this.#partialHave));
    if (this.#leftBlock !== null) left.set(source.slice(this.#leftStart, this.#leftEnd), this.#partialHave);
    timers.cancel(this.#idle);
    timers.cancel(this.#receiving);
    if (partial !== null) intake.release(partial);
    if (this.#leftBlock !== null) intake.release(this.#leftBlock);
    this.#partial = null;
    this.#leftBlock = null;
    this.closed = true;
    return left;
  }

  /** The other half of `detach`: bytes that an earlier processor has read. */
  adoptBytes(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return;
    const block = this.#desk.intake.area(bytes.length);
    if (block === null) return this.close('no memory for a connection that moved');
    this.#desk.intake.memory.bytes.set(bytes, block.offset);
    this.#leftBlock = block;
    this.#leftStart = block.offset;
    this.#leftEnd = block.offset + bytes.length;
    this.#cutLeft(now);
    this.#updateInterest();
  }

  #mayRead(): boolean {
    return !this.closed && !this.#ended && !this.#applying && this.#leftBlock === null && this.#mayStart();
  }

  #mayStart(): boolean {
    return (
      !this.#blocked &&
      !this.#sendBlocked &&
      !(this.leaving && !this.#holdsLarge) &&
      this.#calls.length < this.#desk.limits.inFlightMax &&
      !this.#desk.congested
    );
  }

  /** One receive and what follows from it. False when there is nothing more to get now. */
  #receive(now: number): boolean {
    const { intake } = this.#desk;
    const chunk = intake.chunk();
    if (chunk === null) {
      this.#stopReading();
      this.#desk.stalled(this);
      return false;
    }
    const start = chunk.tail;
    const lead = this.#takeStart(start);
    const partial = this.#partial;
    const missing = partial === null ? 0 : this.#partialBytes - this.#partialHave;
    const room = chunk.offset + chunk.bytes - start - lead;
    const got =
      partial === null
        ? this.transport.receive(intake.memory, start + lead, room, 0, 0)
        : this.transport.receive(intake.memory, partial.offset + this.#partialHave, missing, start, room);
    if (got === WOULD_BLOCK) {
      if (lead > 0) {
        chunk.tail = start + lead;
        this.#keepStart(chunk, start, start + lead);
      }
      return false;
    }
    if (got === END) {
      this.#ended = true;
      if (this.quiet && this.#leftBlock === null) this.close('');
      else this.#updateInterest();
      return false;
    }
    if (got < 0) {
      this.close('the other end is gone');
      return false;
    }
    if (partial !== null) {
      this.#partialHave += Math.min(got, missing);
      if (got < missing) return false;
      this.#partialWhole(now);
      if (this.closed) return false;
    }
    const end = start + lead + got - missing;
    chunk.tail = end;
    this.#cut(chunk, start, end, now);
    return !this.closed && got === missing + room;
  }

  /** The unfinished frame is complete. */
  #partialWhole(now: number): void {
    const block = this.#partial as Block;
    this.#start(block, block.offset + 4, this.#partialBytes - 4, now);
    if (this.closed) return;
    this.#partial = null;
    this.#partialHave = 0;
    this.#desk.intake.release(block);
  }

  /** One to three bytes of a size go back in front of what comes now. Returns how many. */
  #takeStart(at: number): number {
    const place = this.#partial;
    if (place === null || this.#partialBytes !== SIZE_BYTES) return 0;
    const { intake } = this.#desk;
    const have = this.#partialHave;
    for (let i = 0; i < have; i++) intake.memory.bytes[at + i] = intake.memory.bytes[place.offset + i] as number;
    this.#partial = null;
    this.#partialHave = 0;
    intake.release(place);
    return have;
  }

  /** Cuts frames from [start, end) of a block. The block stays the caller's. */
  #cut(block: Block, start: number, end: number, now: number): void {
    const { intake, limits } = this.#desk;
    const view = intake.memory.view;
    let at = start;
    this.#desk.timers.cancel(this.#receiving);
    while (end - at >= 4) {
      const size = view.getInt32(at);
      if (size < 0 || size > limits.frameBytesMax) {
        return this.close(
          `a request of ${size} bytes is not between 0 and ${limits.frameBytesMax} (socket.request.max.bytes)`,
        );
      }
      if (end - at < 4 + size) break;
      if (!this.#mayStart()) return this.#keepLeft(block, at, end);
      this.#start(block, at + 4, size, now);
      if (this.closed) return;
      at += 4 + size;
    }
    if (at < end) this.#beginPartial(block, at, end, now);
  }

  #start(block: Block, offset: number, length: number, now: number): void {
    const call = this.#desk.frame(this, this.#desk.intake.memory, offset, length, block);
    this.#lastActive = now;
    if (call === null) return this.close('a request that cannot be read');
    this.#calls.push(call);
    if (call.done) this.#desk.again(this);
  }

  /** The start of a frame lies in [at, end): it gets a place of its own in its full size, once its size is known. */
  #beginPartial(block: Block, at: number, end: number, now: number): void {
    const { intake } = this.#desk;
    const have = end - at;
    if (have < 4) {
      this.#allow(now, 0);
      return this.#keepStart(block, at, end);
    }
    const total = 4 + intake.memory.view.getInt32(at);
    this.frameBytes = total;
    const place = total <= SMALL_FRAME_BYTES_MAX ? intake.slot(total) : intake.apply(this);
    if (place === null) {
      this.#keepLeft(block, at, end);
      if (total > SMALL_FRAME_BYTES_MAX) this.#applying = true;
      else this.#desk.stalled(this);
      return;
    }
    this.#allow(now, total);
    this.#partial = place;
    this.#partialBytes = total;
    this.#partialHave = have;
    this.#desk.kernels.move(intake.memory, place.offset, intake.memory, at, have);
    if (block.tail === end) block.tail = at;
  }

  /** Fewer than four bytes: they wait in a slot until the size is whole. */
  #keepStart(block: Block, at: number, end: number): void {
    const { intake } = this.#desk;
    const place = intake.slot(SIZE_BYTES);
    if (place === null) {
      this.#keepLeft(block, at, end);
      this.#desk.stalled(this);
      return;
    }
    for (let i = 0; i < end - at; i++) intake.memory.bytes[place.offset + i] = intake.memory.bytes[at + i] as number;
    this.#partial = place;
    this.#partialBytes = SIZE_BYTES;
    this.#partialHave = end - at;
    if (block.tail === end) block.tail = at;
  }

  /** What was read and cannot be started now. Few bytes move to a place of their own, so that they do not pin a chunk. */
  #keepLeft(block: Block, start: number, end: number): void {
    const { intake, kernels } = this.#desk;
    if (end - start <= SMALL_FRAME_BYTES_MAX && intake.isCurrent(block)) {
      const place = intake.slot(end - start);
      if (place !== null) {
        kernels.move(intake.memory, place.offset, intake.memory, start, end - start);
        if (block.tail === end) block.tail = start;
        this.#leftBlock = place;
        this.#leftStart = place.offset;
        this.#leftEnd = place.offset + (end - start);
        return;
      }
    }
    intake.retain(block);
    this.#leftBlock = block;
    this.#leftStart = start;
    this.#leftEnd = end;
  }

  /** Goes on with what was left, now that something may have changed. */
  #cutLeft(now: number): void {
    if (this.#applying) return;
    if (!this.#mayStart()) return this.#awaitDesk();
    const block = this.#leftBlock as Block;
    this.#leftBlock = null;
    this.#cut(block, this.#leftStart, this.#leftEnd, now);
    this.#desk.intake.release(block);
  }

  /** The time in which a frame of this size must be complete starts now. */
  #allow(now: number, bytes: number): void {
    const { timers, limits } = this.#desk;
    timers.set(this.#receiving, now + limits.receiveTimeoutMs + bytes / BYTES_PER_MS);
  }

  /** A client that may not send is not late: its time starts anew once it may. */
  #checkReceived(now: number): void {
    if (this.#mayRead()) this.close('a request was not complete in time (request.receive.timeout.ms)');
    else this.#allow(now, this.#partialBytes);
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

  /** The large frame's place: what is there already moves in. */
  #adopt(place: Block, total: number): void {
    const { intake, kernels } = this.#desk;
    const left = this.#leftBlock as Block;
    const have = this.#leftEnd - this.#leftStart;
    kernels.move(intake.memory, place.offset, intake.memory, this.#leftStart, have);
    this.#leftBlock = null;
    intake.release(left);
    this.#partial = place;
    this.#partialBytes = total;
    this.#partialHave = have;
  }

  #checkIdle(now: number): void {
    const due = this.#lastActive + this.#desk.limits.idleMs;
    const stuck = !this.outgoing.empty;
    if (now >= due && (this.quiet || stuck)) return this.close('idle for connections.max.idle.ms');
    this.#desk.timers.set(this.#idle, Math.max(due, now + 1000));
  }

  #updateInterest(): void {
    if (this.closed) return;
    const read = this.#reading || this.#mayRead();
    const write = this.#writing;
    if (read === this.#reading && write === this.#wroteInterest) return;
    this.#reading = read;
    this.#wroteInterest = write;
    this.transport.interest(read, write);
  }
}
