/** A thread of the pool with little heap: opens the batch that it is started with. */
import { parentPort, workerData } from 'node:worker_threads';
import { type OpenBatch, openBatch } from '../../src/jobs/open-batch.ts';

parentPort?.postMessage(openBatch(workerData as OpenBatch).error);
