/** Searches an index until its file is cut short; ends well when the search says so. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { type Native, OPEN_READ } from '../../src/runtime/ground/native.ts';

const native = createRequire(import.meta.url)('../../build/Release/addon.node') as Native;
const { path, entries } = workerData as { path: string; entries: number };
const file = native.open(path, OPEN_READ);
const map = native.map(file, entries * 8);
native.close(file);
parentPort?.postMessage('searching');
let slot = 0;
for (let i = 0; slot >= 0; i = (i + 1) % entries) {
  slot = native.searchOffset(map, entries, i * 10);
  if (slot >= 0 && slot !== i) throw new Error(`found ${slot} for ${i}`);
}
if (slot !== -5) throw new Error(`ended with ${slot}`);
