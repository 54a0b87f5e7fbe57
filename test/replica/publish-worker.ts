/** Publishes readings whose numbers all follow from one, as fast as it can, until told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { PublishedPartitions } from '../../src/replica/published.ts';
import { viewOf } from './views.ts';

export interface PublishData {
  readonly memory: SharedArrayBuffer;
  readonly stop: SharedArrayBuffer;
  readonly slot: number;
}

const { memory, stop, slot } = workerData as PublishData;
const published = new PublishedPartitions(memory);
const stopped = new Int32Array(stop);
let n = 0;
while (Atomics.load(stopped, 0) === 0) {
  for (let i = 0; i < 100; i++) {
    n = (n + 1) % 1_000_000;
    published.publish(slot, viewOf(n));
  }
}
parentPort?.postMessage(n);
