/**
 * What finding an entry of an index costs: the search in a map and its portable twin, for indexes from a thousand entries to a
 * million; again and again, and once in an index that has just been opened and is not in the page cache.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OFFSET_ENTRY_BYTES } from '../src/base/portable-kernels.ts';
import type { Disk } from '../src/log/disk.ts';
import { loadAddon } from '../src/runtime/ground/addon.ts';
import type { Native } from '../src/runtime/ground/native.ts';
import { NativeDisk } from '../src/runtime/ground/native-disk.ts';
import { PortableDisk } from '../src/runtime/ground/portable-disk.ts';
import { inDirectory } from './kit/directory.ts';
import { byTurns, type Way } from './kit/rounds.ts';
import { linearFit } from './kit/statistics.ts';
import { forgetFile } from './kit/stream-sender.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { nsEach, targetsBelow } from './kit/targets.ts';

const ENTRIES = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6];
/** What one indexed batch takes in the log of these indexes. */
const ENTRY_STEP_BYTES = 1000;
const ROUNDS = 9;
const QUICK_ROUNDS = 2;

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

/** One search each round: opening, mapping, and as many pages from the disk as it touches. */
function coldWay(name: string, disk: Disk, path: string, entries: number): Way {
  const targets = targetsBelow(entries, ROUNDS + 1);
  return {
    name: `${name} ${entries}`,
    round(number) {
      forgetFile(path);
      const target = targets[number] as number;
      const faults = process.resourceUsage().majorPageFault;
      const startMs = performance.now();
      const file = disk.open(path, 'read');
      const slot = disk.searchIndex(file, 'offset', entries, target);
      const us = (performance.now() - startMs) * 1000;
      disk.close(file);
      if (slot !== target) throw new Error(`${name}: slot ${slot} for key ${target}`);
      return { us, faults: process.resourceUsage().majorPageFault - faults };
    },
  };
}

async function coldSearches(native: Native, directory: string, options: SuiteOptions): Promise<Table> {
  const [disk, twin] = [new NativeDisk(native), new PortableDisk()];
  const ways = ENTRIES.flatMap((entries) => {
    // A file that is mapped stays in the page cache: these are never open between two rounds.
    const path = join(directory, `${entries}-cold.index`);
    writeIndex(path, entries);
    return [coldWay('native', disk, path, entries), coldWay('portable', twin, path, entries)];
  });
  const rounds = await byTurns(ways, options.quick ? QUICK_ROUNDS : ROUNDS, options);
  return tableOf(
    'the first search in an index that is not in the page cache, its opening included',
    [
      { name: 'native', unit: 'µs' },
      { name: 'portable', unit: 'µs' },
      { name: 'portable ÷ native', unit: '' },
      { name: 'major page faults, native', unit: '' },
    ],
    ENTRIES.map((entries) => ({
      name: `${entries} entries`,
      values: [
        rounds.spread(`native ${entries}`, 'us'),
        rounds.spread(`portable ${entries}`, 'us'),
        rounds.ratio(`portable ${entries}`, `native ${entries}`, 'us'),
        rounds.spread(`native ${entries}`, 'faults'),
      ],
    })),
  );
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

export const suite: Suite = {
  question: 'finding an offset in an index of a thousand to a million entries: native map against TypeScript',
  async run(options) {
    const native = loadAddon();
    if (native === null) throw new Error('this bench needs the addon');
    return inDirectory(options.directory, async (directory) => [
      ...(await searches(native, directory, options)),
      await coldSearches(native, directory, options),
    ]);
  },
};
