/** What the tests of the stores share: kernels good enough for a journal, and a way to see a whole store. */
import type { Kernels } from '../../src/base/kernels.ts';
import { SILENT } from '../../src/base/logger.ts';
import type { StoredNode } from '../../src/cluster/metadata-store.ts';
import type { Disk } from '../../src/log/disk.ts';
import { EmbeddedStore } from '../../src/stores/embedded.ts';
import { readStore } from '../../src/stores/office.ts';

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

/** CRC-32C alone: a journal asks for nothing else. */
export const KERNELS: Kernels = {
  crc32c(memory, offset, length, seed = 0) {
    let crc = ~seed;
    for (let i = offset; i < offset + length; i++) {
      crc = (TABLE[(crc ^ (memory.bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
    }
    return ~crc >>> 0;
  },
  move() {
    throw new Error('not asked for here');
  },
  walkRecords() {
    throw new Error('not asked for here');
  },
  walk: { maxTimestampDelta: 0, maxTimestampIndex: 0 },
};

export const DIRECTORY = '/data';

export function openStore(disk: Disk, growthBytes?: number): EmbeddedStore {
  const options = { disk, kernels: KERNELS, logger: SILENT, directory: DIRECTORY };
  return EmbeddedStore.open(growthBytes === undefined ? options : { ...options, growthBytes });
}

/** Paths, data, versions and owners: all that a reader can see. */
export async function everything(store: EmbeddedStore): Promise<Map<string, StoredNode>> {
  const contents = await readStore(store);
  return new Map(Array.from(contents).sort(([a], [b]) => (a < b ? -1 : 1)));
}
