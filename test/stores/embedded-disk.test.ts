/** The embedded store on a real file system, through the portable disk. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SILENT } from '../../src/base/logger.ts';
import { ANY_VERSION } from '../../src/cluster/metadata-store.ts';
import { PortableDisk } from '../../src/runtime/ground/portable-disk.ts';
import { EmbeddedStore, STORE_FILE } from '../../src/stores/embedded.ts';
import { everything, KERNELS } from './kit.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'odradek-store-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function open(): EmbeddedStore {
  return EmbeddedStore.open({
    disk: new PortableDisk(),
    kernels: KERNELS,
    logger: SILENT,
    directory,
    growthBytes: 2000,
  });
}

it('is one file, found again as it was, also after it was written anew', async () => {
  const store = open();
  await store.multi([{ kind: 'create', path: '/a', data: 'first' }]);
  for (let i = 0; i < 50; i++) {
    await store.multi([{ kind: 'set', path: '/a', data: `${i} ${'x'.repeat(100)}`, version: ANY_VERSION }]);
  }
  const before = await everything(store);
  await store.close();
  expect(readdirSync(directory)).toEqual([STORE_FILE]);
  const again = open();
  expect(await everything(again)).toEqual(before);
  expect(await again.read('/a')).toMatchObject({ version: 50 });
  await again.close();
});
