/**
 * Reads Kafka's primitive types from a Memory between an offset and an end. Reusable, allocates nothing but the values;
 * nothing is read beyond the end, and no length or count is believed before it is checked against the bytes that remain.
 * The memory may be shared: single values go through DataView, and text is decoded from a private copy.
 */
import { type Memory, NO_MEMORY } from '../base/memory.ts';
import type { Uuid } from '../base/uuid.ts';
import { CACHED_BYTES_MAX, StringCache } from './string-cache.ts';
import { unzigzag, VARINT_BYTES_MAX, VARLONG_BYTES_MAX } from './varint.ts';
import { WireError } from './wire-error.ts';

/** Record bytes stay where they are: a place in the Memory that was read. */
export interface RecordsView {
  readonly offset: number;
  readonly length: number;
}

/** Kafka refuses longer ones in either encoding. */
export const STRING_BYTES_MAX = 0x7fff;
const UUID_BYTES = 16;
/** A tag and its size. */
const TAG_BYTES_MIN = 2;
/**
 * Elements of all arrays of one request. One takes from a byte on in the frame and some hundred when it is read, and what it
 * leads to several times that; so this, not the size of the frame, bounds what a request costs. All partitions that a broker
 * may hold can be named, each in a topic of its own.
 */
export const REQUEST_ELEMENTS_MAX = 131_072;
/** Of a request that the main thread answers: it gets a copy, and does nothing else meanwhile. */
export const DECIDED_ELEMENTS_MAX = 65_536;

export class Reader {
  #memory: Memory = NO_MEMORY;
  #view: DataView = NO_MEMORY.view;
  #start = 0;
  #offset = 0;
  #end = 0;
  #elements = 0;
  readonly #elementsDefault: number;
  #elementsMax: number;
  readonly #texts = new StringCache();
  readonly #uuids = new StringCache();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** Whoever reads what strangers send says how many elements of arrays one message may have. */
  constructor(elementsMax = Number.POSITIVE_INFINITY) {
    this.#elementsDefault = elementsMax;
    this.#elementsMax = elementsMax;
  }

  reset(memory: Memory, offset: number, end: number): void {
    if (!(offset >= 0 && offset <= end && end <= memory.bytes.length)) {
      throw new RangeError(`reader from ${offset} to ${end} outside of ${memory.bytes.length} bytes`);
    }
    this.#memory = memory;
    this.#view = memory.view;
    this.#start = offset;
    this.#offset = offset;
    this.#end = end;
    this.#elements = 0;
    this.#elementsMax = this.#elementsDefault;
  }

  /** Until the next reset no more elements of arrays are taken. */
  limitElements(elementsMax: number): void {
    this.#elementsMax = Math.min(this.#elementsMax, elementsMax);
  }

  /** Elements of the arrays that were read since the reset. */
  get elements(): number {
    return this.#elements;
  }

  /** Where the next value starts, in the Memory. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  fail(field: string, what: string): never {
    throw new WireError(`${field}: ${what} at byte ${this.#offset - this.#start} of ${this.#end - this.#start}`);
  }

  #take(bytes: number, field: string): number {
    const at = this.#offset;
    if (bytes > this.#end - at) this.fail(field, `${bytes} bytes announced, ${this.#end - at} there,`);
    this.#offset = at + bytes;
    return at;
  }

  boolean(field: string): boolean {
    return this.#view.getUint8(this.#take(1, field)) !== 0;
  }

  int8(field: string): number {
    return this.#view.getInt8(this.#take(1, field));
  }

  int16(field: string): number {
    return this.#view.getInt16(this.#take(2, field));
  }

  uint16(field: string): number {
    return this.#view.getUint16(this.#take(2, field));
  }

  int32(field: string): number {
    return this.#view.getInt32(this.#take(4, field));
  }

  float64(field: string): number {
    return this.#view.getFloat64(this.#take(8, field));
  }

  #int64At(at: number): number {
    return this.#view.getInt32(at) * 0x100000000 + this.#view.getUint32(at + 4);
  }

  int64(field: string): number {
    const value = this.#int64At(this.#take(8, field));
    if (!Number.isSafeInteger(value)) this.fail(field, `64-bit value ${value} out of the served range`);
    return value;
  }

  /** Far-away values become the farthest safe integer on their side. */
  saturatingInt64(field: string): number {
    const value = this.#int64At(this.#take(8, field));
    if (Number.isSafeInteger(value)) return value;
    return value < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
  }

  rawInt64(field: string): bigint {
    return this.#view.getBigInt64(this.#take(8, field));
  }

