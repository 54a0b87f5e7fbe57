/** Uses the addon on a thread and says what came of it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { type Native, OPEN_READ } from '../../src/runtime/ground/native.ts';

const native = createRequire(import.meta.url)('../../build/Release/addon.node') as Native;
const { memory, path, name } = workerData as { memory: SharedArrayBuffer; path: string; name: string };
native.nameThread(`${name} and more`);
const id = native.register(new Uint8Array(memory));
const sum = native.crc32c(id, 0, 4096, 0);
const file = native.open(path, OPEN_READ);
const map = native.map(file, 8);
native.close(file);
parentPort?.postMessage({
  id,
  sum,
  slot: native.searchOffset(map, 1, 0),
  mapped: readFileSync('/proc/self/maps', 'utf8').includes(path),
  name: readFileSync('/proc/thread-self/comm', 'utf8').trim().slice(0, 14),
});
