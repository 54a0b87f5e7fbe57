/** A fault of ours in the work for one request: its connection is closed and the error said, the processor goes on. */
import { expect, test } from 'vitest';
import type { MetadataImage } from '../../../src/cluster/image.ts';
import { APPENDED } from '../../../src/runtime/rings/messages.ts';
import { ProcessorBench } from './processor-kit.ts';

function said(bench: ProcessorBench): unknown[] {
  return bench.posted
    .filter((message) => message.kind === 'log' && message.event === 'request.failed')
    .map((message) => (message.kind === 'log' ? message.values : null));
}

test('in a request that is being started', () => {
  const image = new Proxy({} as MetadataImage, {
    get: () => {
      throw new TypeError('the image is gone');
    },
  });
  const bench = new ProcessorBench({ image });
  const [first, second] = [bench.connect(), bench.connect()];
  bench.metadata(first);
  bench.turn();
  expect(said(bench)).toEqual([
    { api: 3, version: 12, why: 'the image is gone', stack: expect.stringContaining('TypeError') },
  ]);
  expect([first.closed, second.closed]).toEqual([1, 0]);
  expect(bench.counter('callsOpen')).toBe(0);
  expect(bench.counter('intakeBlocksHeld')).toBe(0);
  bench.produce(second, [0]);
  bench.turn();
  const [asked] = bench.asked();
  bench.answer(APPENDED, asked?.operation as number, 0, 0);
  bench.turn();
  expect(second.sent.length).toBeGreaterThan(0);
  expect(second.closed).toBe(0);
});

test('in what an owner has answered', () => {
  const bench = new ProcessorBench();
  const [first, second] = [bench.connect(), bench.connect()];
  bench.produce(first, [0]);
  bench.produce(second, [1]);
  bench.turn();
  const [one, other] = bench.asked();
  // A part that nobody has asked for.
  bench.answer(APPENDED, one?.operation as number, 9, 0);
  bench.answer(APPENDED, other?.operation as number, 0, 0);
  bench.turn();
  expect(said(bench)).toMatchObject([{ api: 0, version: 9, why: 'an owner answers a part that was asked {"part":9}' }]);
  expect([first.closed, second.closed]).toEqual([1, 0]);
  expect(second.sent.length).toBeGreaterThan(0);
});

test('in an answer that is being written', () => {
  const bench = new ProcessorBench();
  const [first, second] = [bench.connect(), bench.connect()];
  bench.answers.encode = () => {
    throw new RangeError('an answer without end');
  };
  bench.metadata(first);
  bench.turn();
  expect(bench.posted).toContainEqual({
    kind: 'log',
    level: 'error',
    event: 'answer.unwritable',
    values: expect.objectContaining({ why: 'an answer without end' }),
  });
  expect([first.closed, second.closed]).toEqual([1, 0]);
  expect(bench.counter('callsOpen')).toBe(0);
});

test('an answer that belongs to nothing is no fault of a request: it ends the thread', () => {
  const bench = new ProcessorBench();
  bench.connect();
  bench.answer(APPENDED, 77, 0, 0);
  expect(() => bench.turn()).toThrow('an answer belongs to an open operation {"id":77}');
});
