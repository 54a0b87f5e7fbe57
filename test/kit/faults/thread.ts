/** The entry of a worker thread that looks at a board of faults. */
import { workerData } from 'node:worker_threads';
import { Thread, type ThreadData } from '../../../src/runtime/thread.ts';
import { faultyWorld } from './world.ts';

const data = workerData as ThreadData;
new Thread(data, faultyWorld(data));
