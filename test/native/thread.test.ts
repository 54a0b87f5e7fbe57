import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { PortableKernels } from '../../src/base/portable-kernels.ts';
import { describeNative, native, temporaryFolder } from './kit.ts';

const folder = temporaryFolder();

describeNative('threads', () => {
  it('load the addon at once, each with numbers of its own, and leave nothing mapped', async () => {
    const path = join(folder, 'mapped-by-threads');
    writeFileSync(path, new Uint8Array(8));
    const memory = new SharedArrayBuffer(4096);
    new Uint8Array(memory).fill(5);
    const script = new URL('./addon-thread.ts', import.meta.url);
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) => {
          const worker = new Worker(script, { workerData: { memory, path, name: `odradek-test-${i}` } });
          return new Promise((resolve, reject) => {
            let answer: unknown;
            worker.once('message', (message) => {
              answer = message;
            });
            worker.once('error', reject);
            worker.once('exit', () => resolve(answer));
          });
        }),
      );
      const sum = new PortableKernels().crc32c(memoryOver(new Uint8Array(memory)), 0, 4096);
      const expected = { id: 0, sum, slot: 0, mapped: true };
      expect(answers).toEqual(Array.from({ length: 6 }, (_, i) => ({ ...expected, name: `odradek-test-${i}` })));
      expect(readFileSync('/proc/self/maps', 'utf8')).not.toContain(path);
    }
  });

  it('count their processor time', () => {
    const before = native.threadCpuSeconds();
    let sum = 0;
    while (native.threadCpuSeconds() - before < 0.001) sum += Math.sqrt(sum + 1);
    expect(native.threadCpuSeconds()).toBeGreaterThan(before);
    expect(before).toBeLessThan(3600);
  });

  it('name an error number as the kernel does', () => {
    expect([-28, -11, -104, -5, -1].map((result) => native.errorName(result))).toEqual([
      'ENOSPC',
      'EAGAIN',
      'ECONNRESET',
      'EIO',
      'EPERM',
    ]);
    expect(native.errorName(-4000)).toBe('errno 4000');
  });
});
