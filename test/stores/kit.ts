/** What the tests of the stores share: how it is opened, and a way to see a whole store. */
import type { Kernels } from '../../src/base/kernels.ts';
import { SILENT } from '../../src/base/logger.ts';
import { PortableKernels } from '../../src/base/portable-kernels.ts';
import type { StoredNode } from '../../src/cluster/metadata-store.ts';
import type { Disk } from '../../src/log/disk.ts';
import { readStore } from '../../src/stores/active-controller.ts';
import { EmbeddedStore } from '../../src/stores/embedded.ts';

export const KERNELS: Kernels = new PortableKernels();
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
