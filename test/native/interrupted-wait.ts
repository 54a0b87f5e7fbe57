/** Waits for ever for nothing. Exit code 42: the wait ended without an event and without an error. */
import { createRequire } from 'node:module';
import type { Native } from '../../src/runtime/ground/native.ts';

const native = createRequire(import.meta.url)('../../build/Release/addon.node') as Native;
process.on('SIGUSR2', () => {});
const memory = native.register(new Uint8Array(8));
const poll = native.pollCreate();
process.stdout.write('waiting\n', () => {
  process.exitCode = native.pollWait(poll, memory, 0, 1, -1) === 0 ? 42 : 1;
  process.exit();
});
