import { expect, test } from 'vitest';
import { ERROR, type ErrorName, errorName, errorOf, isRetriable } from '../../src/wire/errors.ts';
import { readGolden } from './golden.ts';

interface Golden {
  readonly code: number;
  readonly name: ErrorName;
  readonly retriable: boolean;
}

const goldens = readGolden<Golden>('errors.jsonl');

test('codes, names and what may be tried again are those of Kafka', () => {
  expect(Object.keys(ERROR).length).toBe(goldens.length);
  for (const { code, name, retriable } of goldens) {
    expect(ERROR[name]).toBe(code);
    expect(errorName(code)).toBe(name);
    expect(isRetriable(code)).toBe(retriable);
    expect(errorOf(code)?.text).toMatch(/^[A-Z].+\.$/);
  }
});

test('a code of nobody', () => {
  expect(errorOf(4711)).toBeNull();
  expect(errorName(4711)).toBe('UNKNOWN_ERROR_CODE(4711)');
  expect(isRetriable(4711)).toBe(false);
});
