/** The embedded store against a disk that loses power at any call: what was acknowledged is there, and no multi by half. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import type { StoreWrite } from '../../src/cluster/metadata-store.ts';
import { ANY_VERSION } from '../../src/cluster/metadata-store.ts';
import type { EmbeddedStore } from '../../src/stores/embedded.ts';
import { DIRECTORY, everything, openStore } from './kit.ts';
import { TearingDisk } from './tearing-disk.ts';

const SEEDS = 400;
const ROUNDS = 4;
const GROWTH_BYTES = 3000;

/** A multi that writes the same number to several nodes; with one of them, all must have it. */
function stamp(number: number, random: SeededRandom): StoreWrite[] {
  const data = `${number} ${'x'.repeat(random.below(700))}`;
  return ['/a', '/b', '/c/d'].map((path) => ({ kind: 'set', path, data, version: ANY_VERSION }) as const);
}

async function numberIn(store: EmbeddedStore): Promise<number> {
  const nodes = await Promise.all(['/a', '/b', '/c/d'].map((path) => store.read(path)));
  const data = nodes.map((node) => node?.data);
  expect(new Set(data).size, 'half a multi').toBe(1);
  return data[0] === undefined ? -1 : Number((data[0] as string).split(' ')[0]);
}

describe('a crash at any moment', () => {
  it(`loses nothing acknowledged and shows no half of a multi, for ${SEEDS} seeds`, async () => {
    let crashes = 0;
    let rescued = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new SeededRandom(seed);
      const disk = new TearingDisk(random, DIRECTORY);
      let acknowledged = -1;
      let asked = -1;
      for (let round = 0; round < ROUNDS; round++) {
        disk.powerOffAt = disk.changes + 1 + random.below(40);
        try {
          const store = openStore(disk, GROWTH_BYTES);
          if (acknowledged === -1 && (await store.read('/a')) === null) {
            asked = Math.max(asked, 0);
            const nodes = ['/a', '/b', '/c', '/c/d'];
            await store.multi(nodes.map((path) => ({ kind: 'create', path, data: '0' }) as const));
            acknowledged = 0;
          }
          for (;;) {
            const together = 1 + random.below(4);
            const answers = Array.from({ length: together }, () => {
              asked += 1;
              const number = asked;
              return store.multi(stamp(number, random)).then(() => {
                acknowledged = Math.max(acknowledged, number);
              });
            });
            const outcomes = await Promise.allSettled(answers);
            const lost = outcomes.find((outcome) => outcome.status === 'rejected');
            if (lost !== undefined) throw lost.reason;
          }
        } catch (error) {
          expect(String(error), `seed ${seed}`).toContain('EPOWER');
        }
        crashes += 1;
        disk.crash();
        const store = openStore(disk, GROWTH_BYTES);
        const number = await numberIn(store);
        expect(number, `seed ${seed}`).toBeGreaterThanOrEqual(acknowledged);
        expect(number, `seed ${seed}`).toBeLessThanOrEqual(asked);
        if (number > acknowledged) rescued += 1;
        const seen = await everything(store);
        disk.crash();
        expect(await everything(openStore(disk, GROWTH_BYTES)), `seed ${seed}, opened again`).toEqual(seen);
        acknowledged = number;
      }
    }
    expect(crashes).toBe(SEEDS * ROUNDS);
    // The disk does keep unacknowledged batches now and then: otherwise tearing was not tried.
    expect(rescued).toBeGreaterThan(0);
  });

  it('of a process behind its new file, whose name is not durable yet, takes nothing from the next one', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const disk = new TearingDisk(random, DIRECTORY);
      const first = openStore(disk, GROWTH_BYTES);
      await first.multi([{ kind: 'create', path: '/a', data: 'first' }]);
      const set = (store: EmbeddedStore, data: string) =>
        store.multi([{ kind: 'set', path: '/a', data, version: ANY_VERSION }]);
      const { fault } = disk;
      disk.fault = (operation) => (operation === 'syncDirectory' ? 'EPOWER' : null);
      await expect(Promise.all(Array.from({ length: 9 }, () => set(first, 'x'.repeat(GROWTH_BYTES))))).rejects.toThrow(
        'EPOWER',
      );
      disk.kill();
      disk.fault = fault;
      await set(openStore(disk, GROWTH_BYTES), 'kept');
      disk.crash();
      expect(await openStore(disk, GROWTH_BYTES).read('/a'), `seed ${seed}`).toMatchObject({ data: 'kept' });
    }
  });
});
