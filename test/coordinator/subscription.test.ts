/** The topics of a consumer's metadata: read from any version, and from bytes that mean nothing without harm. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { subscribedTopics } from '../../src/coordinator/group/consumer-protocol.ts';
import { subscription } from './world.ts';

test('topics are read, whatever stands behind them', () => {
  const bytes = subscription(['orders', 'é']);
  expect(subscribedTopics(bytes)).toEqual(['orders', 'é']);
  const later = new Uint8Array([...bytes, 1, 2, 3]);
  later[1] = 3;
  expect(subscribedTopics(later)).toEqual(['orders', 'é']);
});

test.each([
  ['nothing', []],
  ['a version below zero', [0xff, 0xff, 0, 0, 0, 0]],
  ['no list', [0, 0, 0xff, 0xff, 0xff, 0xff]],
  ['a list longer than the bytes', [0, 0, 0x7f, 0xff, 0xff, 0xff]],
  ['a name longer than the bytes', [0, 0, 0, 0, 0, 1, 0, 9, 65]],
  ['a null name', [0, 0, 0, 0, 0, 1, 0xff, 0xff]],
])('%s is no subscription', (_, bytes) => {
  expect(subscribedTopics(new Uint8Array(bytes))).toBeNull();
});

test('any bytes are taken', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const topics = subscribedTopics(bytes);
      if (topics !== null) expect(topics.length * 2 + 6).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 2000 },
  );
});
