/**
 * Where bytes from sockets land: one memory per processor, cut into receive chunks, slots for small unfinished frames and
 * ranges for large ones. Blocks are counted: the last holder's release gives the place back. A large frame's body is read
 * only when the whole frame fits the budget (first come, first served; one above the budget is admitted alone). Half of the
 * room is given on a frame's word; the other half only in step with what comes, so that who announces much and sends nothing
 * keeps nobody out.
 */
import { assert } from '../../base/assert.ts';
import type { Memory } from '../../base/memory.ts';
import { Arena, arenaBytes } from './arena.ts';
import { SLOT_BYTES_MAX, Slots } from './slots.ts';

export const CHUNK_BYTES = 262_144;
/** A chunk with less room than this at its end is left to its holders, and the next one is taken. */
const CHUNK_ROOM_MIN = 32_768;
const CHUNKS_AND_SLOTS_BYTES = 67_108_864;
const SLOTS_BYTES_MAX = 33_554_432;
export const SMALL_FRAME_BYTES_MAX = SLOT_BYTES_MAX;
/** Places are named by int32 offsets, and a power of two of memory must hold the largest frame. */
const RANGES_BYTES_MAX = 1_073_741_824;
export const FRAME_BYTES_MAX = RANGES_BYTES_MAX - 4;

/** A large frame of which this much is there may have its whole room even if that is scarce. */
export const EARNEST_BYTES = 32_768;
const STEP_BYTES_MIN = 512;
/** Answers that their clients do not read: a quarter of what all else is received into. */
const KEPT_BYTES_MAX = 16_777_216;

const CHUNK = 0;
const SLOT = 1;
const RANGE = 2;

/** A place in the intake's memory with holders. */
export class Block {
  readonly offset: number;
  readonly bytes: number;
  readonly kind: number;
  holders = 1;
  /** In a chunk: where the next receive goes. */
  tail: number;

  constructor(offset: number, bytes: number, kind: number) {
    this.offset = offset;
    this.bytes = bytes;
    this.kind = kind;
    this.tail = offset;
  }
}

/** Somebody who waits for room for a large frame. */
export interface Applicant {
  readonly frameBytes: number;
  admitted(block: Block): void;
}

export interface IntakeLimits {
  /** Large frames held at a time (queued.max.request.bytes, this processor's share). */
  readonly queuedBytesMax: number;
  readonly frameBytesMax: number;
}

export function intakeBytes(limits: IntakeLimits): number {
  return CHUNKS_AND_SLOTS_BYTES + rangesBytes(limits);
}

function rangesBytes(limits: IntakeLimits): number {
  const { queuedBytesMax, frameBytesMax } = limits;
  assert(frameBytesMax <= FRAME_BYTES_MAX, 'the largest frame can be held', { frameBytesMax, FRAME_BYTES_MAX });
  return Math.min(RANGES_BYTES_MAX, arenaBytes(Math.max(queuedBytesMax * 2, frameBytesMax + 4)));
}

export class Intake {
  readonly memory: Memory;
  readonly #small = new Arena(0, CHUNKS_AND_SLOTS_BYTES);
  readonly #large: Arena;
  readonly #slots = new Slots(this.#small, SLOTS_BYTES_MAX);
  /** Of large frames. More than the memory's own size does not fit, whatever it says. */
  queuedBytesMax: number;
  readonly #waiting: Applicant[] = [];
  #chunk: Block | null = null;
  #rangeBytes = 0;
  #keptBytes = 0;
  #blocks = 0;

  constructor(memory: Memory, limits: IntakeLimits) {
    assert(memory.bytes.length >= intakeBytes(limits), 'the intake fits its memory');
    this.memory = memory;
    this.#large = new Arena(CHUNKS_AND_SLOTS_BYTES, rangesBytes(limits));
    this.queuedBytesMax = limits.queuedBytesMax;
  }

  /** Blocks that somebody holds, the current chunk aside: zero at rest. */
  get heldBlocks(): number {
    return this.#blocks - (this.#chunk === null ? 0 : 1);
  }

