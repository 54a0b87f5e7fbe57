import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import type { StoreWrite } from '../../src/cluster/metadata-store.ts';
import { ANY_VERSION, StoreError } from '../../src/cluster/metadata-store.ts';
import { STORE_FILE } from '../../src/stores/embedded.ts';
import { BODY_BYTES_MAX, JournalDamaged } from '../../src/stores/journal.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { DIRECTORY, everything, openStore } from './kit.ts';
import { TearingDisk } from './tearing-disk.ts';

const PATH = `${DIRECTORY}/${STORE_FILE}`;

function create(path: string, data = '', ephemeral = false): StoreWrite {
  return { kind: 'create', path, data, ephemeral };
}

function set(path: string, data: string, version = ANY_VERSION): StoreWrite {
  return { kind: 'set', path, data, version };
}

function remove(path: string, version = ANY_VERSION): StoreWrite {
  return { kind: 'delete', path, version };
}

function check(path: string, version: number): StoreWrite {
  return { kind: 'check', path, version };
}

function newDisk(): TearingDisk {
  return new TearingDisk(new SeededRandom(1), DIRECTORY);
}

// A file that is not read back is all topics lost, and no entry above its limit is.
it('writes a tree of any size anew, and reads it', async () => {
  const disk = new SimulatedDisk();
  disk.makeDirectory(DIRECTORY);
  const data = 'x'.repeat(6_000_000);
  const nodes = Array.from({ length: 12 }, (_, index) => `/node-${index}`);
  const bytes = nodes.length * data.length;
  expect(bytes).toBeGreaterThan(BODY_BYTES_MAX);
  // The last of them makes the file too long, and what is written then is all of the tree.
  const store = openStore(disk, bytes - data.length / 2);
  for (const path of nodes) expect(await store.multi([create(path, data)])).toMatchObject({ done: true });
  await store.close();
  const again = openStore(disk);
  for (const path of nodes) expect((await again.read(path))?.data.length).toBe(data.length);
});

describe('multi', () => {
  it('creates, sets and deletes with versions', async () => {
    const store = openStore(newDisk());
    expect(await store.multi([create('/a', 'one'), create('/a/b', 'two')])).toMatchObject({ done: true });
    expect(await store.read('/a')).toMatchObject({ data: 'one', version: 0, owner: 0 });
    expect(await store.multi([set('/a', 'three', 0), check('/a', 1)])).toMatchObject({ done: true });
    expect(await store.read('/a')).toMatchObject({ data: 'three', version: 1 });
    expect(await store.children('/a')).toEqual(['b']);
    expect(await store.multi([remove('/a/b', 0)])).toMatchObject({ done: true });
    expect(await store.children('/a')).toEqual([]);
    expect(await store.read('/a/b')).toBeNull();
    expect(await store.children('/a/b')).toBeNull();
  });

  it.each<[string, StoreWrite, string]>([
    ['a node that is there', create('/a'), 'exists'],
    ['a node without a parent', create('/x/y'), 'missing'],
    ['a child of an ephemeral node', create('/e/y'), 'ephemeral-parent'],
    ['a set of nothing', set('/x', ''), 'missing'],
    ['a set at another version', set('/a', '', 3), 'version'],
    ['a check at another version', check('/a', 0), 'version'],
    ['a check of nothing', check('/x', 0), 'missing'],
    ['a deletion of nothing', remove('/x'), 'missing'],
    ['a deletion at another version', remove('/a/b', 1), 'version'],
    ['a deletion of a parent', remove('/a'), 'children'],
  ])('refuses %s and leaves nothing of the multi', async (_, bad, conflict) => {
    const disk = newDisk();
    const store = openStore(disk);
    await store.multi([create('/a', 'one'), create('/a/b', 'two'), create('/e', '', true)]);
    const before = await everything(store);
    const good = [create('/new'), create('/new/child'), set('/a', 'other'), remove('/a/b'), create('/a/b', 'again')];
    expect(await store.multi([...good, bad, create('/late')])).toEqual({ done: false, index: good.length, conflict });
    expect(await everything(store)).toEqual(before);
    disk.crash();
    before.delete('/e');
    expect(await everything(openStore(disk))).toEqual(before);
  });

  it('gives rising transactions, and a node that comes again a higher creation number', async () => {
    const store = openStore(newDisk());
    const first = await store.multi([create('/a')]);
    await store.multi([remove('/a')]);
    const second = await store.multi([create('/a')]);
    expect(second).toEqual({ done: true, transaction: (first as { transaction: number }).transaction + 2 });
    expect((await store.read('/a'))?.created).toBe((second as { transaction: number }).transaction);
  });

  it('makes what is asked in one turn durable with one sync, and checks alone with none', async () => {
    const disk = newDisk();
    const store = openStore(disk);
    const before = disk.syncs;
    await Promise.all([store.multi([create('/a')]), store.multi([create('/b')]), store.read('/a')]);
    expect(disk.syncs).toBe(before + 1);
    expect(await store.multi([check('/a', 0)])).toMatchObject({ done: true });
    expect(disk.syncs).toBe(before + 1);
  });

  it('takes any text as data', async () => {
    const disk = newDisk();
    const store = openStore(disk);
    const data = 'ü "\\ \u0000 \u2028 😀 \ud800';
    await store.multi([create('/a', data)]);
    await store.close();
    expect((await openStore(disk).read('/a'))?.data).toBe(data);
  });

  it('takes a path that is none for a bug of the caller', () => {
    const store = openStore(newDisk());
    for (const path of ['', 'a', '/a/', '//a', '/a/../b', '/.']) {
      expect(() => store.multi([create(path)]), path).toThrow('not a path');
      expect(() => store.read(path), path).toThrow('not a path');
    }
    expect(() => store.multi([remove('/')])).toThrow('not a path');
  });
});

