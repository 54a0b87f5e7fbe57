/** A processor that comes has the memory of the one that had its name before: however often pools change, there is no more of it. */
import { expect, test } from 'vitest';
import { parseSettings } from '../../src/config/settings.ts';
import type { Crew } from '../../src/host/crew.ts';
import { groupSettings } from '../../src/host/groups.ts';
import { processorLimits } from '../../src/host/limits.ts';
import type { PartitionHost } from '../../src/host/partition-host.ts';
import { Pools } from '../../src/host/pools.ts';
import type { RoleMessage } from '../../src/runtime/control.ts';

const { settings } = parseSettings([]);

test('pools that grow and shrink use the same memory again', async () => {
  const hosted: Extract<RoleMessage, { role: 'processor' }>[] = [];
  const places = new Map<string, string>();
  const crew = {
    addThread: async () => {},
    host: async (thread: string, role: RoleMessage) => {
      places.set(role.name, thread);
      if (role.role !== 'processor') return;
      hosted.push(role);
      const descriptors = new Int32Array(role.descriptors);
      expect(descriptors.every((descriptor) => descriptor === -1)).toBe(true);
      descriptors[3] = 17;
    },
    link: async () => {},
    ask: async () => 0,
    retire: async (role: string) => void places.delete(role),
    threadOf: (role: string) => places.get(role),
    rolesOn: (thread: string) => [...places.keys()].filter((role) => places.get(role) === thread),
    removeThread: async () => {},
  };
  const host = { spread: async () => {}, processors: [], handlers: [] };
  const pools = new Pools({
    crew: crew as unknown as Crew,
    portable: false,
    limits: processorLimits(settings, []),
    queuedBytesMax: settings.queuedMaxRequestBytes,
    groupCommit: false,
    fullValidation: false,
    retentionCheckMs: 1_000,
    checkpointMs: 1_000,
    filesMax: 64,
    groups: groupSettings(settings),
    groupExpiryCheckMs: 1_000,
    seed: () => 1,
    image: () => ({ clusterId: 'c', changes: [] }),
    routes: () => [],
  });
  await pools.start([{ name: 'loop-0', roles: ['a0', 'p0', 'h0'] }]);
  for (let turn = 0; turn < 5; turn++) {
    for (const size of [4, 1]) {
      await pools.resize(size, size, host as unknown as PartitionHost, (work) => work());
    }
  }
  expect(hosted.map(({ name }) => name)).toHaveLength(1 + 5 * 3);
  expect(new Set(hosted.map(({ intake }) => intake)).size).toBe(4);
  expect(new Set(hosted.map(({ descriptors }) => descriptors)).size).toBe(4);
});
