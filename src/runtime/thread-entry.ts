/** The entry of every worker thread but the blocker's, in the real world. */
import { workerData } from 'node:worker_threads';
import { profileUntilExit } from './profile.ts';
import { Thread, type ThreadData } from './thread.ts';
import { realWorld } from './world.ts';

const data = workerData as ThreadData;
if (data.profile !== null) profileUntilExit(data.profile, data.name);
new Thread(data, realWorld(data.kind));
