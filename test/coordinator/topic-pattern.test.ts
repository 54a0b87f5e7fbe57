/** Subscriptions by pattern: RE2's syntax, whole names, and nothing that takes long or grows large. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TopicPattern } from '../../src/coordinator/group/topic-pattern.ts';

function pattern(text: string): TopicPattern {
  const compiled = TopicPattern.compile(text);
  if (compiled instanceof TopicPattern) return compiled;
  throw new Error(`${text} was refused: ${compiled.refused}`);
}

function refusal(text: string): string | null {
  const compiled = TopicPattern.compile(text);
  return compiled instanceof TopicPattern ? null : compiled.refused;
}

test.each([
  ['orders', 'orders', true],
  ['orders', 'orders-eu', false],
  ['orders', 'my-orders', false],
  ['ord|orders', 'orders', true],
  ['orders.*', 'orders-eu', true],
  ['orders-(eu|us)', 'orders-us', true],
  ['orders-(eu|us)', 'orders-usa', false],
  ['^orders$', 'orders', true],
  ['\\Aorders\\z', 'orders', true],
  ['orders.eu', 'orders-eu', true],
  ['orders\\.eu', 'orders-eu', false],
  ['\\Qorders.\\E.+', 'orders.eu', true],
  ['[[:alpha:]]+_\\d{4}', 'log_2026', true],
  ['(?i)ORDERS', 'orders', true],
  ['(?P<where>eu|us)-.*', 'eu-1', true],
  ['[^_].*', '__consumer_offsets', false],
  ['.*', '__consumer_offsets', true],
  ['\\p{Greek}+', 'abc', false],
  ['', 'orders', false],
  ['orders?+', 'orders', null],
  ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f', true],
] as const)('%s on %s: %s', (text, topic, matches) => {
  if (matches === null) expect(refusal(text)).toMatch(/./);
  else expect(pattern(text).matches(topic)).toBe(matches);
});

test('of all topics those that match, in order', () => {
  expect(pattern('a.*|b').of(new Set(['b', 'c', 'ab', 'a', 'bb']))).toEqual(['a', 'ab', 'b']);
});

test.each([
  ['an open group', 'orders('],
  ['a group that was never opened', 'orders)'],
  ['an open class', '[a-'],
  ['a range backwards', '[z-a]'],
  ['nothing to repeat', '*orders'],
  ['a repetition of a repetition', 'a**'],
  ['a reference back', '(a)\\1'],
  ['looking ahead', '(?=a)a'],
  ['looking back', '(?<=a)b'],
  ['possessive', 'a++'],
  ['an unknown class', '\\p{Nowhere}'],
  ['an unknown escape', '\\y'],
  ['too many repetitions', 'a{1001}'],
  ['too many repetitions of repetitions', '((a{11}){10}){10}'],
])('%s is refused, in words', (_, text) => {
  expect(refusal(text)).toMatch(/error parsing regexp: ./);
});

describe('what would be large', () => {
  const LARGE = /2000 (?:characters|steps)/;

  test.each([
    ['a long pattern', 'a'.repeat(2_001)],
    ['many repetitions', '.{0,1000}'.repeat(28)],
    ['many repetitions of a class', '[^\\pL]{1000}'.repeat(80)],
    ['repetitions of many', `(${'abcdefghij'.repeat(50)}){1000}`],
    ['repetitions of repetitions of repetitions', '((a{100}){100}){100}'],
    ['repetitions of repetitions', '(((.{10}){10}){10})'.repeat(3)],
    ['repetitions of nothing', '(){1000}'.repeat(200)],
    ['repetitions of choices', '(|||||||||){1000}'],
    ['repetitions of places', '(\\b|^|$){1000}'],
    ['a literal repeated', '(\\Qabcdefghij\\E){1000}'],
  ])('%s is refused', (_, text) => {
    expect(refusal(text)).toMatch(LARGE);
  });

  test('what is as long as may be is not', () => {
    const list = Array.from({ length: 150 }, (_, index) => `topic-${index}`).join('|');
    expect(pattern(list).matches('topic-149')).toBe(true);
    expect(pattern('[a-z]{1000}').matches('a'.repeat(1_000))).toBe(true);
  });
});

test('patterns on which backtracking never ends are answered like others', () => {
  const name = `${'a'.repeat(248)}!`;
  for (const text of [
    '(a+)+',
    '(a|a)*',
    '(a|aa)+',
    '(.*a){20}',
    '(.*)*(.*)*(.*)*b',
    '([a-z]+)*c',
    '(a?){200}a{200}c',
  ]) {
    expect(pattern(text).matches(name)).toBe(false);
  }
});

test('any text is a pattern or is refused', () => {
  const pieces = [
    'a',
    '.',
    '*',
    '+',
    '?',
    '|',
    '(',
    ')',
    '(?:',
    '(?i)',
    '(?P<n>',
    '[',
    ']',
    '^',
    '$',
    '\\',
    '\\Q',
    '\\E',
  ];
  const more = [
    '{',
    '}',
    '{2}',
    '{0,3}',
    '{9,}',
    '{50}',
    '\\pL',
    '\\p{Han}',
    '\\b',
    '\\d',
    '-',
    '[:alpha:]',
    'ž',
    '🐴',
    '\0',
  ];
  const texts = fc.array(fc.oneof(fc.constantFrom(...pieces, ...more), fc.string({ maxLength: 3 })), { maxLength: 14 });
  fc.assert(
    fc.property(texts, fc.string({ maxLength: 20 }), (parts, name) => {
      const compiled = TopicPattern.compile(parts.join(''));
      if (compiled instanceof TopicPattern) expect(typeof compiled.matches(name)).toBe('boolean');
      else expect(compiled.refused).not.toBe('');
    }),
    { numRuns: 1_500 },
  );
});
