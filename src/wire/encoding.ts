/** What one version of a message makes of a field: whether it is carried, tagged, nullable, and how many bytes it takes at least. */
import type { Field, Fields } from './schema.ts';

export interface Encoding {
  readonly version: number;
  /** Compact lengths, and tagged fields at the end of every struct. */
  readonly flexible: boolean;
}

export function isCarried(field: Field, { version }: Encoding): boolean {
  return version >= field.since && version <= field.until;
}

export function isTagged(field: Field, encoding: Encoding): boolean {
  return field.tag !== null && isCarried(field, encoding) && encoding.version >= field.taggedFrom;
}

export function isNullable(field: Field, { version }: Encoding): boolean {
  return version >= field.nullableFrom;
}

export function bytesMin(field: Field, encoding: Encoding): number {
  switch (field.kind) {
    case 'boolean':
    case 'int8':
      return 1;
    case 'int16':
    case 'uint16':
      return 2;
    case 'int32':
      return 4;
    case 'int64':
    case 'saturatingInt64':
    case 'rawInt64':
    case 'float64':
      return 8;
    case 'uuid':
      return 16;
    case 'string':
      return encoding.flexible ? 1 : 2;
    case 'bytes':
    case 'records':
    case 'array':
      return encoding.flexible ? 1 : 4;
    case 'struct':
      return isNullable(field, encoding) ? 1 : structBytesMin(field.fields ?? {}, encoding);
  }
}

/** Never less than one, so that no count of empty things passes for small. */
function structBytesMin(fields: Fields, encoding: Encoding): number {
  let sum = encoding.flexible ? 1 : 0;
  for (const field of Object.values(fields)) {
    if (isCarried(field, encoding) && !isTagged(field, encoding)) sum += bytesMin(field, encoding);
  }
  return Math.max(sum, 1);
}

/** The default of a field as an expression; arrays and structs are new ones each time. */
export function defaultCode(field: Field): string {
  if (field.default === null) return 'null';
  switch (field.kind) {
    case 'uuid':
      return 'ZERO_UUID';
    case 'array':
      return '[]';
    case 'bytes':
      return 'new Uint8Array(0)';
    case 'struct':
      return literalCode(field.fields ?? {}, (_, inner) => defaultCode(inner));
    case 'rawInt64':
      return `${field.default}n`;
    default:
      return JSON.stringify(field.default);
  }
}

/** One object literal with every field of the struct, in table order: all objects of a struct have one shape. */
export function literalCode(fields: Fields, valueCode: (name: string, field: Field) => string): string {
  return `{ ${Object.entries(fields)
    .map(([name, field]) => `${name}: ${valueCode(name, field)}`)
    .join(', ')} }`;
}

export function tagOrder(left: readonly [string, Field], right: readonly [string, Field]): number {
  return (left[1].tag ?? 0) - (right[1].tag ?? 0);
}
