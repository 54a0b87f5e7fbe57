/** Values for tests, derived from the tables themselves: Kafka's JSON form turned into ours, and arbitrary values of any version. */
import fc from 'fast-check';
import { memoryOver } from '../../src/base/memory.ts';
import { parseUuid, uuidOfBytes, ZERO_UUID } from '../../src/base/uuid.ts';
import { requestReader, requestWriter, responseReader, responseWriter } from '../../src/wire/compiler.ts';
import { type Encoding, isCarried, isNullable } from '../../src/wire/encoding.ts';
import { Reader, type RecordsView } from '../../src/wire/reader.ts';
import type { Api, Field, Fields } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';

export type Direction = 'request' | 'response';
export type Value = Record<string, unknown>;

export function fieldsOf(api: Api, direction: Direction): Fields {
  return direction === 'request' ? api.request : api.response;
}

export function encodingOf(api: Api, version: number): Encoding {
  return { version, flexible: version >= api.flexibleFrom };
}

export function* everyVersion(apis: readonly Api[]): Generator<[Api, Direction, number]> {
  for (const api of apis) {
    for (const direction of ['request', 'response'] as const) {
      for (let version = api.versions[0]; version <= api.versions[1]; version++) yield [api, direction, version];
    }
  }
}

export function encode(api: Api, direction: Direction, version: number, value: Value): Uint8Array {
  const writer = new Writer();
  const write = direction === 'request' ? requestWriter(api, version) : responseWriter(api, version);
  write(writer, value);
  return writer.memory.bytes.slice(0, writer.writtenBytes);
}

/** Reads the bytes from the middle of a larger memory, so that whoever looks beyond them is found out. */
export function decode(api: Api, direction: Direction, version: number, bytes: Uint8Array, shared = false): Value {
  const all = new Uint8Array(shared ? new SharedArrayBuffer(bytes.length + 64) : new ArrayBuffer(bytes.length + 64));
  for (let i = 0; i < bytes.length; i++) all[32 + i] = bytes[i] as number;
  const reader = new Reader();
  reader.reset(memoryOver(all), 32, 32 + bytes.length);
  const read = direction === 'request' ? requestReader(api, version) : responseReader(api, version);
  const value = read(reader);
  reader.expectEnd(api.name);
  return withRecordBytes(fieldsOf(api, direction), value, all);
}

/** The places of records replaced by the bytes found there. */
export function withRecordBytes(fields: Fields, value: Value, bytes: Uint8Array): Value {
  return mapStruct(fields, value, (field, inner) => {
    if (field.kind !== 'records' || inner === null) return inner;
    const { offset, length } = inner as RecordsView;
    return bytes.slice(offset, offset + length);
  });
}

/** Kafka's JSON: uuids and bytes are base64, what has its default or is not carried is left out. */
export function fromJson(fields: Fields, json: Value): Value {
  return mapStruct(fields, json, (field, inner) => {
    if (inner === undefined) return field.kind === 'struct' && field.default !== null ? {} : field.default;
    if (inner === null) return null;
    if (field.kind === 'uuid') return parseUuid(inner as string);
    if (field.kind === 'rawInt64') return BigInt(inner as number);
    if (field.kind === 'bytes' || field.kind === 'records')
      return new Uint8Array(Buffer.from(inner as string, 'base64'));
    return inner;
  });
}

/** Every field of the table once, leaves given by `leaf`, which also sees structs and arrays before they are walked. */
function mapStruct(fields: Fields, value: Value, leaf: (field: Field, value: unknown) => unknown): Value {
  const result: Value = {};
  for (const [name, field] of Object.entries(fields)) result[name] = mapValue(field, value[name], leaf);
  return result;
}

function mapValue(field: Field, given: unknown, leaf: (field: Field, value: unknown) => unknown): unknown {
  const value = leaf(field, given);
  if (value === null) return null;
  if (field.kind === 'array') return (value as unknown[]).map((item) => mapValue(field.element as Field, item, leaf));
  return field.kind === 'struct' ? mapStruct(field.fields as Fields, value as Value, leaf) : value;
}

/** Any value that the version carries; every other field has its default. */
export function arbitraryStruct(fields: Fields, encoding: Encoding): fc.Arbitrary<Value> {
  const parts: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(fields)) {
    parts[name] = isCarried(field, encoding) ? arbitrary(field, encoding) : fc.constant(field).map(defaultOf);
  }
  return fc.record(parts, { noNullPrototype: true });
}

function defaultOf(field: Field): unknown {
  return mapValue(field, undefined, (inner, value) => {
    if (value !== undefined) return value;
    return inner.kind === 'struct' && inner.default !== null ? {} : inner.default;
  });
}

function arbitrary(field: Field, encoding: Encoding): fc.Arbitrary<unknown> {
  const values = arbitraryValue(field, encoding);
  return isNullable(field, encoding) ? fc.option(values, { freq: 4 }) : values;
}

const anyUuid = fc.oneof(fc.constant(ZERO_UUID), fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidOfBytes));
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 90 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

function arbitraryValue(field: Field, encoding: Encoding): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'boolean':
      return fc.boolean();
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f });
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff });
    case 'int32':
      return fc.integer();
    case 'int64':
    case 'saturatingInt64':
      return fc.maxSafeInteger();
    case 'rawInt64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'float64':
      return fc.double({ noNaN: true });
    case 'string':
      return anyText;
    case 'uuid':
      return anyUuid;
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 300 });
    case 'array':
      return fc.array(arbitrary(field.element as Field, encoding), { maxLength: 4 });
    case 'struct':
      return arbitraryStruct(field.fields as Fields, encoding);
  }
}