  get heldBytes(): number {
    return this.#small.inUseBytes + this.#large.inUseBytes;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The chunk to receive into, with room behind its tail; null when memory is used up. */
  chunk(): Block | null {
    const current = this.#chunk;
    if (current !== null) {
      if (current.holders === 1) current.tail = current.offset;
      if (current.offset + current.bytes - current.tail >= CHUNK_ROOM_MIN) return current;
      this.#chunk = null;
      this.release(current);
    }
    const offset = this.#small.allocate(CHUNK_BYTES);
    if (offset < 0) return null;
    this.#chunk = new Block(offset, CHUNK_BYTES, CHUNK);
    this.#blocks += 1;
    return this.#chunk;
  }

  isCurrent(block: Block): boolean {
    return block === this.#chunk;
  }

  /** Gives an idle chunk back, so that a broker at rest holds nothing. */
  rest(): void {
    const current = this.#chunk;
    if (current === null || current.holders > 1) return;
    this.#chunk = null;
    this.release(current);
  }

  /** Room for an unfinished small frame, or null when the pool is used up. */
  slot(bytes: number): Block | null {
    const offset = this.#slots.allocate(bytes);
    if (offset < 0) return null;
    this.#blocks += 1;
    return new Block(offset, bytes, SLOT);
  }

  /** A large frame asks for its whole room: there is plenty, or enough of it is there to be taken seriously. */
  mustApply(frameBytes: number, have: number): boolean {
    if (frameBytes <= SMALL_FRAME_BYTES_MAX) return false;
    if (have >= EARNEST_BYTES) return true;
    return this.#waiting.length === 0 && this.#rangeBytes + frameBytes <= this.queuedBytesMax / 2;
  }

  /** The place of a frame that begins, its own size if there is plenty, else twice what is there; null: none is left. */
  begin(frameBytes: number, have: number): Block | null {
    const isPlenty = frameBytes <= SMALL_FRAME_BYTES_MAX && this.#slots.heldBytes <= SLOTS_BYTES_MAX / 2;
    return this.slot(isPlenty ? frameBytes : Math.min(frameBytes, Math.max(2 * have, STEP_BYTES_MIN), SLOT_BYTES_MAX));
  }

  /** Room for an answer that its client does not read yet, or null. */
  keep(bytes: number): Block | null {
    if (this.#keptBytes > 0 && this.#keptBytes + bytes > KEPT_BYTES_MAX) return null;
    const block = this.area(bytes);
    if (block !== null) this.#keptBytes += bytes;
    return block;
  }

  letGoKept(block: Block): void {
    this.#keptBytes -= block.bytes;
    this.release(block);
  }

  /** Room for any bytes that must stay for a while, or null. */
  area(bytes: number): Block | null {
    if (bytes <= SLOT_BYTES_MAX) return this.slot(bytes);
    const offset = this.#small.allocate(bytes);
    if (offset < 0) return null;
    this.#blocks += 1;
    return new Block(offset, bytes, CHUNK);
  }

  /** Room for a large frame at once, or null: then the applicant stands in line. */
  apply(applicant: Applicant): Block | null {
    if (this.#waiting.length === 0) {
      const block = this.#admit(applicant.frameBytes);
      if (block !== null) return block;
    }
    this.#waiting.push(applicant);
    return null;
  }

  withdraw(applicant: Applicant): void {
    const index = this.#waiting.indexOf(applicant);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  retain(block: Block): void {
    block.holders += 1;
  }

  release(block: Block): void {
    assert(block.holders > 0, 'a block is released once by each holder', { offset: block.offset });
    block.holders -= 1;
    if (block.holders > 0) return;
    this.#blocks -= 1;
    if (block.kind === CHUNK) this.#small.free(block.offset);
    else if (block.kind === SLOT) this.#slots.free(block.offset);
    else {
      this.#large.free(block.offset);
      this.#rangeBytes -= block.bytes;
    }
  }

  /** Lets in who waits as far as there is room: called once a turn, outside of any receive. */
  admitWaiting(): void {
    while (this.#waiting.length > 0) {
      const applicant = this.#waiting[0] as Applicant;
      const block = this.#admit(applicant.frameBytes);
      if (block === null) return;
      this.#waiting.shift();
      applicant.admitted(block);
    }
  }

  /** Memory that a burst touched goes back to the system once the burst is over. */
  trim(idleBytes: number, release: (offset: number, bytes: number) => void): void {
    for (const arena of [this.#small, this.#large]) {
      if (arena.peakBytes - arena.inUseBytes > idleBytes) arena.trim(release);
    }
  }

  #admit(bytes: number): Block | null {
    if (this.#rangeBytes > 0 && this.#rangeBytes + bytes > this.queuedBytesMax) return null;
    const offset = this.#large.allocate(bytes);
    if (offset < 0) return null;
    this.#rangeBytes += bytes;
    this.#blocks += 1;
    return new Block(offset, bytes, RANGE);
  }
}
