/**
 * The vocabulary of settings: what an entry of the tables says, and how text becomes a value and back. A setting is told
 * once; parsing, checking, describing and the documentation page all come from its entry.
 */
export type SettingType = 'int' | 'long' | 'double' | 'boolean' | 'string' | 'list' | 'password' | 'int or auto';

/** Whether it can change while the broker runs, and for whom. */
export type Change = 'read-only' | 'per-broker' | 'cluster-wide';

export interface Setting<Name extends string = string, Value = unknown> {
  readonly name: Name;
  readonly type: SettingType;
  readonly default: Value;
  readonly doc: string;
  readonly change: Change;
  /** Kafka has no such setting. */
  readonly ours: boolean;
  /** Null stands for "not set" and is the default then. */
  readonly optional: boolean;
  readonly min: number;
  readonly max: number;
  /** The words that are allowed; empty when any text is. */
  readonly words: readonly string[];
  /** Older names for the same thing. */
  readonly aliases: readonly string[];
}

export interface Details {
  readonly change?: Change;
  readonly ours?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly words?: readonly string[];
  readonly aliases?: readonly string[];
}

/** `num.network.threads` is `numNetworkThreads` in code. */
export type CamelCase<S extends string> = S extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The typed values of a table: what `parse` made of each entry, under its name in camel case. */
export type ValuesOf<Table extends readonly Setting[]> = {
  readonly [S in Table[number] as CamelCase<S['name']>]: S extends Setting<string, infer Value> ? Value : never;
};

export function camelCase<const S extends string>(name: S): CamelCase<S> {
  return name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<S>;
}

export const INT_MAX = 2_147_483_647;
/** Stands for Kafka's largest int64, "no limit"; whatever lies beyond exact numbers is read as it and written as Kafka's. */
export const LONG_MAX = Number.MAX_SAFE_INTEGER;
const KAFKA_LONG_MAX = 9_223_372_036_854_775_807n;

const INT_LIMITS = { min: -2_147_483_648, max: INT_MAX };
const LONG_LIMITS = { min: -LONG_MAX, max: LONG_MAX };
const DOUBLE_LIMITS = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };

function entry<N extends string, V>(
  name: N,
  type: SettingType,
  fallback: V,
  doc: string,
  limits: { min: number; max: number },
  details: Details,
): Setting<N, V> {
  const { change = 'read-only', ours = false, words = [], aliases = [] } = details;
  const { min = limits.min, max = limits.max } = details;
  return { name, type, default: fallback, doc, change, ours, optional: fallback === null, min, max, words, aliases };
}

type OrNull<Fallback, Value> = Fallback extends null ? Value | null : Value;

export function int<const N extends string, F extends number | null>(
  name: N,
  fallback: F,
  doc: string,
  details: Details = {},
) {
  return entry<N, OrNull<F, number>>(name, 'int', fallback as OrNull<F, number>, doc, INT_LIMITS, details);
}

export function long<const N extends string, F extends number | null>(
  name: N,
  fallback: F,
  doc: string,
  details: Details = {},
) {
  return entry<N, OrNull<F, number>>(name, 'long', fallback as OrNull<F, number>, doc, LONG_LIMITS, details);
}

export function double<const N extends string>(name: N, fallback: number, doc: string, details: Details = {}) {
  return entry<N, number>(name, 'double', fallback, doc, DOUBLE_LIMITS, details);
}

export function intOrAuto<const N extends string>(name: N, doc: string, details: Details = {}) {
  return entry<N, number | 'auto'>(name, 'int or auto', 'auto', doc, INT_LIMITS, details);
}

export function boolean<const N extends string>(name: N, fallback: boolean, doc: string, details: Details = {}) {
  return entry<N, boolean>(name, 'boolean', fallback, doc, INT_LIMITS, details);
}

export function string<const N extends string, F extends string | null>(
  name: N,
  fallback: F,
  doc: string,
  details: Details = {},
) {
  return entry<N, OrNull<F, string>>(name, 'string', fallback as OrNull<F, string>, doc, INT_LIMITS, details);
}

/** One of some words, typed as such. */
export function oneOf<const N extends string, const W extends string>(
  name: N,
  words: readonly W[],
  fallback: NoInfer<W>,
  doc: string,
  details: Details = {},
) {
  return entry<N, W>(name, 'string', fallback, doc, INT_LIMITS, { ...details, words });
}

