/** The entry of a blocker's thread that looks at a board of faults. */
import { workerData } from 'node:worker_threads';
import { type BlockerData, runBlocker } from '../../../src/runtime/blocker-thread.ts';
import { faultyWorld } from './world.ts';

const data = workerData as BlockerData;
runBlocker(data, faultyWorld(data));
