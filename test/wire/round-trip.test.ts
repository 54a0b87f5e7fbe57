/** Values made from the tables: whatever a version carries survives, whatever lies about its size is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCarried, isNullable, isTagged } from '../../src/wire/encoding.ts';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { arbitraryStruct, decode, encode, encodingOf, everyVersion, fieldsOf, type Value } from './values.ts';

describe.each([...everyVersion(ALL_APIS)].map((row) => [row[0].name, ...row] as const))(
  '%s',
  (_, api, direction, version) => {
    const values = arbitraryStruct(fieldsOf(api, direction), encodingOf(api, version));

    test(`${direction} v${version}: what is written is read back`, () => {
      fc.assert(
        fc.property(values, fc.boolean(), (value, shared) => {
          expect(decode(api, direction, version, encode(api, direction, version, value), shared)).toEqual(value);
        }),
        { numRuns: 15 },
      );
    });

    test(`${direction} v${version}: damage gives a value or a WireError`, () => {
      const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(values, flips, (value, changes) => {
          const bytes = encode(api, direction, version, value);
          for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
          try {
            decode(api, direction, version, bytes);
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
          }
        }),
        { numRuns: 25 },
      );
    });

    test(`${direction} v${version}: null where it may not be is refused, in writing and with the name of the field`, () => {
      for (const [name, field] of Object.entries(fieldsOf(api, direction))) {
        const encoding = encodingOf(api, version);
        const hasNull = field.kind === 'array' || field.kind === 'string';
        if (!hasNull || !isCarried(field, encoding) || isNullable(field, encoding)) continue;
        const value: Value = { ...fc.sample(values, 1)[0], [name]: null };
        expect(() => encode(api, direction, version, value)).toThrow(new RegExp(`v${version}\\.${name}: null`));
      }
    });
  },
);

test('every tagged field has its own tag, and only flexible versions have tagged fields', () => {
  for (const [api, direction, version] of everyVersion(ALL_APIS)) {
    const encoding = encodingOf(api, version);
    const tagged = Object.values(fieldsOf(api, direction)).filter((field) => isTagged(field, encoding));
    expect(new Set(tagged.map((field) => field.tag)).size).toBe(tagged.length);
    if (!encoding.flexible) expect(tagged).toEqual([]);
  }
});
