/**
 * Cuts requests out of the bytes of one connection. A whole frame is started where it was received; the start of one gets a
 * place of its own, and the rest is received right behind it. The place has the frame's full size, or grows with what comes
 * while room is scarce. What may not be started yet stays in a block ("left").
 *
 * An unfinished frame has `receiveTimeoutMs`; what comes of it earns time at 64 KiB a second, of which it never has more than
 * that in hand. So nothing is kept for a client that sends nothing, however much it has announced.
 */
import type { Kernels } from '../../base/kernels.ts';
import { Timer, type Timers } from '../../base/timers.ts';
import { type Applicant, type Block, type Intake, SMALL_FRAME_BYTES_MAX } from './intake.ts';
import { END, type Transport, WOULD_BLOCK } from './transport.ts';

export interface FrameLimits {
  readonly frameBytesMax: number;
  readonly receiveTimeoutMs: number;
}

export interface FramesDesk {
  readonly intake: Intake;
  readonly kernels: Kernels;
  readonly timers: Timers;
  readonly limits: FrameLimits;
}

/** The connection, as its frames see it. */
export interface FramesOwner {
  readonly closed: boolean;
  /** A request may be started now. */
  mayStart(): boolean;
  /** More may be read now: a client that may not send is not late. */
  mayRead(): boolean;
  start(block: Block, offset: number, length: number, now: number): void;
  close(why: string): void;
  /** What comes cannot be a request: its size is not between 0 and the largest. Ends the connection. */
  misfit(size: number): void;
  /** There was no memory: tell the connection when there is. */
  stalled(): void;
  /** The connection has more to do in the next turn. */
  again(): void;
}

/** Everything that was there is taken. */
export const TAKEN = 1;
/** There may be more at once. */
export const MORE = 2;
/** No memory to receive into. */
export const NO_ROOM = 3;

/** 64 KiB a second: the slowest that a frame may come in the long run. */
const BYTES_PER_MS = 65.536;
/** Who waits for memory looks around this often for frames that hold some and do not come. */
export const PRESSED_EVERY_MS = 5_000;
/** A partial of this size is a size prefix that is not whole: no frame is that short. */
const SIZE_BYTES = 4;

export class Frames implements Applicant {
  readonly #desk: FramesDesk;
  readonly #owner: FramesOwner;
  readonly #receiving: Timer;
  /** The unfinished frame: its block, whole size with its prefix, and how much is there. */
  #partial: Block | null = null;
  #partialBytes = 0;
  #partialHave = 0;
  /** When the unfinished frame is late, unless more of it comes; 0 when none is under way. */
  #due = 0;
  /** How much of it was there when somebody last looked for memory, -1 when nobody has. */
  #pressedHave = -1;
  /** Bytes that were read and not cut: in `#leftBlock` from `#leftStart` to `#leftEnd`. */
  #leftBlock: Block | null = null;
  #leftStart = 0;
  #leftEnd = 0;
  /** Of the large frame that waits for room. */
  frameBytes = 0;
  applying = false;

  constructor(desk: FramesDesk, owner: FramesOwner) {
    this.#desk = desk;
    this.#owner = owner;
    this.#receiving = new Timer((at) => this.#checkReceived(at));
  }

  get hasLeft(): boolean {
    return this.#leftBlock !== null;
  }

  get holdsLarge(): boolean {
    return this.#partial !== null && this.#partialBytes > SMALL_FRAME_BYTES_MAX;
  }

  /** Bytes that were read and belong to no started request. */
  get bytes(): number {
    return this.#partialHave + (this.#leftBlock === null ? 0 : this.#leftEnd - this.#leftStart);
  }

