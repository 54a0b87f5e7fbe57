/** CRC-32C by size, in the addon and in its TypeScript twin: what a batch's check costs, and from which size a native call pays. */
import { memoryOver } from '../src/base/memory.ts';
import { PortableKernels } from '../src/base/portable-kernels.ts';
import { loadAddon } from '../src/runtime/ground/addon.ts';
import { nativeKernels } from '../src/runtime/ground/native-kernels.ts';
import { type Suite, type Timed, timedSync } from './kit/suite.ts';

const SIZES = [61, 256, 1024, 4096, 16 << 10, 64 << 10, 1 << 20];
const LOOP_BYTES = 1 << 20;

export const suite: Suite = {
  question: 'CRC-32C of a batch: the addon against its TypeScript twin, by size',
  async run(options) {
    const bytes = new Uint8Array(new SharedArrayBuffer(1 << 20));
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 24;
    const native = loadAddon();
    const ways = [
      { name: 'TypeScript', kernels: new PortableKernels(), memory: memoryOver(bytes) },
      ...(native
        ? [{ name: 'native', kernels: nativeKernels(native), memory: memoryOver(bytes, native.register(bytes)) }]
        : []),
    ];
    const tasks: Timed[] = SIZES.flatMap((size) =>
      ways.map(({ name, kernels, memory }) => {
        const operations = Math.max(1, Math.floor(LOOP_BYTES / 8 / size));
        const run = (): number => {
          let sum = 0;
          for (let i = 0; i < operations; i++) sum ^= kernels.crc32c(memory, 0, size);
          return sum;
        };
        return { name: `${size} bytes, ${name}`, operations, bytes: size, run };
      }),
    );
    return timedSync(tasks, options);
  },
};
