/**
 * Writes Kafka's primitive types into a Memory that grows through a callback. Reusable: `reset` starts again at the front.
 * Record bytes that live elsewhere (in files) are left out as holes: `totalBytes` counts them, `holes` says where they belong.
 * The memory may be shared, so bytes go in one value at a time unless both sides are private. Room is claimed before the
 * view is touched: growing replaces it.
 */
import { empty } from '../base/lists.ts';
import { type Memory, memoryOver } from '../base/memory.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import { STRING_BYTES_MAX } from './reader.ts';
import { sizeOfUnsignedVarint, zigzag } from './varint.ts';
import { WireError } from './wire-error.ts';

/** Bytes that somebody else sends in the middle of the message: only their number is written. */
export interface Hole {
  readonly length: number;
}

/** A hole and the place in the writer's Memory before which its bytes go. */
export interface PlacedHole {
  readonly at: number;
  readonly hole: Hole;
}

/** Gives a Memory of at least `bytesNeeded` whose beginning equals the old one's; the old one is not used any more. */
export type Grow = (bytesNeeded: number, old: Memory) => Memory;

const FIRST_BYTES = 512;

function put(target: Uint8Array, at: number, source: Uint8Array): void {
  if (target.buffer instanceof SharedArrayBuffer || source.buffer instanceof SharedArrayBuffer) {
    for (let i = 0; i < source.length; i++) target[at + i] = source[i] as number;
  } else {
    target.set(source, at);
  }
}

export const growOnHeap: Grow = (bytesNeeded, old) => {
  const bytes = new Uint8Array(Math.max(bytesNeeded, old.bytes.length * 2, FIRST_BYTES));
  put(bytes, 0, old.bytes);
  return memoryOver(bytes);
};

export class Writer {
  readonly #growth: Grow;
  readonly #utf8 = new TextEncoder();
  #memory: Memory;
  #view: DataView;
  #start = 0;
  #at = 0;
  #end = 0;
  #holeBytes = 0;
  readonly holes: PlacedHole[] = [];

  constructor(memory: Memory = memoryOver(new Uint8Array(FIRST_BYTES)), grow: Grow = growOnHeap) {
    this.#growth = grow;
    this.#memory = memory;
    this.#view = memory.view;
    this.#end = memory.bytes.length;
  }

  /** Starts anew, in the same Memory from its front or where told. */
  reset(memory: Memory = this.#memory, start = 0): void {
    if (!(start >= 0 && start <= memory.bytes.length)) {
      throw new RangeError(`writer from ${start} outside of ${memory.bytes.length} bytes`);
    }
    this.#memory = memory;
    this.#view = memory.view;
    this.#start = start;
    this.#at = start;
    this.#end = memory.bytes.length;
    this.#holeBytes = 0;
    empty(this.holes);
  }

  get memory(): Memory {
    return this.#memory;
  }

  get start(): number {
    return this.#start;
  }

  /** Where the next value goes, in the Memory. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes that are in the Memory. */
  get writtenBytes(): number {
    return this.#at - this.#start;
  }

  /** Bytes of the message: written ones and holes. */
  get totalBytes(): number {
    return this.#at - this.#start + this.#holeBytes;
  }

  fail(field: string, what: string): never {
    throw new WireError(`${field}: ${what}`);
  }

