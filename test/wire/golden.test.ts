/** Bytes written by Kafka's own classes (see golden/Generate.java), for every API, direction and version that has a table. */

import { describe, expect, test } from 'vitest';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import type { Api } from '../../src/wire/schema.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { readGolden } from './golden.ts';
import { type Direction, decode, encode, everyVersion, fieldsOf, fromJson, type Value } from './values.ts';

interface Golden {
  readonly version: number;
  readonly direction: Direction;
  readonly kind: 'filled' | 'nulls' | 'defaults';
  readonly hex: string;
  readonly value: Value;
}

function goldenOf(api: Api): Golden[] {
  const file = `${api.name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}.jsonl`;
  return readGolden(file);
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

/** Whether the bytes are read; what is thrown otherwise must be a WireError. */
function isMessage(api: Api, direction: Direction, version: number, bytes: Uint8Array): boolean {
  try {
    decode(api, direction, version, bytes);
    return true;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return false;
  }
}

test('three golden messages for every version and direction', () => {
  for (const [api, direction, version] of everyVersion(ALL_APIS)) {
    const kinds = goldenOf(api).filter((line) => line.version === version && line.direction === direction);
    expect(kinds.map((line) => line.kind)).toEqual(['filled', 'nulls', 'defaults']);
  }
});

describe.each(ALL_APIS.map((api) => [api.name, api] as const))('%s', (_, api) => {
  for (const { version, direction, kind, hex, value } of goldenOf(api)) {
    const expected = fromJson(fieldsOf(api, direction), value);

    test(`${direction} v${version}, ${kind}: written as Kafka writes it`, () => {
      expect(toHex(encode(api, direction, version, expected))).toBe(hex);
    });

    test(`${direction} v${version}, ${kind}: read as Kafka means it`, () => {
      expect(decode(api, direction, version, fromHex(hex))).toEqual(expected);
      expect(decode(api, direction, version, fromHex(hex), true)).toEqual(expected);
    });

    test(`${direction} v${version}, ${kind}: no beginning of it is a message`, () => {
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length++) {
        if (isMessage(api, direction, version, bytes.subarray(0, length))) expect.fail(`${length} bytes are one`);
      }
      expect(() => decode(api, direction, version, Uint8Array.of(...bytes, 0))).toThrow(/1 bytes left over/);
    });
  }
});
