import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { Reader } from '../../src/wire/reader.ts';
import { sizeOfUnsignedVarint, sizeOfVarint, sizeOfVarlong, unzigzag, zigzag } from '../../src/wire/varint.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { Writer } from '../../src/wire/writer.ts';

function readerOver(writer: Writer): Reader {
  const reader = new Reader();
  reader.reset(writer.memory, writer.start, writer.offset);
  return reader;
}

const hexOf = (writer: Writer) => Buffer.from(writer.memory.bytes.slice(writer.start, writer.offset)).toString('hex');

test('varints as the protocol gives them', () => {
  const unsigned: [number, string][] = [
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_384, '808001'],
    [0xffffffff, 'ffffffff0f'],
  ];
  const signed: [number, string][] = [
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [-64, '7f'],
    [64, '8001'],
    [0x7fffffff, 'feffffff0f'],
    [-0x80000000, 'ffffffff0f'],
  ];
  const long: [number, string][] = [
    [2 ** 31, '8080808010'],
    [-(2 ** 31) - 1, '8180808010'],
    [2 ** 52, '8080808080808010'],
    [-(2 ** 52), 'ffffffffffffff0f'],
  ];
  const writer = new Writer();
  for (const [value, hex] of unsigned) {
    writer.reset();
    writer.unsignedVarint(value);
    expect(hexOf(writer)).toBe(hex);
  }
  for (const [value, hex] of signed) {
    writer.reset();
    writer.varint(value);
    expect(hexOf(writer)).toBe(hex);
    writer.reset();
    writer.varlong(value);
    expect(hexOf(writer)).toBe(hex);
  }
  for (const [value, hex] of long) {
    writer.reset();
    writer.varlong(value);
    expect(hexOf(writer)).toBe(hex);
  }
});

test('varints come back, and take the bytes that were computed', () => {
  const writer = new Writer();
  fc.assert(
    fc.property(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.integer({ min: 0, max: 0xffffffff }),
      (small, large, unsigned) => {
        fc.pre(Math.abs(large) < Number.MAX_SAFE_INTEGER);
        writer.reset();
        writer.varint(small);
        writer.varlong(large);
        writer.unsignedVarint(unsigned);
        expect(writer.writtenBytes).toBe(sizeOfVarint(small) + sizeOfVarlong(large) + sizeOfUnsignedVarint(unsigned));
        const reader = readerOver(writer);
        expect([reader.varint('a'), reader.varlong('b'), reader.unsignedVarint('c')]).toEqual([small, large, unsigned]);
        expect(unzigzag(zigzag(small))).toBe(small);
      },
    ),
  );
});

test('a varlong beyond 64 bits or 2^53 is refused', () => {
  for (const hex of ['ffffffffffffffffffff01', 'ffffffffffffffffff01', '80808080808080808001', 'ff']) {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
    const reader = new Reader();
    reader.reset(memoryOver(bytes), 0, bytes.length);
    expect(() => reader.varlong('delta')).toThrow(WireError);
  }
});

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 100 }),
  fc.constantFrom('', '\ufeffmark', 'ÿ', 'a'.repeat(64), 'a'.repeat(65), 'é'.repeat(32), '€'.repeat(10_000)),
);

test('strings come back, from any memory, remembered or not', () => {
  const reader = new Reader();
  fc.assert(
    fc.property(anyText, fc.boolean(), fc.boolean(), (text, compact, shared) => {
      const memory = memoryOver(new Uint8Array(shared ? new SharedArrayBuffer(70_000) : new ArrayBuffer(70_000)));
      const writer = new Writer(memory);
      writer.reset(memory, 11);
      for (let i = 0; i < 2; i++) compact ? writer.compactString(text, 'text') : writer.string(text, 'text');
      reader.reset(memory, 11, writer.offset);
      for (let i = 0; i < 2; i++) expect(compact ? reader.compactString('text') : reader.string('text')).toBe(text);
      reader.expectEnd('text');
    }),
  );
});

