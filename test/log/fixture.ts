/** Logs for tests: an environment over a disk, batches as producers make them, and short segments. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { PortableKernels } from '../../src/base/portable-kernels.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/config.ts';
import type { Disk } from '../../src/log/disk.ts';
import type { LogEnvironment } from '../../src/log/environment.ts';
import { FileCache } from '../../src/log/files.ts';
import { FileTable } from '../../src/log/leases.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { encodeBatch, type NewBatch } from '../../src/wire/records.ts';

export const kernels = new PortableKernels();
/** Seconds and milliseconds that are easy to tell apart. */
export const NOW = 1_700_000_000_000;
export const DIRECTORY = '/data/orders-0';

export interface TestEnvironment extends LogEnvironment {
  readonly table: FileTable;
}

export function environment(disk: Disk, filesMax = 64, seed = 1): TestEnvironment {
  const slots = 256;
  const table = new FileTable(new Int32Array(FileTable.memory(slots)), 0, slots);
  return {
    disk,
    table,
    files: new FileCache(disk, table, filesMax),
    kernels,
    random: new SeededRandom(seed),
    scratch: memoryOver(new Uint8Array(65_536)),
    decompress: (codec, memory, offset, length) => {
      if (codec !== CODEC.GZIP) throw new Error(`codec ${codec}`);
      return gunzipSync(memory.bytes.subarray(offset, offset + length));
    },
  };
}

export function config(changes: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, segmentIndexBytes: 4_096, ...changes };
}

export interface BatchSpec extends Omit<NewBatch, 'records'> {
  readonly count?: number;
  readonly valueBytes?: number;
  readonly timestamp?: number;
  readonly gzip?: boolean;
}

/** `count` records with rising timestamps; the value of each begins with its number. */
export function batchOf({
  count = 1,
  valueBytes = 10,
  timestamp = NOW,
  gzip = false,
  ...spec
}: BatchSpec = {}): Memory {
  const records = Array.from({ length: count }, (_, index) => ({
    timestamp: timestamp + index,
    key: Uint8Array.of(index & 0xff),
    value: new Uint8Array(valueBytes).fill(index & 0xff),
  }));
  const compression = gzip
    ? { codec: CODEC.GZIP, compress: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)) }
    : {};
  return memoryOver(encodeBatch({ ...spec, ...compression, records }, kernels));
}
