/** Ids: the text form is Kafka's, both ways, and random ones are of version 4 and never look like a flag. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/base/random.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { formatUuid, parseUuid, randomUuid, uuidOfBytes, ZERO_UUID } from '../../src/base/uuid.ts';

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('uuid', () => {
  test('bytes, id and text say the same', () => {
    fc.assert(
      fc.property(sixteen, (bytes) => {
        const id = uuidOfBytes(bytes);
        expect(Uint8Array.from(id, (character) => character.charCodeAt(0))).toEqual(bytes);
        expect(formatUuid(id)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(parseUuid(formatUuid(id))).toBe(id);
      }),
    );
  });

  test('ids that Kafka reserves have the texts that Kafka shows', () => {
    expect(formatUuid(ZERO_UUID)).toBe('AAAAAAAAAAAAAAAAAAAAAA');
    expect(formatUuid(uuidOfBytes(Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))))).toBe(
      'AAAAAAAAAAAAAAAAAAAAAQ',
    );
  });

  test('what is no id is null', () => {
    for (const text of [
      '',
      'A'.repeat(21),
      'A'.repeat(23),
      `${'A'.repeat(21)}=`,
      `${'A'.repeat(21)}+`,
      ' '.repeat(22),
    ]) {
      expect(parseUuid(text), text).toBeNull();
    }
  });

  test('random ids are of version 4, variant 2, and all different', () => {
    const random = new SeededRandom(7);
    const seen = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      const id = randomUuid(random);
      expect(id.charCodeAt(6) >> 4).toBe(4);
      expect(id.charCodeAt(8) >> 6).toBe(2);
      expect(formatUuid(id).startsWith('-')).toBe(false);
      seen.add(id);
    }
    expect(seen.size).toBe(2_000);
  });

  test('an id whose text would start with a dash is thrown again', () => {
    const dashed = new Uint8Array(16).fill(0xfb);
    const rolls = [dashed, new Uint8Array(16).fill(0x11)];
    const random: Random = { below: () => 0, bytes16: () => rolls.shift() as Uint8Array };
    expect(formatUuid(uuidOfBytes(dashed)).startsWith('-')).toBe(true);
    expect(randomUuid(random).charCodeAt(0)).toBe(0x11);
    expect(rolls).toEqual([]);
  });
});
