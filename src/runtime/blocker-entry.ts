/** The entry of the blocker's thread, in the real world. */
import { workerData } from 'node:worker_threads';
import { type BlockerData, runBlocker } from './blocker-thread.ts';
import { profileUntilExit } from './profile.ts';
import { realWorld } from './world.ts';

const data = workerData as BlockerData;
if (data.profile !== null) profileUntilExit(data.profile, data.name);
runBlocker(data, realWorld(data.kind));
