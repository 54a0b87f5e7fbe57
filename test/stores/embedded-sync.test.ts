/** A sync of the store's file or directory that fails ends its process; the next one builds on nothing that is not on the disk. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { ANY_VERSION, type StoreWrite } from '../../src/cluster/metadata-store.ts';
import { encodeMulti, StoreFile } from '../../src/stores/embedded-file.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { KERNELS } from './kit.ts';

const PATH = '/data/store';

const SMALL = 300;
/** A file that grows no further is begun anew for one reason only: what the last process left. */
const LARGE = 1_048_576;

const open = (disk: SimulatedDisk, growthBytes: number) => new StoreFile(disk, KERNELS, '/data', PATH, growthBytes);

function write(store: StoreFile, write: StoreWrite): void {
  expect(store.write([write], encodeMulti(store.session, [write])).result.done).toBe(true);
  store.commit();
}

const set = (store: StoreFile, data: string) => write(store, { kind: 'set', path: '/a', data, version: ANY_VERSION });

for (const operation of ['sync', 'syncDirectory']) {
  test(`${operation} fails, the process ends, the next one promises, and power goes`, () => {
    for (let seed = 1; seed <= 30; seed++) {
      const disk = new SimulatedDisk();
      disk.makeDirectory('/data');
      disk.syncDirectory('/');
      const first = open(disk, SMALL);
      write(first, { kind: 'create', path: '/a', data: 'x' });
      set(first, 'before');
      disk.fault = (called) => (called === operation ? 'EIO' : null);
      // Until it is written anew, at the latest.
      expect(() => {
        for (let i = 0; i < 20; i++) set(first, `lost ${i}`);
      }).toThrow('EIO');
      disk.fault = null;
      disk.kill();
      const second = open(disk, LARGE);
      const found = second.tree.read('/a')?.data as string;
      set(second, `${found} promised`);
      disk.crash(new SeededRandom(seed));
      expect(open(disk, LARGE).tree.read('/a')?.data).toBe(`${found} promised`);
    }
  });
}