export function list<const N extends string, F extends readonly string[] | null>(
  name: N,
  fallback: F,
  doc: string,
  details: Details = {},
) {
  return entry<N, OrNull<F, readonly string[]>>(
    name,
    'list',
    fallback as OrNull<F, readonly string[]>,
    doc,
    INT_LIMITS,
    details,
  );
}

/** What is wrong with a value, in one sentence that names the setting, the value and what is allowed. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

export function parseValue<V>(setting: Setting<string, V>, text: string): V {
  return parse(setting, text) as V;
}

function parse(setting: Setting, raw: string): unknown {
  const text = raw.trim();
  if (text === '' && setting.optional) return null;
  switch (setting.type) {
    case 'int':
    case 'long':
      return parseWhole(setting, text);
    case 'int or auto':
      return text.toLowerCase() === 'auto' ? 'auto' : parseWhole(setting, text);
    case 'double':
      return parseDouble(setting, text);
    case 'boolean':
      return parseBoolean(setting, text);
    case 'list':
      return parseList(setting, text);
    case 'string':
      return parseWord(setting, text);
    case 'password':
      return raw;
  }
}

function parseWhole(setting: Setting, text: string): number {
  if (!/^[+-]?[0-9]{1,19}$/.test(text)) throw refuse(setting, text);
  const exact = BigInt(text.replace('+', ''));
  if (setting.type === 'long' && exact > KAFKA_LONG_MAX) throw refuse(setting, text);
  const value = setting.type === 'long' && exact > LONG_MAX ? LONG_MAX : Number(exact);
  return inRange(setting, value, text);
}

function parseDouble(setting: Setting, text: string): number {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw refuse(setting, text);
  return inRange(setting, value, text);
}

function inRange(setting: Setting, value: number, text: string): number {
  if (value < setting.min || value > setting.max) throw refuse(setting, text);
  return value;
}

function parseBoolean(setting: Setting, text: string): boolean {
  const word = text.toLowerCase();
  if (word !== 'true' && word !== 'false') throw refuse(setting, text);
  return word === 'true';
}

function parseWord(setting: Setting, text: string): string {
  if (setting.words.length > 0 && !setting.words.includes(text)) throw refuse(setting, text);
  return text;
}

function parseList(setting: Setting, text: string): string[] {
  const words = text === '' ? [] : text.split(',').map((word) => word.trim());
  const wrong = words.find((word) => word === '' || (setting.words.length > 0 && !setting.words.includes(word)));
  if (wrong !== undefined) throw refuse(setting, text);
  return words;
}

/** A value as it may be said: secrets never are. */
export function shown(setting: Setting, text: string): string {
  return setting.type === 'password' ? '(hidden)' : text;
}

function refuse(setting: Setting, text: string): SettingError {
  return new SettingError(`${setting.name}=${shown(setting, text)} is not valid: it must be ${allowed(setting)}.`);
}

/** "a whole number from 1 to 10", for error sentences and the documentation. */
export function allowed(setting: Setting): string {
  if (setting.type === 'boolean') return 'true or false';
  if (setting.type === 'list') {
    return setting.words.length > 0 ? `a list of ${setting.words.join(', ')}` : 'a list, separated by commas';
  }
  if (setting.words.length > 0) return `one of ${setting.words.join(', ')}`;
  if (setting.type === 'string') return 'text';
  if (setting.type === 'password') return 'a secret';
  return `${setting.type === 'double' ? 'a number' : 'a whole number'}${range(setting)}${setting.type === 'int or auto' ? ', or auto' : ''}`;
}

function range(setting: Setting): string {
  const limits = setting.type === 'long' ? LONG_LIMITS : setting.type === 'double' ? DOUBLE_LIMITS : INT_LIMITS;
  const floor = setting.min > limits.min;
  // The end of the type's range is worth a word only where it is all there is to say.
  const ceiling = setting.max < limits.max || (!floor && setting.type !== 'double');
  if (floor && ceiling) return ` from ${setting.min} to ${setting.max}`;
  if (floor) return `, at least ${setting.min}`;
  return ceiling ? `, at most ${formatValue(setting, setting.max)}` : '';
}

/** As Kafka writes it; null where nothing is set. */
export function formatValue(setting: Setting, value: unknown): string | null {
  if (value === null) return null;
  if (setting.type === 'list') return (value as readonly string[]).join(',');
  if (setting.type === 'long' && value === LONG_MAX) return `${KAFKA_LONG_MAX}`;
  return String(value);
}
