import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PropertiesError, parseProperties } from '../../src/base/properties.ts';

function pairs(text: string): [string, string][] {
  return parseProperties(text).map(({ key, value }) => [key, value]);
}

describe('java properties', () => {
  test('three separators, blanks around them', () => {
    expect(pairs('a=1\nb : 2\nc 3\nd\t=\t4  \ne=:x\nf==y')).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4  '],
      ['e', ':x'],
      ['f', '=y'],
    ]);
  });

  test('comments, empty lines, keys without a value', () => {
    expect(pairs('# a=1\n ! b=2\n\n   \nonly\nempty=')).toEqual([
      ['only', ''],
      ['empty', ''],
    ]);
  });

  test('a # inside a value is part of it', () => {
    expect(pairs('a=b # c')).toEqual([['a', 'b # c']]);
  });

  test('continuation lines lose their leading blanks and may hold anything', () => {
    expect(pairs('listeners=A://:1,\\\n    B://:2,\\\r\n\t#C://:3\nnext=1')).toEqual([
      ['listeners', 'A://:1,B://:2,#C://:3'],
      ['next', '1'],
    ]);
  });

  test('an even number of backslashes continues nothing', () => {
    expect(pairs('a=x\\\\\nb=y')).toEqual([
      ['a', 'x\\'],
      ['b', 'y'],
    ]);
  });

  test('a continuation at the end of the file', () => {
    expect(pairs('a=x\\')).toEqual([['a', 'x']]);
  });

  test('escapes in keys and values', () => {
    expect(pairs('a\\ b\\=c=\\t\\u00e9\\n\\q\\:')).toEqual([['a b=c', '\té\nq:']]);
  });

  test('a broken unicode escape says where', () => {
    expect(() => parseProperties('a=1\nb=\\u12g4')).toThrow(PropertiesError);
    try {
      parseProperties('a=1\nb=\\u12g4');
    } catch (error) {
      expect((error as PropertiesError).line).toBe(2);
    }
  });

  test('the line is the one where an entry starts', () => {
    expect(parseProperties('#\na=1,\\\n2\nb=3').map(({ line }) => line)).toEqual([2, 4]);
  });

  test('whatever is escaped comes back', () => {
    const escaped = (text: string) =>
      Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ unit: 'binary' }), (key, value) => {
        expect(pairs(`${escaped(key)}=${escaped(value)}`)).toEqual([[key, value]]);
      }),
    );
  });
});
