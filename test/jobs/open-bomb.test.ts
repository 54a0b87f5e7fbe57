/** A few kilobytes that hold a million records: a thread with little heap opens them and numbers them anew. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { OpenBatch } from '../../src/jobs/open-batch.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { compress } from '../../src/wire/compression.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { sealedBatch } from '../kit/records.ts';

const COUNT = 1_200_000;
/** Far less than as many objects take; the bytes of the records lie outside. */
const HEAP_MB = 64;

test('a million records of seven bytes', async () => {
  // Nothing in them but an offset delta of 0, which is wrong in all but the first.
  const smallest = [12, 0, 0, 0, 1, 1, 0];
  const plain = new Uint8Array(COUNT * smallest.length);
  for (let at = 0; at < plain.length; at += smallest.length) plain.set(smallest, at);
  const bomb = sealedBatch(compress(CODEC.GZIP, plain), { codec: CODEC.GZIP, count: COUNT });
  const memory = new SharedArrayBuffer(bomb.length);
  new Uint8Array(memory).set(bomb);
  const opening = { codec: CODEC.ZSTD, level: 3, needKeys: false, bytesMax: 10_000_000, timestamps: null };
  const workerData: OpenBatch = { memory, offset: 0, length: bomb.length, opening };
  const worker = new Worker(new URL('./open-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const [error] = await once(worker, 'message');
  expect(error).toBe(ERROR.NONE);
  await worker.terminate();
}, 120_000);
