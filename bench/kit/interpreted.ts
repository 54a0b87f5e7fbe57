/** Reads a message by walking its table for every field: what the compiled reader is measured against. Tagged fields are passed over. */
import { type Encoding, isCarried, isNullable, isTagged } from '../../src/wire/encoding.ts';
import type { Reader } from '../../src/wire/reader.ts';
import type { Field, Fields } from '../../src/wire/schema.ts';

export function interpret(fields: Fields, encoding: Encoding, r: Reader): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const isThere = isCarried(field, encoding) && !isTagged(field, encoding);
    value[name] = isThere ? one(field, encoding, r, name) : field.default;
  }
  if (encoding.flexible) r.skipTags('struct');
  return value;
}

function one(field: Field, encoding: Encoding, r: Reader, name: string): unknown {
  const { flexible } = encoding;
  const nullable = isNullable(field, encoding);
  switch (field.kind) {
    case 'string':
      if (flexible) return nullable ? r.compactNullableString(name) : r.compactString(name);
      return nullable ? r.nullableString(name) : r.string(name);
    case 'bytes':
    case 'records': {
      const size = flexible ? r.compactByteLength(name) : r.byteLength(name);
      if (size < 0) return null;
      return field.kind === 'bytes' ? r.copy(size, name) : r.place(size, name);
    }
    case 'array': {
      const count = flexible ? r.compactCount(1, name) : r.count(1, name);
      if (count < 0) return null;
      return Array.from({ length: count }, () => one(field.element as Field, encoding, r, name));
    }
    case 'struct':
      return interpret(field.fields ?? {}, encoding, r);
    default:
      return r[field.kind](name);
  }
}
