/** The embedded store does what a plain map of paths does, for any sequence of multis, reopenings and crashes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import type { Conflict, StoreWrite } from '../../src/cluster/metadata-store.ts';
import { ANY_VERSION } from '../../src/cluster/metadata-store.ts';
import { DIRECTORY, everything, openStore } from './kit.ts';
import { TearingDisk } from './tearing-disk.ts';

interface ModelNode {
  readonly data: string;
  readonly version: number;
  readonly ephemeral: boolean;
}

class Model {
  nodes = new Map<string, ModelNode>();

  multi(writes: readonly StoreWrite[]): { index: number; conflict: Conflict } | null {
    const next = new Map(this.nodes);
    for (const [index, write] of writes.entries()) {
      const conflict = Model.#write(next, write);
      if (conflict !== null) return { index, conflict };
    }
    this.nodes = next;
    return null;
  }

  newSession(): void {
    this.nodes = new Map(Array.from(this.nodes).filter(([, node]) => !node.ephemeral));
  }

  static #write(nodes: Map<string, ModelNode>, write: StoreWrite): Conflict | null {
    const { path } = write;
    const node = nodes.get(path);
    if (write.kind === 'create') {
      const parent = path.split('/').slice(0, -1).join('/');
      if (node) return 'exists';
      if (parent !== '' && !nodes.has(parent)) return 'missing';
      if (nodes.get(parent)?.ephemeral) return 'ephemeral-parent';
      nodes.set(path, { data: write.data, version: 0, ephemeral: write.ephemeral === true });
      return null;
    }
    if (!node) return 'missing';
    if (write.version !== ANY_VERSION && write.version !== node.version) return 'version';
    if (write.kind === 'set') nodes.set(path, { ...node, data: write.data, version: node.version + 1 });
    if (write.kind === 'delete') {
      if (Array.from(nodes.keys()).some((other) => other.startsWith(`${path}/`))) return 'children';
      nodes.delete(path);
    }
    return null;
  }
}

const path = fc.constantFrom('/a', '/b', '/a/x', '/a/y', '/b/x', '/a/x/1', '/a/x/2');
const version = fc.constantFrom(ANY_VERSION, ANY_VERSION, 0, 1, 2);
const write: fc.Arbitrary<StoreWrite> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('create' as const), path, data: fc.string(), ephemeral: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), path, data: fc.string(), version }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), path, version }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('check' as const), path, version }) },
);
const multi = fc.array(write, { minLength: 1, maxLength: 3 });
const step = fc.oneof(
  { weight: 12, arbitrary: fc.array(multi, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom('close' as const, 'crash' as const) },
);

it('agrees with a map of paths', async () => {
  let done = 0;
  let refused = 0;
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 10, maxLength: 40 }),
    fc.integer(),
    async (steps, seed) => {
      const disk = new TearingDisk(new SeededRandom(seed), DIRECTORY);
      const model = new Model();
      let store = openStore(disk, 1500);
      for (const one of steps) {
        if (one === 'close' || one === 'crash') {
          if (one === 'close') await store.close();
          disk.crash();
          store = openStore(disk, 1500);
          model.newSession();
        } else {
          const results = await Promise.all(one.map((writes) => store.multi(writes)));
          for (const [index, result] of results.entries()) {
            const conflict = model.multi(one[index] as StoreWrite[]);
            if (conflict === null) done += 1;
            else refused += 1;
            expect(result).toMatchObject(conflict === null ? { done: true } : { done: false, ...conflict });
          }
        }
        const seen = await everything(store);
        const view = Array.from(seen, ([at, node]) => [
          at,
          { data: node.data, version: node.version, ephemeral: node.owner !== 0 },
        ]);
        expect(new Map(view as [string, ModelNode][])).toEqual(
          new Map(Array.from(model.nodes).sort(([a], [b]) => (a < b ? -1 : 1))),
        );
      }
    },
  );
  await fc.assert(property, { numRuns: 150 });
  expect(done).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});
