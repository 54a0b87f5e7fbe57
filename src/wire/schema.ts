/**
 * The words in which messages are described: one table per API says all versions at once, fields in wire order.
 * Types of what is read and of what may be written are inferred from the table.
 *
 *   since, until   the versions that carry the field (inclusive); outside of them it reads as its default
 *   nullableFrom   the first version that may say null
 *   default        what is read where nothing was sent; zero, '' and [] unless told
 *   ignorable      a value that the version cannot carry is dropped in writing; without it, only the default may be dropped
 *   tag            the field is an optional tagged one from `taggedFrom` (else from `since`) on, and may be left out when writing
 */
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import type { RecordsView } from './reader.ts';
import type { Hole } from './writer.ts';

export type Kind =
  | 'boolean'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'saturatingInt64'
  | 'rawInt64'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct';

export interface FieldOptions {
  readonly since?: number;
  readonly until?: number;
  readonly nullableFrom?: number;
  readonly ignorable?: boolean;
  readonly tag?: number;
  readonly taggedFrom?: number;
}

/** Arrays, bytes and structs have their empty value as default, or null. */
interface WithNull extends FieldOptions {
  readonly default?: null;
}

interface With<T> extends FieldOptions {
  readonly default?: T;
}

export type Fields = { readonly [name: string]: Field };

export interface Field<Read = unknown, Write = unknown, Tagged extends boolean = boolean> {
  readonly kind: Kind;
  readonly since: number;
  readonly until: number;
  readonly nullableFrom: number;
  readonly ignorable: boolean;
  readonly tag: number | null;
  readonly taggedFrom: number;
  readonly default: unknown;
  readonly element: Field | null;
  readonly fields: Fields | null;
  /** For the compiler's eyes only; there is no value. */
  readonly types?: { readonly read: Read; readonly write: Write; readonly tagged: Tagged };
}

type OrNull<T, O> = O extends { nullableFrom: number } ? T | null : T;
type IsTagged<O> = O extends { tag: number } ? true : false;
type Made<Read, Write, O> = Field<OrNull<Read, O>, OrNull<Write, O>, IsTagged<O>>;

type ReadOf<F> = F extends Field<infer R, infer _W, infer _T> ? R : never;
type WriteOf<F> = F extends Field<infer _R, infer W, infer _T> ? W : never;
type TaggedNames<F> = { [K in keyof F]: F[K] extends Field<infer _R, infer _W, true> ? K : never }[keyof F];

export type ReadStruct<F> = { -readonly [K in keyof F]: ReadOf<F[K]> };
export type WriteStruct<F> = { readonly [K in Exclude<keyof F, TaggedNames<F>>]: WriteOf<F[K]> } & {
  readonly [K in TaggedNames<F>]?: WriteOf<F[K]>;
};

interface Inner {
  readonly element?: Field;
  readonly fields?: Fields;
}

function field(kind: Kind, zero: unknown, options: FieldOptions & { default?: unknown }, inner: Inner = {}): Field {
  const since = options.since ?? 0;
  return {
    kind,
    since,
    until: options.until ?? Number.POSITIVE_INFINITY,
    nullableFrom: options.nullableFrom ?? Number.POSITIVE_INFINITY,
    ignorable: options.ignorable ?? false,
    tag: options.tag ?? null,
    taggedFrom: options.taggedFrom ?? since,
    default: options.default === undefined ? zero : options.default,
    element: inner.element ?? null,
    fields: inner.fields ?? null,
  };
}

export function boolean<const O extends With<boolean>>(options: O = {} as O): Made<boolean, boolean, O> {
  return field('boolean', false, options) as Made<boolean, boolean, O>;
}

function numeric(kind: Kind) {
  return <const O extends With<number>>(options: O = {} as O): Made<number, number, O> =>
    field(kind, 0, options) as Made<number, number, O>;
}

export const int8 = numeric('int8');
export const int16 = numeric('int16');
export const uint16 = numeric('uint16');
export const int32 = numeric('int32');
export const float64 = numeric('float64');
/** A number: what lies beyond 2^53 is refused. */
export const int64 = numeric('int64');
/** A number: what lies beyond 2^53 reads as the farthest safe integer, which in turn is written as the end of the 64-bit range. */
export const saturatingInt64 = numeric('saturatingInt64');

/** Opaque 64 bits. */
export function rawInt64<const O extends With<bigint>>(options: O = {} as O): Made<bigint, bigint, O> {
  return field('rawInt64', 0n, options) as Made<bigint, bigint, O>;
}

export function string<const O extends With<string | null>>(options: O = {} as O): Made<string, string, O> {
  return field('string', '', options) as Made<string, string, O>;
}

export function uuid<const O extends FieldOptions>(options: O = {} as O): Made<Uuid, Uuid, O> {
  return field('uuid', ZERO_UUID, options) as Made<Uuid, Uuid, O>;
}

export function bytes<const O extends WithNull>(options: O = {} as O): Made<Uint8Array, Uint8Array, O> {
  return field('bytes', [], options) as Made<Uint8Array, Uint8Array, O>;
}

/** Record batches: reading gives their place, writing takes bytes or a hole; always nullable, null by default. */
export function records(options: FieldOptions = {}): Field<RecordsView | null, Uint8Array | Hole | null, false> {
  return field('records', null, { nullableFrom: 0, ...options }) as Field<
    RecordsView | null,
    Uint8Array | Hole | null,
    false
  >;
}

export function array<E extends Field, const O extends WithNull>(
  element: E,
  options: O = {} as O,
): Made<ReadOf<E>[], readonly WriteOf<E>[], O> {
  return field('array', [], options, { element }) as Made<ReadOf<E>[], readonly WriteOf<E>[], O>;
}

export function struct<F extends Fields, const O extends WithNull>(
  fields: F,
  options: O = {} as O,
): Made<ReadStruct<F>, WriteStruct<F>, O> {
  return field('struct', {}, options, { fields }) as Made<ReadStruct<F>, WriteStruct<F>, O>;
}

export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number;
  readonly name: string;
  /** First and last version served. */
  readonly versions: readonly [number, number];
  /** Older versions that are announced all the same, and read only to be refused in their own words. */
  readonly announcedFrom?: number;
  /** The first version with compact lengths and tagged fields, in body and header. */
  readonly flexibleFrom: number;
  readonly request: Request;
  readonly response: Response;
}

export function api<Request extends Fields, Response extends Fields>(
  table: Api<Request, Response>,
): Api<Request, Response> {
  return table;
}

export type RequestOf<A extends Api> = ReadStruct<A['request']>;
export type ResponseOf<A extends Api> = ReadStruct<A['response']>;
/** What writing takes: as what was read, but tagged fields may be left out and records may be bytes or a hole. */
export type RequestInput<A extends Api> = WriteStruct<A['request']>;
export type ResponseInput<A extends Api> = WriteStruct<A['response']>;

/** Fields that stand alone, in no request: what a log of the broker's own holds. */
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  /** First and last version read. */
  readonly versions: readonly [number, number];
  readonly flexibleFrom: number;
  readonly fields: F;
}

export function message<F extends Fields>(table: Message<F>): Message<F> {
  return table;
}

export type ValueOf<M extends Message> = ReadStruct<M['fields']>;
export type ValueInput<M extends Message> = WriteStruct<M['fields']>;

export function isServed(api: Api, version: number): boolean {
  return version >= api.versions[0] && version <= api.versions[1];
}

export function isAnnounced(api: Api, version: number): boolean {
  return version >= (api.announcedFrom ?? api.versions[0]) && version <= api.versions[1];
}