describe('watches', () => {
  it('tell of data and children, once for each multi, and stop when asked to', async () => {
    const store = openStore(newDisk());
    const told: string[] = [];
    const stop = store.watch('/a', 'data', () => told.push('data'));
    store.watch('/a', 'children', () => told.push('children'));
    await store.multi([create('/a')]);
    expect(told).toEqual(['data']);
    await store.multi([create('/a/1'), create('/a/2'), set('/a', 'x')]);
    expect(told.sort()).toEqual(['children', 'data', 'data']);
    await store.multi([set('/a/1', 'x')]);
    await store.multi([set('/a', 'y'), create('/a')]);
    expect(told).toHaveLength(3);
    stop();
    await store.multi([remove('/a/1'), remove('/a/2'), remove('/a')]);
    expect(told.sort()).toEqual(['children', 'children', 'data', 'data']);
  });

  it('tell before a read shows the change', async () => {
    const store = openStore(newDisk());
    const seen: string[] = [];
    store.watch('/a', 'data', () => seen.push('told'));
    const done = store.multi([create('/a', 'x')]);
    const read = store.read('/a').then((node) => seen.push(`read ${node?.data}`));
    await Promise.all([done, read]);
    expect(seen).toEqual(['told', 'read x']);
  });
});

describe('sessions', () => {
  it('lose their ephemeral nodes at the end, and to the next session after a crash', async () => {
    const disk = newDisk();
    const first = openStore(disk);
    await first.multi([create('/stays'), create('/goes', '', true)]);
    expect((await first.read('/goes'))?.owner).toBe(first.session.id);
    disk.crash();
    const second = openStore(disk);
    expect(second.session.fencingToken).toBeGreaterThan(first.session.fencingToken);
    expect(await second.children('/')).toEqual(['stays']);
    await second.multi([create('/goes', '', true)]);
    let told = 0;
    second.watch('/goes', 'data', () => {
      told += 1;
    });
    await second.close();
    expect(told).toBe(1);
    expect(second.session.expired).toBe(true);
    await expect(second.read('/')).rejects.toThrow(StoreError);
    expect(disk.openDescriptors).toBe(0);
    expect(await openStore(disk).children('/')).toEqual(['stays']);
  });

  it('have rising tokens, also when nothing is written in them', () => {
    const disk = newDisk();
    const tokens = Array.from({ length: 4 }, () => {
      disk.crash();
      return openStore(disk).session.fencingToken;
    });
    expect(tokens).toEqual(Array.from(new Set(tokens)).sort((a, b) => a - b));
    expect(tokens).toHaveLength(4);
  });

  it('expire when the disk fails, and everything is refused from then on', async () => {
    const disk = newDisk();
    const store = openStore(disk);
    await store.multi([create('/a')]);
    const reasons: string[] = [];
    store.session.onExpired((reason) => reasons.push(reason.message));
    disk.failAt = disk.changes + 2;
    const lost = store.multi([create('/b')]);
    const behind = store.read('/b');
    await expect(lost).rejects.toThrow('EIO');
    await expect(behind).rejects.toThrow('EIO');
    expect(store.session.expired).toBe(true);
    expect(reasons).toHaveLength(1);
    await expect(store.multi([create('/c')])).rejects.toThrow('EIO');
    await store.close();
    expect(disk.openDescriptors).toBe(0);
    disk.crash();
    expect(await openStore(disk).children('/')).not.toContain('c');
  });
});

