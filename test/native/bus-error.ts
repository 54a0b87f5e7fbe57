/** Has a map, so the addon watches bus errors, and then gets one that has nothing to do with it. */
import { writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Native, OPEN_READ } from '../../src/runtime/ground/native.ts';

const native = createRequire(import.meta.url)('../../build/Release/addon.node') as Native;
const path = process.argv[2] as string;
writeFileSync(path, new Uint8Array(8));
const map = native.map(native.open(path, OPEN_READ), 8);
if (native.searchOffset(map, 1, 0) === 0) writeSync(1, 'mapped\n');
process.kill(process.pid, 'SIGBUS');
setTimeout(() => {}, 10_000);
