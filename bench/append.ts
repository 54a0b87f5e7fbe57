/**
 * What taking a batch into a partition's log costs a handler's thread, by the size of its records and of the batch:
 * checking it, stamping it, one write. Nothing of connections, rings or requests is in it.
 */
import { join } from 'node:path';
import type { Memory } from '../src/base/memory.ts';
import { SeededRandom } from '../src/base/random.ts';
import { randomUuid } from '../src/base/uuid.ts';
import { DEFAULT_LOG_CONFIG } from '../src/log/config.ts';
import { type LogEnvironment, SCRATCH_BYTES_MIN } from '../src/log/environment.ts';
import { FileCache } from '../src/log/files.ts';
import { FileTable } from '../src/log/leases.ts';
import { PartitionLog } from '../src/log/partition-log.ts';
import type { AppendResult } from '../src/log/validation.ts';
import { loadAddon } from '../src/runtime/ground/addon.ts';
import type { Native } from '../src/runtime/ground/native.ts';
import { NativeDisk, nativeMemory } from '../src/runtime/ground/native-disk.ts';
import { nativeKernels } from '../src/runtime/ground/native-kernels.ts';
import { setBaseOffset } from '../src/wire/batch.ts';
import { encodeBatch } from '../src/wire/records.ts';
import { expectRoom, inDirectory } from './kit/directory.ts';
import { byTurns, type Round, type Way } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';

const RECORD_BYTES = [100, 1024, 10_240];
/** The first is one record. */
const BATCH_BYTES = [0, 16 << 10, 64 << 10, 1_000_000];
const ROUND_BYTES = 128 << 20;
const QUICK_ROUND_BYTES = 4 << 20;
/** A round of single records would be all calls and no bytes. */
const APPENDS_MAX = 50_000;
const ROUNDS = 5;
const NOW = 1_700_000_000_000;
const FILES_MAX = 16;

interface Shape {
  readonly recordBytes: number;
  readonly records: number;
}

const SHAPES: readonly Shape[] = RECORD_BYTES.flatMap((recordBytes) => {
  const counts = BATCH_BYTES.map((bytes) => Math.max(1, Math.floor(bytes / (recordBytes + 12))));
  return [...new Set(counts)].map((records) => ({ recordBytes, records }));
});

function nameOf({ recordBytes, records }: Shape): string {
  return `${records} of ${recordBytes} B`;
}

class Appender {
  readonly #native: Native;
  readonly #environment: LogEnvironment;

  constructor(native: Native) {
    this.#native = native;
    const disk = new NativeDisk(native);
    const table = new FileTable(new Int32Array(FileTable.memory(FILES_MAX)), 0, FILES_MAX);
    this.#environment = {
      disk,
      files: new FileCache(disk, table, FILES_MAX),
      kernels: nativeKernels(native),
      random: new SeededRandom(1),
      scratch: nativeMemory(native, new Uint8Array(new SharedArrayBuffer(SCRATCH_BYTES_MIN))),
      decompress: () => {
        throw new Error('no batch here is compressed');
      },
    };
  }

  batch({ recordBytes, records }: Shape): Memory {
    const value = new Uint8Array(recordBytes).fill(7);
    const list = Array.from({ length: records }, () => ({ timestamp: NOW, key: null, value }));
    const bytes = encodeBatch({ records: list }, this.#environment.kernels);
    const shared = nativeMemory(this.#native, new Uint8Array(new SharedArrayBuffer(bytes.length)));
    shared.bytes.set(bytes);
    return shared;
  }

  /** A log of its own each time, so that none is longer than another. */
  round(directory: string, batch: Memory, records: number, bytes: number): Round {
    const log = PartitionLog.open({
      ...this.#environment,
      directory: join(directory, 'append-0'),
      topic: 'append',
      partition: 0,
      topicId: randomUuid(this.#environment.random),
      config: DEFAULT_LOG_CONFIG,
      now: NOW,
      cleanShutdown: true,
      pageCacheKept: false,
      recoveryPoint: 0,
    });
    const out: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };
    const appends = Math.min(APPENDS_MAX, Math.ceil(bytes / batch.bytes.length));
    const startMs = performance.now();
    const cpuBefore = this.#native.threadCpuSeconds();
    for (let i = 0; i < appends; i++) {
      // As it came from a client: appending has stamped it.
      setBaseOffset(batch.view, 0, 0);
      log.stage(batch, 0, batch.bytes.length, 0, NOW, out, 'client');
      if (out.errorCode !== 0) throw new Error(`append: error ${out.errorCode}`);
      log.write();
    }
    const cpu = this.#native.threadCpuSeconds() - cpuBefore;
    const seconds = (performance.now() - startMs) / 1000;
    log.close();
    this.#environment.files.close();
    const megabytes = (appends * batch.bytes.length) / 1e6;
    return {
      rate: megabytes / seconds,
      records: (appends * records) / seconds,
      cpu: cpu / (megabytes / 1000),
      each: (cpu / appends) * 1e6,
    };
  }
}

async function run(native: Native, options: SuiteOptions) {
  const appender = new Appender(native);
  const bytes = options.quick ? QUICK_ROUND_BYTES : ROUND_BYTES;
  expectRoom(options.directory, bytes * 2);
  const ways = SHAPES.map((shape): Way => {
    const batch = appender.batch(shape);
    return {
      name: nameOf(shape),
      round: () =>
        inDirectory(options.directory, (directory) => appender.round(directory, batch, shape.records, bytes)),
    };
  });
  const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
  const first = nameOf(SHAPES[0] as Shape);
  return [
    tableOf(
      'appending batches to the log of one partition, page cache',
      [
        { name: 'throughput', unit: 'MB/s' },
        { name: '÷ first', unit: '' },
        { name: 'records', unit: '1/s' },
        { name: 'CPU', unit: 's/GB' },
        { name: 'CPU of an append', unit: 'µs' },
      ],
      ways.map(({ name }) => ({
        name,
        values: [
          rounds.spread(name, 'rate'),
          rounds.ratio(name, first, 'rate'),
          ...['records', 'cpu', 'each'].map((figure) => rounds.spread(name, figure)),
        ],
      })),
    ),
  ];
}

export const suite: Suite = {
  question: 'a batch into the log of a partition: MB/s and CPU by record and batch size',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    return run(native, options);
  },
};