test('a text and an id of the same bytes are kept apart', () => {
  const id = '\u00c3\u00a9'.repeat(8);
  const writer = new Writer();
  writer.uuid(id, 'id');
  writer.string('é'.repeat(8), 'text');
  writer.uuid(id, 'id');
  const reader = readerOver(writer);
  expect([reader.uuid('a'), reader.string('b'), reader.uuid('c')]).toEqual([id, 'é'.repeat(8), id]);
});

test('one reader serves many strings without mixing them up, also those that share a place in its memory', () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => {
    const letter = String.fromCharCode(33 + (i % 90));
    return `${letter}opic-${Math.floor(i / 90)}-${'x'.repeat(i % 5)}${String.fromCharCode(33 + (i % 89))}`;
  });
  const oneLetterApart = Array.from({ length: 90 * 90 }, (_, i) => {
    return `${String.fromCharCode(33 + (i % 90))}-same-${Math.floor(i / 90)}`;
  });
  const writer = new Writer();
  for (const text of [...texts, ...oneLetterApart]) writer.string(text, 'text');
  const reader = readerOver(writer);
  for (const text of [...texts, ...oneLetterApart]) expect(reader.string('text')).toBe(text);
});

test('a writer grows by the callback, keeps what was written and starts again at the front', () => {
  const asked: number[] = [];
  const grow = (bytesNeeded: number, old: Memory): Memory => {
    asked.push(bytesNeeded);
    const bytes = new Uint8Array(new SharedArrayBuffer(bytesNeeded + 3));
    for (let i = 0; i < old.bytes.length; i++) bytes[i] = old.bytes[i] as number;
    return memoryOver(bytes);
  };
  const writer = new Writer(memoryOver(new Uint8Array(2)), grow);
  const fill = () => {
    writer.int8(1, 'a');
    writer.int32(-2, 'b');
    writer.boolean(true, 'c');
    writer.int64(-(2 ** 40), 'd');
    writer.uint16(3, 'e');
    writer.float64(0.25, 'f');
    writer.compactString('žluť', 'g');
    writer.varlong(-(2 ** 50));
    writer.raw(Uint8Array.of(1, 2, 3, 4, 5));
    writer.uuid('abcdefghijklmnop', 'h');
    writer.rawInt64(-1n, 'i');
    writer.saturatingInt64(5, 'j');
    writer.patchInt32(1, 77);
  };
  fill();
  const first = hexOf(writer);
  expect(asked.length).toBeGreaterThan(3);
  const grown = asked.length;
  writer.reset();
  fill();
  expect(hexOf(writer)).toBe(first);
  expect(asked.length).toBe(grown);
  const plain = new Writer();
  expect(plain.totalBytes).toBe(0);
  const reader = readerOver(writer);
  expect(reader.int8('a')).toBe(1);
  expect(reader.int32('b')).toBe(77);
  expect(reader.boolean('c')).toBe(true);
  expect(reader.int64('d')).toBe(-(2 ** 40));
  expect(reader.uint16('e')).toBe(3);
  expect(reader.float64('f')).toBe(0.25);
  expect(reader.compactString('g')).toBe('žluť');
  expect(reader.varlong('v')).toBe(-(2 ** 50));
  expect(reader.copy(5, 'raw')).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  expect(reader.uuid('h')).toBe('abcdefghijklmnop');
  expect(reader.rawInt64('i')).toBe(-1n);
  expect(reader.saturatingInt64('j')).toBe(5);
  expect(reader.remaining).toBe(0);
});

test('patches and places outside of the memory are refused', () => {
  const writer = new Writer();
  writer.int32(1, 'a');
  expect(() => writer.patchInt32(1, 0)).toThrow(RangeError);
  expect(() => writer.patchInt32(-1, 0)).toThrow(RangeError);
  expect(() => new Writer(memoryOver(new Uint8Array(1)), (_, old) => old).int32(1, 'a')).toThrow(RangeError);
  expect(() => new Reader().reset(writer.memory, 0, writer.memory.bytes.length + 1)).toThrow(RangeError);
  expect(() => new Reader().reset(writer.memory, 5, 4)).toThrow(RangeError);
});
