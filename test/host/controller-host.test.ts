/** The controller's line: what is asked while others are under way is decided together, and nobody is kept from his turn. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SILENT } from '../../src/base/logger.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { ControllerHost } from '../../src/host/controller-host.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { DEFAULTS, ENDPOINTS, RULES, topic } from '../cluster/kit.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { openStore } from '../stores/kit.ts';

const ASKERS = 8;
const TURNS_MAX = 200;

async function started(published: () => void): Promise<ControllerHost> {
  const disk = new SimulatedDisk();
  disk.makeDirectory('/data');
  return await ControllerHost.start({
    store: openStore(disk),
    clock: { now: () => 0, monotonic: () => 0 },
    logger: SILENT,
    clusterId: 'cluster',
    brokerId: 1,
    endpoints: ENDPOINTS,
    rack: null,
    random: new SeededRandom(1),
    defaults: DEFAULTS,
    topicRules: RULES,
    brokerRules: RULES,
    groupRules: RULES,
    onResigned: (reason) => {
      throw reason;
    },
    // Longer than an asker needs to ask again.
    publish: async () => {
      published();
      for (let i = 0; i < 3; i++) await turn();
    },
  });
}

test('work that wants the floor for itself has it soon, though others ask without end', async () => {
  let published = 0;
  const host = await started(() => (published += 1));
  let going = true;
  let made = 0;
  const ask = async () => {
    while (going) {
      const { topics } = await host.ask('createTopics', { topics: [topic(`t${made++}`)], validateOnly: false });
      expect(topics[0]?.errorCode).toBe(ERROR.NONE);
    }
  };
  // Two crowds that ask by turns: while one's requests are decided the other's come.
  const crowds = [ask()];
  await turn();
  for (let i = 1; i < ASKERS; i++) crowds.push(ask());
  for (let i = 0; i < TURNS_MAX; i++) await turn();
  const before = published;
  let after = -1;
  await host.exclusive(async () => {
    after = published;
  });
  going = false;
  await Promise.all(crowds);
  expect(before).toBeGreaterThan(10);
  expect(after - before).toBeLessThanOrEqual(2);
});

test('who asks meanwhile is decided in one turn', async () => {
  let published = 0;
  const host = await started(() => (published += 1));
  const first = published;
  const asked = Array.from({ length: 40 }, (_, i) =>
    host.ask('createTopics', { topics: [topic(`t${i}`)], validateOnly: false }),
  );
  await Promise.all(asked);
  expect(published - first).toBeLessThanOrEqual(2);
});
