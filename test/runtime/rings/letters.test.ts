/** Letters arrive whole and in order, however large they are and however slowly they are read. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bell } from '../../../src/runtime/rings/bell.ts';
import { LetterReader, LetterWriter, newLetters } from '../../../src/runtime/rings/letters.ts';
import { Inbox, newRing, Outbox } from '../../../src/runtime/rings/ring.ts';

const LETTER = 99;
const silent = () => new Bell(new Int32Array(new SharedArrayBuffer(4)), () => {});

function post(memoryBytes: number, slots = 8) {
  const ring = newRing(slots);
  const memory = newLetters(memoryBytes);
  const outbox = new Outbox(ring, silent());
  const inbox = new Inbox(ring);
  const writer = new LetterWriter(memory, outbox, LETTER);
  const reader = new LetterReader(memory);
  /** Reads at most so many messages. */
  const read = (messages: number): [number, number, number, Uint8Array][] => {
    const letters: [number, number, number, Uint8Array][] = [];
    for (let at = inbox.peek(), left = messages; at >= 0 && left > 0; at = inbox.peek(), left--) {
      const [a, b, c] = inbox.words.subarray(at + 1, at + 4) as unknown as [number, number, number];
      const letter = reader.take(inbox.words, at);
      inbox.next();
      if (letter !== null) letters.push([a, b, c, letter]);
    }
    return letters;
  };
  return { writer, outbox, read };
}

const numbered = (length: number, first: number) => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);

test('a letter larger than the memory comes in pieces, and as one', () => {
  const { writer, outbox, read } = post(64);
  const long = numbered(1_000, 7);
  writer.send(1, 2, 3, long);
  const letters = [];
  for (let turn = 0; turn < 100 && letters.length === 0; turn++) {
    letters.push(...read(2));
    writer.flush();
    outbox.ringBell();
  }
  expect(letters).toEqual([[1, 2, 3, long]]);
  expect(writer.congested).toBe(false);
});

test('an empty letter is a letter', () => {
  const { writer, read } = post(64);
  writer.send(5, 0, 0, new Uint8Array(0));
  expect(read(9)).toEqual([[5, 0, 0, new Uint8Array(0)]]);
});

test('any letters, read at any pace: each whole, once, in order', () => {
  const turns = fc.array(fc.tuple(fc.array(fc.nat(150), { maxLength: 4 }), fc.nat(6)), { maxLength: 40 });
  fc.assert(
    fc.property(turns, fc.constantFrom(64, 128, 1_024), (script, memoryBytes) => {
      const { writer, outbox, read } = post(memoryBytes);
      const sent: [number, number, number, Uint8Array][] = [];
      const got: [number, number, number, Uint8Array][] = [];
      for (const [lengths, reads] of script) {
        for (const length of lengths) {
          const letter: (typeof sent)[number] = [sent.length, length, -1, numbered(length, sent.length)];
          sent.push(letter);
          writer.send(...(letter.slice(0, 3) as [number, number, number]), letter[3]);
        }
        got.push(...read(reads));
        writer.flush();
        outbox.ringBell();
      }
      for (let turn = 0; turn < 2_000 && got.length < sent.length; turn++) {
        got.push(...read(3));
        writer.flush();
        outbox.ringBell();
      }
      expect(got).toEqual(sent);
      expect(writer.congested).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('the memory goes around', () => {
  const { writer, outbox, read } = post(1_024, 8);
  const memory = numbered(200, 0);
  for (let round = 0; round < 500; round++) {
    writer.send(round, 0, 0, memory);
    outbox.ringBell();
    expect(read(1)).toEqual([[round, 0, 0, memory]]);
  }
});
