/**
 * Writing in order against writing at random on this disk, and against memory at random: through the gathered write that
 * the broker appends with, into the page cache, with a sync at the end, with a sync after every write; and past the page cache.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pieces } from '../src/base/memory.ts';
import { loadAddon } from '../src/runtime/ground/addon.ts';
import type { Native } from '../src/runtime/ground/native.ts';
import { NativeDisk, nativeMemory } from '../src/runtime/ground/native-disk.ts';
import { DirectWriting } from './kit/direct-writing.ts';
import { expectRoom, inDirectory } from './kit/directory.ts';
import { byTurns, type Round, type Rounds, type Way } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Column, type Table, tableOf } from './kit/table.ts';

const BLOCKS = [512, 4096, 64 << 10, 1 << 20];
/** What a disk takes past the page cache, everywhere. */
const DIRECT_BLOCKS = BLOCKS.slice(1);
const ROUNDS = 5;
const QUICK_ROUNDS = 1;

interface Amounts {
  /** Of the file written in place, and of the memory; a power of two. */
  readonly areaBytes: number;
  readonly cachedBytes: number;
  readonly syncedOnceBytes: number;
  readonly syncedEachWrites: number;
}

const AMOUNTS: Amounts = {
  areaBytes: 1 << 30,
  cachedBytes: 256 << 20,
  syncedOnceBytes: 64 << 20,
  syncedEachWrites: 200,
};
const QUICK_AMOUNTS: Amounts = {
  areaBytes: 64 << 20,
  cachedBytes: 16 << 20,
  syncedOnceBytes: 4 << 20,
  syncedEachWrites: 8,
};

const DIRECT = 'past the page cache (O_DIRECT)';

type Syncing = 'never' | 'once' | 'each';

/** Number `index` of a shuffled 0..count-1; count is a power of two. Every number comes once. */
function shuffled(index: number, count: number): number {
  const mask = count - 1;
  const shift = Math.max(1, (31 - Math.clz32(count)) >> 1);
  let value = index & mask;
  for (let turn = 0; turn < 3; turn++) {
    value = Math.imul(value, 0x9e3779b1) & mask;
    value ^= value >>> shift;
  }
  return value;
}

class Writing {
  readonly #disk: NativeDisk;
  readonly #native: Native;
  readonly #directory: string;
  readonly #amounts: Amounts;
  readonly #pieces = new Pieces();
  readonly #block;
  readonly #area;
  readonly #inPlace: number;
  /** Blocks written in place so far: each round goes on where the last one ended. */
  #written = 0;