describe('the file', () => {
  it('is written anew when it has grown, and only then', async () => {
    const disk = newDisk();
    const store = openStore(disk, 2000);
    await store.multi([create('/a')]);
    for (let i = 0; i < 200; i++) await store.multi([set('/a', `value ${i}`)]);
    expect(disk.readFile(PATH)?.length).toBeLessThan(3000);
    const before = await everything(store);
    await store.close();
    expect(disk.list(DIRECTORY)).toEqual([STORE_FILE]);
    expect(await everything(openStore(disk, 2000))).toEqual(before);
    expect(before.get('/a')).toMatchObject({ data: 'value 199', version: 200 });
  });

  it('keeps many nodes through a snapshot of several entries', async () => {
    const disk = newDisk();
    const store = openStore(disk, 1);
    const names = Array.from({ length: 12_000 }, (_, i) => `n${i}`);
    await store.multi([create('/many'), ...names.map((name) => create(`/many/${name}`, name))]);
    await store.multi([set('/many', 'x'.repeat(1_500_000))]);
    const before = await everything(store);
    await store.close();
    expect(disk.readFile(PATH)?.length).toBeLessThan(3_000_000);
    expect(await everything(openStore(disk))).toEqual(before);
  });

  it('is not opened when a byte of what was acknowledged has changed', async () => {
    const disk = newDisk();
    const store = openStore(disk);
    for (const name of ['a', 'b', 'c']) await store.multi([create(`/${name}`, 'data')]);
    const whole = disk.readFile(PATH) as Uint8Array;
    const lastEntry = new TextDecoder('latin1').decode(whole).lastIndexOf('ODRJ');
    for (let at = 0; at < lastEntry; at++) {
      disk.damage(PATH, at);
      expect(() => openStore(disk), `byte ${at}`).toThrow(JournalDamaged);
      disk.damage(PATH, at);
    }
    expect(await openStore(disk).children('/')).toEqual(['a', 'b', 'c']);
  });

  it('is begun on a clean sheet when an earlier beginning was not finished', async () => {
    const disk = newDisk();
    const store = openStore(disk);
    await store.multi([create('/old', 'x'.repeat(5000))]);
    await store.close();
    const file = disk.bytesOf(PATH);
    const fresh = newDisk();
    fresh.put(`${PATH}.tmp`, file);
    const next = openStore(fresh);
    expect(await next.children('/')).toEqual([]);
    await next.close();
    expect(fresh.list(DIRECTORY)).toEqual([STORE_FILE]);
    expect(fresh.bytesOf(PATH).length).toBeLessThan(300);
  });

  it('does not take up again what was cut from its end', async () => {
    const disk = newDisk();
    const store = openStore(disk);
    await store.multi([create('/a'), create('/b'), create('/c')]);
    const before = disk.readFile(PATH) as Uint8Array;
    await Promise.all(['/a', '/b', '/c'].map((path) => store.multi([set(path, 'x'.repeat(200))])));
    const lost = disk.readFile(PATH) as Uint8Array;
    const third = new TextDecoder('latin1').decode(lost).lastIndexOf('ODRJ');
    disk.damage(PATH, before.length);

    const next = openStore(disk);
    expect(await next.read('/c')).toMatchObject({ data: '', version: 0 });
    const session = disk.readFile(PATH)?.length as number;
    await next.multi([set('/a', '')]);
    const empty = (disk.readFile(PATH)?.length as number) - session;
    await next.close();
    // The same once more, with a multi that ends exactly where the third entry of the lost batch begins.
    const again = newDisk();
    again.put(PATH, lost);
    again.damage(PATH, before.length);
    const last = openStore(again);
    await last.multi([set('/a', 'y'.repeat(third - session - empty))]);
    expect(again.readFile(PATH)).toHaveLength(third);
    await last.close();
    const contents = await everything(openStore(again));
    expect(contents.get('/c')).toMatchObject({ data: '', version: 0 });
    expect(contents.get('/a')).toMatchObject({ version: 1 });
  });

  it('is not opened when it is something else', () => {
    const disk = newDisk();
    disk.put(PATH, new TextEncoder().encode('something else'));
    expect(() => openStore(disk)).toThrow('is no metadata store');
  });
});
