/** How dense an offset index should be: what a lookup in a whole segment costs, against what the index takes and what of the log is gone over. */
import { join } from 'node:path';
import { type Memory, memoryOver } from '../src/base/memory.ts';
import type { Disk } from '../src/log/disk.ts';
import { SCRATCH_BYTES_MIN } from '../src/log/environment.ts';
import { loadAddon } from '../src/runtime/ground/addon.ts';
import type { Native } from '../src/runtime/ground/native.ts';
import { NativeDisk, nativeMemory } from '../src/runtime/ground/native-disk.ts';
import { PortableDisk } from '../src/runtime/ground/portable-disk.ts';
import { inDirectory } from './kit/directory.ts';
import { byTurns } from './kit/rounds.ts';
import { BATCH_BYTES, IndexedSegment, writeLog } from './kit/segment.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { nsEach, targetsBelow } from './kit/targets.ts';

const INTERVALS = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
const ROUNDS = 9;
const QUICK_ROUNDS = 2;

/** The broker's disk, and how much of logs was read through it. */
class CountingDisk extends NativeDisk {
  readBytes = 0;

  override read(file: number, position: number, into: Memory, offset: number, length: number): number {
    const got = super.read(file, position, into, offset, length);
    this.readBytes += got;
    return got;
  }
}

async function densities(native: Native, directory: string, options: SuiteOptions): Promise<Table> {
  const batches = options.quick ? 32 << 10 : 1 << 20;
  const log = join(directory, 'log');
  writeLog(log, batches);
  const disk = new CountingDisk(native);
  const twin = new PortableDisk();
  const scratch = nativeMemory(native, new Uint8Array(new SharedArrayBuffer(SCRATCH_BYTES_MIN)));
  const targets = targetsBelow(batches, options.quick ? 1_000 : 20_000);
  const segments = INTERVALS.map((interval) => {
    const make = (by: Disk, memory: Memory, name: string): IndexedSegment =>
      new IndexedSegment(by, memory, log, join(directory, `${name}-${interval}`), batches, interval);
    const other = make(twin, memoryOver(new Uint8Array(SCRATCH_BYTES_MIN)), 'portable');
    return { interval, own: make(disk, scratch, 'native'), other };
  });
  const ways = segments.flatMap(({ interval, own, other }) => [
    { name: `native ${interval}`, round: () => ({ ns: nsEach(targets, (offset) => void own.find(offset)) }) },
    { name: `portable ${interval}`, round: () => ({ ns: nsEach(targets, (offset) => void other.find(offset)) }) },
  ]);
  const rounds = await byTurns(ways, options.quick ? QUICK_ROUNDS : ROUNDS, options);
  const lines = segments.map(({ interval, own, other }) => {
    disk.readBytes = 0;
    const scanned = Array.from(targets, (offset) => own.scannedBytes(offset));
    const values = [
      rounds.spread(`native ${interval}`, 'ns'),
      rounds.spread(`portable ${interval}`, 'ns'),
      scanned.reduce((sum, bytes) => sum + bytes, 0) / scanned.length,
      Math.max(...scanned),
      interval + BATCH_BYTES,
      disk.readBytes / scanned.length,
      own.indexBytes,
      (own.indexBytes / (batches * BATCH_BYTES)) * 1e6,
    ];
    own.close();
    other.close();
    return { name: `index.interval.bytes ${interval}`, values };
  });
  return tableOf(
    `one lookup of an offset in a segment of ${(batches * BATCH_BYTES) >> 20} MiB, batches of ${BATCH_BYTES} bytes`,
    [
      { name: 'native', unit: 'ns' },
      { name: 'portable', unit: 'ns' },
      { name: 'scanned, mean', unit: 'B' },
      { name: 'scanned, most', unit: 'B' },
      { name: 'interval + batch', unit: 'B' },
      { name: 'read, mean', unit: 'B' },
      { name: 'index', unit: 'B' },
      { name: 'index per GB', unit: 'kB' },
    ],
    lines,
  );
}

export const suite: Suite = {
  question: 'the density of an offset index: cost of a lookup, size, bytes gone over, by index.interval.bytes',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    return inDirectory(options.directory, async (directory) => [await densities(native, directory, options)]);
  },
};