  uuid(field: string): Uuid {
    const at = this.#take(UUID_BYTES, field);
    const known = this.#uuids.get(this.#view, at, UUID_BYTES);
    if (known !== undefined) return known;
    let id = '';
    for (let i = 0; i < UUID_BYTES; i++) id += String.fromCharCode(this.#view.getUint8(at + i));
    this.#uuids.put(id);
    return id;
  }

  unsignedVarint(field: string): number {
    const first = this.#offset;
    if (first < this.#end) {
      const byte = this.#view.getUint8(first);
      if (byte < 0x80) {
        this.#offset = first + 1;
        return byte;
      }
    }
    return this.#longVarint(field);
  }

  #longVarint(field: string): number {
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#view.getUint8(this.#take(1, field));
      if (i === VARINT_BYTES_MAX - 1 && byte > 0x0f) break;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value >>> 0;
    }
    return this.fail(field, 'variable-length integer of more than 32 bits');
  }

  varint(field: string): number {
    return unzigzag(this.unsignedVarint(field));
  }

  varlong(field: string): number {
    let byte = this.#view.getUint8(this.#take(1, field));
    const negative = (byte & 1) === 1;
    let magnitude = (byte >> 1) & 0x3f;
    let scale = 64;
    for (let i = 1; byte >= 0x80; i++) {
      if (i === VARLONG_BYTES_MAX) this.fail(field, 'variable-length integer of more than 64 bits');
      byte = this.#view.getUint8(this.#take(1, field));
      magnitude += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (magnitude > Number.MAX_SAFE_INTEGER - 1) this.fail(field, '64-bit value out of the served range');
    return negative ? -magnitude - 1 : magnitude;
  }

  string(field: string): string {
    return this.text(this.int16(field), field) ?? this.refuseNull(field);
  }

  nullableString(field: string): string | null {
    return this.text(this.int16(field), field);
  }

  compactString(field: string): string {
    return this.text(this.unsignedVarint(field) - 1, field) ?? this.refuseNull(field);
  }

  compactNullableString(field: string): string | null {
    return this.text(this.unsignedVarint(field) - 1, field);
  }

  refuseNull(field: string): never {
    return this.fail(field, 'null where a value is demanded, before');
  }

  /** A string whose length was read: -1 for null. A short one of ASCII is remembered, anything else decoded each time. */
  text(length: number, field: string): string | null {
    if (length < 0) {
      if (length === -1) return null;
      this.fail(field, `negative length ${length}`);
    }
    if (length > STRING_BYTES_MAX) this.fail(field, `string of ${length} bytes`);
    const at = this.#take(length, field);
    if (length > CACHED_BYTES_MAX) return this.#decode(at, length, field);
    const known = this.#texts.get(this.#view, at, length);
    if (known !== undefined) return known;
    let text = '';
    for (let i = 0; i < length; i++) {
      const byte = this.#view.getUint8(at + i);
      if (byte >= 0x80) return this.#decode(at, length, field);
      text += String.fromCharCode(byte);
    }
    this.#texts.put(text);
    return text;
  }

  #decode(at: number, length: number, field: string): string {
    try {
      return this.#utf8.decode(this.#memory.bytes.slice(at, at + length));
    } catch {
      return this.fail(field, 'invalid UTF-8 before');
    }
  }

  /** The count of an array, -1 for null, already known to fit: every element takes at least `elementBytesMin`. */
  count(elementBytesMin: number, field: string): number {
    const count = this.int32(field);
    if (count < -1) this.fail(field, `negative count ${count}`);
    return this.#counted(count, elementBytesMin, field);
  }

  compactCount(elementBytesMin: number, field: string): number {
    return this.#counted(this.unsignedVarint(field) - 1, elementBytesMin, field);
  }

  #counted(count: number, elementBytesMin: number, field: string): number {
    this.#fitting(count, elementBytesMin, field);
    this.#elements += Math.max(count, 0);
    if (this.#elements > this.#elementsMax) {
      this.fail(field, `${this.#elements} elements of arrays, at most ${this.#elementsMax} are taken in one message,`);
    }
    return count;
  }

  #fitting(count: number, elementBytesMin: number, field: string): number {
    const there = this.#end - this.#offset;
    if (count * elementBytesMin > there) this.fail(field, `${count} announced, ${there} bytes there,`);
    return count;
  }

  /** The length of bytes or records, -1 for null; the bytes are known to be there and the reader stands before them. */
  byteLength(field: string): number {
    const length = this.int32(field);
    if (length < -1) this.fail(field, `negative length ${length}`);
    return this.#fitting(length, 1, field);
  }

  compactByteLength(field: string): number {
    return this.#fitting(this.unsignedVarint(field) - 1, 1, field);
  }

  copy(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.#memory.bytes.slice(at, at + length);
  }

  place(length: number, field: string): RecordsView {
    return { offset: this.#take(length, field), length };
  }

  skip(length: number, field: string): void {
    this.#take(length, field);
  }

  tagCount(field: string): number {
    return this.#fitting(this.unsignedVarint(field), TAG_BYTES_MIN, field);
  }

  skipTags(field: string): void {
    for (let count = this.tagCount(field); count > 0; count--) {
      this.unsignedVarint(field);
      this.#take(this.unsignedVarint(field), field);
    }
  }

  /** The end of the tagged field whose size comes next. */
  tagEnd(field: string): number {
    const size = this.unsignedVarint(field);
    return this.#fitting(size, 1, field) + this.#offset;
  }

  expectTagEnd(end: number, field: string): void {
    if (this.#offset !== end) this.fail(field, `tagged field ends ${end - this.#offset} bytes off`);
  }

  expectEnd(field: string): void {
    if (this.#offset !== this.#end) this.fail(field, `${this.#end - this.#offset} bytes left over`);
  }
}