  /** One receive and what follows from it: TAKEN, MORE, NO_ROOM, END, or below zero when the socket is broken. */
  receive(transport: Transport, now: number): number {
    const { intake } = this.#desk;
    const chunk = intake.chunk();
    // A frame with its place goes on without a chunk: others may hold the chunks until it is done.
    if (chunk === null) return this.#partialBytes > SIZE_BYTES ? this.#receiveInPlace(transport, now) : NO_ROOM;
    const start = chunk.tail;
    const lead = this.#takeStart(start);
    const partial = this.#partial;
    if (partial !== null && partial.bytes < this.#partialBytes) return this.#receiveInPlace(transport, now);
    const missing = partial === null ? 0 : this.#partialBytes - this.#partialHave;
    const room = chunk.offset + chunk.bytes - start - lead;
    const got =
      partial === null
        ? transport.receive(intake.memory, start + lead, room, 0, 0)
        : transport.receive(intake.memory, partial.offset + this.#partialHave, missing, start, room);
    if (got === WOULD_BLOCK) {
      if (lead > 0) {
        chunk.tail = start + lead;
        this.#keepStart(chunk, start, start + lead);
      }
      return TAKEN;
    }
    if (got <= 0) return got === 0 ? END : got;
    if (partial !== null) {
      this.#came(Math.min(got, missing), now);
      if (got < missing) return TAKEN;
      this.#partialWhole(now);
      if (this.#owner.closed) return TAKEN;
    }
    const end = start + lead + got - missing;
    chunk.tail = end;
    this.#cut(chunk, start, end, now);
    return !this.#owner.closed && got === missing + room ? MORE : TAKEN;
  }

  /** Goes on with what was left, now that requests may be started. */
  cutLeft(now: number): void {
    const block = this.#leftBlock as Block;
    this.#leftBlock = null;
    this.#cut(block, this.#leftStart, this.#leftEnd, now);
    this.#desk.intake.release(block);
  }

  /** An unfinished frame's time runs while its client may send. */
  watchTime(now: number): void {
    if (this.#partial !== null && !this.#receiving.waiting) this.#watch(now);
  }

  /** Others wait for memory: a frame that holds some has come at 64 KiB a second since the last look, or is given up. */
  press(): void {
    if (this.#partial === null) return;
    const before = this.#pressedHave;
    this.#pressedHave = this.#partialHave;
    if (before >= 0 && this.#partialHave - before < PRESSED_EVERY_MS * BYTES_PER_MS)
      this.#owner.close('a request came too slowly while others waited for its memory');
  }

  /** It could not come for a reason of ours: the next look only sees how much there is. */
  excuse(): void {
    this.#pressedHave = -1;
  }

  /** The other end says nothing more: what it has begun never ends. */
  dropUnfinished(): void {
    this.#desk.timers.cancel(this.#receiving);
    const partial = this.#partial;
    if (partial !== null) this.#desk.intake.release(partial);
    this.#forgetPartial();
  }

  /** The intake has found room for the large frame: what is there already moves in. */
  admitted(place: Block): void {
    const { intake, kernels } = this.#desk;
    this.applying = false;
    if (this.#owner.closed) {
      intake.release(place);
      return;
    }
    const left = this.#leftBlock as Block;
    const have = this.#leftEnd - this.#leftStart;
    kernels.move(intake.memory, place.offset, intake.memory, this.#leftStart, have);
    this.#leftBlock = null;
    intake.release(left);
    this.#setPartial(place, this.frameBytes, have);
    this.#owner.again();
  }

  /** A copy of the bytes that were read and not used. */
  copy(): Uint8Array {
    const bytes = new Uint8Array(this.bytes);
    const source = this.#desk.intake.memory.bytes;
    const partial = this.#partial;
    if (partial !== null) bytes.set(source.slice(partial.offset, partial.offset + this.#partialHave));
    if (this.#leftBlock !== null) bytes.set(source.slice(this.#leftStart, this.#leftEnd), this.#partialHave);
    return bytes;
  }

  /** Bytes that an earlier processor has read. False when there is no memory for them. */
  take(bytes: Uint8Array): boolean {
    const { intake } = this.#desk;
    const block = intake.area(bytes.length);
    if (block === null) return false;
    intake.memory.bytes.set(bytes, block.offset);
    this.#leftBlock = block;
    this.#leftStart = block.offset;
    this.#leftEnd = block.offset + bytes.length;
    return true;
  }

  /** Gives back all it holds. */
  letGo(): void {
    const { intake, timers } = this.#desk;
    timers.cancel(this.#receiving);
    if (this.applying) intake.withdraw(this);
    if (this.#partial !== null) intake.release(this.#partial);
    if (this.#leftBlock !== null) intake.release(this.#leftBlock);
    this.#partial = null;
    this.#leftBlock = null;
  }

  /** The unfinished frame is complete. */
  #partialWhole(now: number): void {
    const block = this.#partial as Block;
    this.#owner.start(block, block.offset + SIZE_BYTES, this.#partialBytes - SIZE_BYTES, now);
    if (this.#owner.closed) return;
    this.#forgetPartial();
    this.#due = 0;
    this.#desk.intake.release(block);
  }

  /** One to three bytes of a size go back in front of what comes now. Returns how many. */
  #takeStart(at: number): number {
    const place = this.#partial;
    if (place === null || this.#partialBytes !== SIZE_BYTES) return 0;
    const { intake } = this.#desk;
    const have = this.#partialHave;
    for (let i = 0; i < have; i++) intake.memory.bytes[at + i] = intake.memory.bytes[place.offset + i] as number;
    this.#forgetPartial();
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
        return this.#owner.misfit(size);
      }
      if (end - at < 4 + size) break;
      if (!this.#owner.mayStart()) return this.#keepLeft(block, at, end);
      this.#owner.start(block, at + SIZE_BYTES, size, now);
      if (this.#owner.closed) return;
      this.#due = 0;
      at += 4 + size;
    }
    if (at === end) return;
    // A frame whose turn may be long in coming holds no more than what is there of it.
    if (end - at >= SIZE_BYTES && !this.#owner.mayStart()) this.#keepLeft(block, at, end);
    else this.#beginPartial(block, at, end, now);
  }

  /** The start of a frame lies in [at, end): it gets a place of its own, once its size is known. */
  #beginPartial(block: Block, at: number, end: number, now: number): void {
    const { intake } = this.#desk;
    const have = end - at;
    if (have < SIZE_BYTES) {
      this.#watch(now);
      return this.#keepStart(block, at, end);
    }
    const total = SIZE_BYTES + intake.memory.view.getInt32(at);
    this.frameBytes = total;
    this.applying = intake.mustApply(total, have);
    const place = this.applying ? intake.apply(this) : intake.begin(total, have);
    if (place === null) {
      this.#keepLeft(block, at, end);
      if (!this.applying) this.#owner.stalled();
      return;
    }
    this.applying = false;
    this.#watch(now);
    this.#setPartial(place, total, have);
    this.#desk.kernels.move(intake.memory, place.offset, intake.memory, at, have);
    if (block.tail === end) block.tail = at;
  }

  /** One receive into the unfinished frame's place and nowhere else; a place that is full by then gives way to a larger one. */
  #receiveInPlace(transport: Transport, now: number): number {
    const { intake } = this.#desk;
    const place = this.#partial as Block;
    const missing = place.bytes - this.#partialHave;
    const got = transport.receive(intake.memory, place.offset + this.#partialHave, missing, 0, 0);
    if (got === WOULD_BLOCK) return TAKEN;
    if (got <= 0) return got === 0 ? END : got;
    this.#came(got, now);
    if (got < missing) return TAKEN;
    if (place.bytes === this.#partialBytes) this.#partialWhole(now);
    else {
      const have = this.#partialHave;
      this.#forgetPartial();
      this.#beginPartial(place, place.offset, place.offset + have, now);
      intake.release(place);
    }
    return this.#owner.closed || this.hasLeft ? TAKEN : MORE;
  }

  /** More of the unfinished frame is there: it earns time, up to the whole time-out from now. */
  #came(bytes: number, now: number): void {
    this.#partialHave += bytes;
    this.#due = Math.min(this.#due + bytes / BYTES_PER_MS, now + this.#desk.limits.receiveTimeoutMs);
  }

  #setPartial(place: Block, total: number, have: number): void {
    this.#partial = place;
    this.#partialBytes = total;
    this.#partialHave = have;
  }

  #forgetPartial(): void {
    this.#partial = null;
    this.#partialBytes = 0;
    this.#partialHave = 0;
  }

  /** Fewer than four bytes: they wait in a slot until the size is whole. */
  #keepStart(block: Block, at: number, end: number): void {
    const { intake } = this.#desk;
    const place = intake.slot(SIZE_BYTES);
    if (place === null) {
      this.#keepLeft(block, at, end);
      this.#owner.stalled();
      return;
    }
    for (let i = 0; i < end - at; i++) intake.memory.bytes[place.offset + i] = intake.memory.bytes[at + i] as number;
    this.#setPartial(place, SIZE_BYTES, end - at);
    if (block.tail === end) block.tail = at;
  }

  /** What was read and cannot be started now. Few bytes move to a place of their own, so that they do not pin a chunk. */
  #keepLeft(block: Block, start: number, end: number): void {
    const { intake, kernels, timers } = this.#desk;
    timers.cancel(this.#receiving);
    this.#due = 0;
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

  /** The time of a frame that begins starts now; that of one that goes on runs on. */
  #watch(now: number): void {
    const { timers, limits } = this.#desk;
    if (this.#due === 0) {
      this.#due = now + limits.receiveTimeoutMs;
      this.#pressedHave = -1;
    }
    timers.set(this.#receiving, this.#due);
  }

  /** A client that may not send is not late: its time starts anew once it may. */
  #checkReceived(now: number): void {
    if (!this.#owner.mayRead()) this.#due = 0;
    else if (now >= this.#due)
      return this.#owner.close('a request was not complete in time (request.receive.timeout.ms)');
    this.#watch(now);
  }
}
