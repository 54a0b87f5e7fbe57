/**
 * What finding an offset costs. In the index alone: the search in a map and its portable twin, for indexes from a thousand
 * entries to a million. In a whole segment: how dense the index is, against what then has to be gone over in the log.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Memory, memoryOver } from '../src/base/memory.ts';
import { OFFSET_ENTRY_BYTES } from '../src/base/portable-kernels.ts';
import { SeededRandom } from '../src/base/random.ts';
import type { Disk } from '../src/log/disk.ts';
import { SCRATCH_BYTES_MIN } from '../src/log/environment.ts';
import { loadAddon } from '../src/runtime/addon.ts';
import type { Native } from '../src/runtime/native.ts';
import { NativeDisk, nativeMemory } from '../src/runtime/native-disk.ts';
import { PortableDisk } from '../src/runtime/portable-disk.ts';
import { inDirectory } from './kit/directory.ts';
import { byTurns, type Way } from './kit/rounds.ts';
import { BATCH_BYTES, IndexedSegment, writeLog } from './kit/segment.ts';
import { linearFit } from './kit/statistics.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';

const ENTRIES = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6];
/** What one indexed batch takes in the log of these indexes. */
const ENTRY_STEP_BYTES = 1000;
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

function targetsBelow(end: number, count: number): Int32Array {
  const random = new SeededRandom(end);
  return Int32Array.from({ length: count }, () => random.below(end));
}

function nsEach(targets: Int32Array, look: (target: number) => void): number {
  const startMs = performance.now();
  for (let i = 0; i < targets.length; i++) look(targets[i] as number);
  return ((performance.now() - startMs) * 1e6) / targets.length;
}

function writeIndex(path: string, entries: number): void {
  const bytes = Buffer.alloc(entries * OFFSET_ENTRY_BYTES);
  for (let i = 0; i < entries; i++) {
    bytes.writeInt32BE(i, i * OFFSET_ENTRY_BYTES);
    bytes.writeInt32BE(i * ENTRY_STEP_BYTES, i * OFFSET_ENTRY_BYTES + 4);
  }
  writeFileSync(path, bytes);
}

function searchWay(name: string, disk: Disk, path: string, entries: number, searches: number): Way {
  const file = disk.open(path, 'read');
  const targets = targetsBelow(entries, searches);
  const look = (target: number): void => {
    const slot = disk.searchIndex(file, 'offset', entries, target);
    if (slot !== target) throw new Error(`${name}: slot ${slot} for key ${target}`);
  };
  return { name: `${name} ${entries}`, round: () => ({ ns: nsEach(targets, look) }) };
}

async function searches(native: Native, directory: string, options: SuiteOptions): Promise<Table[]> {
  const [disk, twin] = [new NativeDisk(native), new PortableDisk()];
  const ways = ENTRIES.flatMap((entries) => {
    const path = join(directory, `${entries}.index`);
    writeIndex(path, entries);
    return [
      searchWay('native', disk, path, entries, options.quick ? 5_000 : 50_000),
      searchWay('portable', twin, path, entries, options.quick ? 500 : 5_000),
    ];
  });
  const rounds = await byTurns(ways, options.quick ? QUICK_ROUNDS : ROUNDS, options);
  const lines = ENTRIES.map((entries) => ({
    name: `${entries} entries`,
    values: [
      rounds.spread(`native ${entries}`, 'ns'),
      rounds.spread(`portable ${entries}`, 'ns'),
      rounds.ratio(`portable ${entries}`, `native ${entries}`, 'ns'),
    ],
  }));
  const fits = ['native', 'portable'].flatMap((name) => {
    const spreads = ENTRIES.map((entries) => rounds.spread(`${name} ${entries}`, 'ns'));
    return (['median', 'min'] as const).map((figure) => {
      const { slope, intercept, determination } = linearFit(
        ENTRIES.map(Math.log2),
        spreads.map((spread) => spread[figure]),
      );
      const values = [slope, intercept, determination];
      return { name: `${name}, ${figure === 'median' ? 'medians' : 'fastest rounds'}`, values };
    });
  });
  return [
    tableOf(
      'one search in an offset index',
      [
        { name: 'native', unit: 'ns' },
        { name: 'portable', unit: 'ns' },
        { name: 'portable ÷ native', unit: '' },
      ],
      lines,
    ),
    tableOf(
      'the straight line through these times over log2 of the entries',
      [
        { name: 'each doubling', unit: 'ns' },
        { name: 'at one entry', unit: 'ns' },
        { name: 'share explained (R²)', unit: '' },
      ],
      fits,
    ),
  ];
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
  question: 'finding an offset: cost over the entries of an index, and over its density',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    return inDirectory(options.directory, async (directory) => [
      ...(await searches(native, directory, options)),
      await densities(native, directory, options),
    ]);
  },
};