  constructor(native: Native, directory: string, amounts: Amounts) {
    this.#native = native;
    this.#disk = new NativeDisk(native);
    this.#directory = directory;
    this.#amounts = amounts;
    this.#block = nativeMemory(native, new Uint8Array(new SharedArrayBuffer(1 << 20)));
    this.#area = nativeMemory(native, new Uint8Array(new SharedArrayBuffer(amounts.areaBytes)));
    for (let at = 0; at < this.#block.bytes.length; at++) this.#block.bytes[at] = (at * 2654435761) >>> 24;
    this.#inPlace = this.#disk.open(join(directory, 'in-place'), 'create');
    for (let at = 0; at < amounts.areaBytes; at += 1 << 20) {
      this.#write(this.#inPlace, at, 1 << 20);
      this.#native.move(this.#area.id, at, this.#block.id, 0, 1 << 20);
    }
    this.#disk.sync(this.#inPlace);
  }

  /** MB/s of appending to a file that is not there yet. */
  append(block: number, syncing: Syncing): Round {
    const path = join(this.#directory, 'append');
    const file = this.#disk.open(path, 'create');
    const round = this.#run(file, block, syncing, (index) => index * block);
    this.#disk.close(file);
    rmSync(path);
    return round;
  }

  /** MB/s of writing over what stands in a file. */
  overwrite(block: number, syncing: Syncing, random: boolean): Round {
    const count = this.#amounts.areaBytes / block;
    const first = this.#written;
    const place = random
      ? (index: number) => shuffled(first + index, count) * block
      : (index: number) => ((first + index) % count) * block;
    const round = this.#run(this.#inPlace, block, syncing, place);
    this.#written += this.#writes(block, syncing);
    // What is still to be written back must not fall into the next one's time.
    this.#disk.sync(this.#inPlace);
    return round;
  }

  memory(block: number, random: boolean): Round {
    const count = this.#amounts.areaBytes / block;
    const writes = this.#writes(block, 'never');
    const first = this.#written;
    this.#written += writes;
    const startMs = performance.now();
    for (let index = first; index < first + writes; index++) {
      const at = (random ? shuffled(index, count) : index % count) * block;
      this.#native.move(this.#area.id, at, this.#block.id, 0, block);
    }
    return { rate: (writes * block) / 1e3 / (performance.now() - startMs) };
  }

  close(): void {
    this.#disk.close(this.#inPlace);
    for (const { id } of [this.#block, this.#area]) this.#native.unregister(id);
  }

  #run(file: number, block: number, syncing: Syncing, place: (index: number) => number): Round {
    const { cachedBytes, syncedOnceBytes, syncedEachWrites } = this.#amounts;
    const writes = syncing === 'each' ? syncedEachWrites : (syncing === 'once' ? syncedOnceBytes : cachedBytes) / block;
    const startMs = performance.now();
    for (let index = 0; index < writes; index++) {
      this.#write(file, place(index), block);
      if (syncing === 'each') this.#disk.sync(file);
    }
    if (syncing === 'once') this.#disk.sync(file);
    return { rate: (writes * block) / 1e3 / (performance.now() - startMs) };
  }

  #writes(block: number, syncing: Syncing): number {
    const { cachedBytes, syncedOnceBytes, syncedEachWrites } = this.#amounts;
    if (syncing === 'each') return syncedEachWrites;
    return (syncing === 'once' ? syncedOnceBytes : cachedBytes) / block;
  }

  #write(file: number, position: number, bytes: number): void {
    this.#pieces.clear();
    this.#pieces.add(this.#block, 0, bytes);
    this.#disk.write(file, position, this.#pieces);
  }
}

const PATTERNS = ['append', 'in order', 'at random'] as const;
const FILE_COLUMNS: readonly Column[] = [
  { name: 'append', unit: 'MB/s' },
  { name: 'in place, in order', unit: 'MB/s' },
  { name: 'in place, at random', unit: 'MB/s' },
  { name: 'append ÷ at random', unit: '' },
];
const MEMORY_COLUMNS: readonly Column[] = [
  { name: 'memory, in order', unit: 'MB/s' },
  { name: 'memory, at random', unit: 'MB/s' },
  { name: 'append ÷ memory at random', unit: '' },
];

function fileWays(writing: Writing, block: number, syncing: Syncing): Way[] {
  return PATTERNS.map((pattern) => ({
    name: `${block} ${pattern}`,
    round: () =>
      pattern === 'append'
        ? writing.append(block, syncing)
        : writing.overwrite(block, syncing, pattern === 'at random'),
  }));
}

function memoryWays(writing: Writing, block: number): Way[] {
  return [false, true].map((random) => ({
    name: `${block} memory ${random ? 'at random' : 'in order'}`,
    round: () => writing.memory(block, random),
  }));
}

/** Null where the file system does not do it. */
async function measureDirect(directory: string, amounts: Amounts, options: SuiteOptions): Promise<Table | null> {
  const { areaBytes, syncedOnceBytes } = amounts;
  const writing = DirectWriting.open(join(directory, 'direct'), areaBytes, syncedOnceBytes, shuffled);
  if (writing === null) return null;
  const lines = [];
  for (const block of DIRECT_BLOCKS) {
    const ways = PATTERNS.map((pattern) => ({
      name: `${block} ${pattern}`,
      round: () => (pattern === 'append' ? writing.append(block) : writing.overwrite(block, pattern === 'at random')),
    }));
    const rounds = await byTurns(ways, options.quick ? QUICK_ROUNDS : ROUNDS, options);
    lines.push({ name: blockName(block), values: fileFigures(rounds, block) });
  }
  writing.close();
  return tableOf(DIRECT, FILE_COLUMNS, lines);
}

function blockName(block: number): string {
  return block < 1024 ? `writes of ${block} B` : `writes of ${block / 1024} KiB`;
}

function fileFigures(rounds: Rounds, block: number) {
  return [
    ...PATTERNS.map((pattern) => rounds.spread(`${block} ${pattern}`, 'rate')),
    rounds.ratio(`${block} append`, `${block} at random`, 'rate'),
  ];
}

function memoryFigures(rounds: Rounds, block: number) {
  return [
    rounds.spread(`${block} memory in order`, 'rate'),
    rounds.spread(`${block} memory at random`, 'rate'),
    rounds.ratio(`${block} append`, `${block} memory at random`, 'rate'),
  ];
}

async function measure(writing: Writing, title: string, syncing: Syncing, options: SuiteOptions): Promise<Table> {
  const withMemory = syncing === 'never';
  const lines = [];
  for (const block of BLOCKS) {
    const ways = [...fileWays(writing, block, syncing), ...(withMemory ? memoryWays(writing, block) : [])];
    const rounds = await byTurns(ways, options.quick ? QUICK_ROUNDS : ROUNDS, options);
    const values = [...fileFigures(rounds, block), ...(withMemory ? memoryFigures(rounds, block) : [])];
    lines.push({ name: blockName(block), values });
  }
  return tableOf(title, [...FILE_COLUMNS, ...(withMemory ? MEMORY_COLUMNS : [])], lines);
}

export const suite: Suite = {
  question: 'writing in order against writing at random: page cache, disk, memory',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    const amounts = options.quick ? QUICK_AMOUNTS : AMOUNTS;
    expectRoom(options.directory, amounts.areaBytes + amounts.cachedBytes);
    return inDirectory(options.directory, async (directory) => {
      const writing = new Writing(native, directory, amounts);
      const tables = [
        await measure(writing, 'page cache', 'never', options),
        await measure(writing, 'one fdatasync at the end', 'once', options),
        await measure(writing, 'fdatasync after every write', 'each', options),
      ];
      writing.close();
      const direct = await measureDirect(directory, amounts, options);
      return direct === null ? tables : [...tables, direct];
    });
  },
};