  #claim(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#end) this.#grow(at + bytes);
    this.#at = at + bytes;
    return at;
  }

  #grow(bytesNeeded: number): void {
    const memory = this.#growth(bytesNeeded, this.#memory);
    if (memory.bytes.length < bytesNeeded)
      throw new RangeError(`${bytesNeeded} bytes asked, ${memory.bytes.length} given`);
    this.#memory = memory;
    this.#view = memory.view;
    this.#end = memory.bytes.length;
  }

  boolean(value: boolean, field: string): void {
    if (typeof value !== 'boolean') this.fail(field, `${value} is no boolean`);
    const at = this.#claim(1);
    this.#view.setUint8(at, value ? 1 : 0);
  }

  int8(value: number, field: string): void {
    if (value !== (value << 24) >> 24) this.fail(field, `${value} is no int8`);
    const at = this.#claim(1);
    this.#view.setInt8(at, value);
  }

  int16(value: number, field: string): void {
    if (value !== (value << 16) >> 16) this.fail(field, `${value} is no int16`);
    const at = this.#claim(2);
    this.#view.setInt16(at, value);
  }

  uint16(value: number, field: string): void {
    if (value !== (value & 0xffff)) this.fail(field, `${value} is no uint16`);
    const at = this.#claim(2);
    this.#view.setUint16(at, value);
  }

  int32(value: number, field: string): void {
    if (value !== (value | 0)) this.fail(field, `${value} is no int32`);
    const at = this.#claim(4);
    this.#view.setInt32(at, value);
  }

  /** Overwrites an int32 that was written before. */
  patchInt32(offset: number, value: number): void {
    if (!(offset >= this.#start && offset + 4 <= this.#at))
      throw new RangeError(`patch at ${offset} before ${this.#at}`);
    this.#view.setInt32(offset, value);
  }

  float64(value: number, field: string): void {
    if (typeof value !== 'number') this.fail(field, `${value} is no number`);
    const at = this.#claim(8);
    this.#view.setFloat64(at, value);
  }

  int64(value: number, field: string): void {
    if (!Number.isSafeInteger(value)) this.fail(field, `${value} is no safe integer`);
    const at = this.#claim(8);
    this.#view.setInt32(at, Math.floor(value / 0x100000000));
    this.#view.setInt32(at + 4, value | 0);
  }

  /** The largest and smallest safe integers stand for everything beyond: they go out as the ends of the 64-bit range. */
  saturatingInt64(value: number, field: string): void {
    if (value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER) {
      const at = this.#claim(8);
      this.#view.setInt32(at, value < 0 ? -0x80000000 : 0x7fffffff);
      this.#view.setInt32(at + 4, value < 0 ? 0 : -1);
    } else {
      this.int64(value, field);
    }
  }

  rawInt64(value: bigint, field: string): void {
    if (typeof value !== 'bigint' || value !== BigInt.asIntN(64, value))
      this.fail(field, `${value} is no 64-bit integer`);
    const at = this.#claim(8);
    this.#view.setBigInt64(at, value);
  }

  uuid(value: Uuid, field: string): void {
    if (value.length !== ZERO_UUID.length) this.fail(field, `a uuid of ${value.length} bytes`);
    const at = this.#claim(value.length);
    for (let i = 0; i < value.length; i++) this.#view.setUint8(at + i, value.charCodeAt(i));
  }

  unsignedVarint(value: number): void {
    const at = this.#claim(value < 0x80 ? 1 : sizeOfUnsignedVarint(value));
    this.#setVarint(at, value);
  }

  /** Fills exactly `sizeOfUnsignedVarint(value)` bytes. */
  #setVarint(offset: number, value: number): void {
    let at = offset;
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#view.setUint8(at++, (rest & 0x7f) | 0x80);
    this.#view.setUint8(at, rest);
  }

  varint(value: number): void {
    this.unsignedVarint(zigzag(value));
  }

  varlong(value: number): void {
    const sign = value < 0 ? 1 : 0;
    const magnitude = sign === 1 ? -value - 1 : value;
    let rest = Math.floor(magnitude / 64);
    const at = this.#claim(1);
    this.#view.setUint8(at, ((magnitude & 0x3f) << 1) | sign | (rest > 0 ? 0x80 : 0));
    while (rest > 0) {
      const low = rest & 0x7f;
      rest = Math.floor(rest / 128);
      const at = this.#claim(1);
      this.#view.setUint8(at, rest > 0 ? low | 0x80 : low);
    }
  }

  string(value: string, field: string): void {
    this.#text(value, false, field);
  }

  nullableString(value: string | null, field: string): void {
    if (value === null) this.int16(-1, field);
    else this.#text(value, false, field);
  }

  compactString(value: string, field: string): void {
    this.#text(value, true, field);
  }

  compactNullableString(value: string | null, field: string): void {
    if (value === null) this.unsignedVarint(0);
    else this.#text(value, true, field);
  }

  /** Takes the text for ASCII and turns back to the long way when it is not. */
  #text(value: string, compact: boolean, field: string): void {
    if (typeof value !== 'string') this.fail(field, `${value} where a string is demanded`);
    const start = this.#at;
    const { length } = value;
    this.#textLength(length, compact, field);
    const at = this.#claim(length);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.#at = start;
        const bytes = this.#utf8.encode(value);
        this.#textLength(bytes.length, compact, field);
        this.raw(bytes);
        return;
      }
      this.#view.setUint8(at + i, code);
    }
  }

  #textLength(length: number, compact: boolean, field: string): void {
    if (length > STRING_BYTES_MAX) this.fail(field, `string of ${length} bytes`);
    if (compact) this.unsignedVarint(length + 1);
    else this.int16(length, field);
  }

  /** The count of an array or the length of bytes; -1 for null. */
  length(value: number, field: string): void {
    this.int32(value, field);
  }

  compactLength(value: number): void {
    this.unsignedVarint(value + 1);
  }

  /** Bytes without a length. */
  raw(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    put(this.#memory.bytes, at, bytes);
  }

  /** Records without their length: copied when they are bytes, else a hole. */
  records(value: Uint8Array | Hole): void {
    if (value instanceof Uint8Array) {
      this.raw(value);
      return;
    }
    this.holes.push({ at: this.#at, hole: value });
    this.#holeBytes += value.length;
  }

  /** Writes the tag and leaves one byte for the size of its value; `endTag` takes the place that is returned. */
  beginTag(tag: number): number {
    this.unsignedVarint(tag);
    return this.#claim(1) + 1;
  }

  /** Patches the size of a tagged value; one of 128 bytes or more moves up to make room. */
  endTag(valueStart: number): void {
    const size = this.#at - valueStart;
    const extra = sizeOfUnsignedVarint(size) - 1;
    if (extra > 0) {
      this.#claim(extra);
      for (let i = valueStart + size - 1; i >= valueStart; i--) this.#view.setUint8(i + extra, this.#view.getUint8(i));
    }
    this.#setVarint(valueStart - 1, size);
  }
}
