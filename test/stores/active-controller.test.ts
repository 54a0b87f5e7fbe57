/** The controller on the embedded store, on a disk that crashes: what clients were told is what the next process finds. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { SILENT } from '../../src/base/logger.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import type { Change } from '../../src/cluster/changes.ts';
import { apply, changesOf, imageOf } from '../../src/cluster/changes.ts';
import type { MetadataImage } from '../../src/cluster/image.ts';
import { ActiveController } from '../../src/stores/active-controller.ts';
import { DEFAULTS, ENDPOINTS, RULES, topic } from '../cluster/kit.ts';
import { DIRECTORY, openStore } from './kit.ts';
import { TearingDisk } from './tearing-disk.ts';

const CLOCK: Clock = { now: () => 1_700_000_000_000, monotonic: () => 0 };

interface Life {
  readonly controller: ActiveController;
  readonly store: ReturnType<typeof openStore>;
  readonly told: Change[][];
  readonly resignations: Error[];
}

async function live(disk: TearingDisk, random: SeededRandom, clusterId = 'first'): Promise<Life> {
  const store = openStore(disk, 20_000);
  const told: Change[][] = [];
  const resignations: Error[] = [];
  const controller: ActiveController = await ActiveController.start({
    store,
    clock: CLOCK,
    logger: SILENT,
    clusterId,
    brokerId: 1,
    endpoints: ENDPOINTS,
    rack: null,
    random,
    defaults: DEFAULTS,
    topicRules: RULES,
    brokerRules: RULES,
    groupRules: RULES,
    onChanges: (changes, image) => {
      // Whoever takes the image now and the changes from now on misses nothing and gets nothing twice.
      expect(controller.image).toBe(image);
      told.push([...changes]);
    },
    onResigned: (reason) => resignations.push(reason),
  });
  return { controller, store, told, resignations };
}

function create(controller: ActiveController, name: string): Promise<number> {
  const request = { topics: [topic(name, { numPartitions: 2 })], validateOnly: false };
  return controller.ask('createTopics', request).then((answer) => answer.topics[0]?.errorCode as number);
}

describe('the active controller', () => {
  it('starts on an empty store and is found again by the next process', async () => {
    const random = new SeededRandom(1);
    const disk = new TearingDisk(random, DIRECTORY);
    const first = await live(disk, random);
    expect(await create(first.controller, 'a')).toBe(0);
    await first.controller.ask('allocateProducerIds', { brokerId: 1, brokerEpoch: first.controller.broker.epoch });
    const before = first.controller.image;
    await first.store.close();
    const second = await live(disk, random, 'second');
    expect(second.controller.image).toMatchObject({ clusterId: 'first', controllerEpoch: 2, nextProducerId: 1000 });
    expect(second.controller.broker.epoch).toBeGreaterThan(before.brokers.get(1)?.epoch as number);
    expect(second.controller.image.topics.get('a')).toMatchObject({
      id: before.topics.get('a')?.id,
      partitions: [
        { leader: 1, leaderEpoch: 1 },
        { leader: 1, leaderEpoch: 1 },
      ],
    });
    expect(first.resignations).toEqual([]);
  });

  it('tells changes before it answers, in order, and they lead to its image', async () => {
    const random = new SeededRandom(2);
    const { controller, told } = await live(new TearingDisk(random, DIRECTORY), random);
    const start = imageOf('first', changesOf(controller.image));
    const order: string[] = [];
    const names = ['a', 'b', 'c'];
    await Promise.all(
      names.map((name) => create(controller, name).then(() => order.push(`${name} after ${told.length}`))),
    );
    expect(order.map((one) => one[0])).toEqual(names);
    expect(order[2]).toBe('c after 3');
    const followed: MetadataImage = told.reduce((image, changes) => apply(image, changes), start);
    expect(followed).toEqual(controller.image);
  });

  it('answers of two that want the same name at once only one with yes', async () => {
    const random = new SeededRandom(3);
    const { controller } = await live(new TearingDisk(random, DIRECTORY), random);
    expect(await Promise.all([create(controller, 'a'), create(controller, 'a')])).toEqual([0, 36]);
  });

  it('is over when the disk fails: every open request is rejected, and it says so once', async () => {
    const random = new SeededRandom(4);
    const disk = new TearingDisk(random, DIRECTORY);
    const { controller, resignations, told } = await live(disk, random);
    disk.failAt = disk.changes + 1;
    const outcomes = await Promise.allSettled([create(controller, 'a'), create(controller, 'b')]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    await expect(create(controller, 'c')).rejects.toThrow('EIO');
    expect(resignations).toHaveLength(1);
    expect(told).toEqual([]);
    expect(controller.image.topics.size).toBe(0);
  });

  it('keeps every promise over crashes at any call, for 150 seeds', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = new SeededRandom(seed);
      const disk = new TearingDisk(random, DIRECTORY);
      const exists = new Set<string>();
      const unsure = new Set<string>();
      let producerIds = 0;
      for (let round = 0; round < 3; round++) {
        disk.powerOffAt = disk.changes + 5 + random.below(60);
        try {
          const { controller } = await live(disk, random);
          for (const name of exists) if (!unsure.has(name)) expect(controller.image.topics.has(name)).toBe(true);
          for (;;) {
            const name = `t${random.below(8)}`;
            const there = controller.image.topics.has(name);
            unsure.add(name);
            if (there) await controller.ask('deleteTopics', { topics: [{ name, topicId: ZERO_UUID }] });
            else expect(await create(controller, name)).toBe(0);
            if (there) exists.delete(name);
            else exists.add(name);
            unsure.delete(name);
            const brokerEpoch = controller.broker.epoch;
            const block = await controller.ask('allocateProducerIds', { brokerId: 1, brokerEpoch });
            expect(block.producerIdStart, `seed ${seed}`).toBeGreaterThanOrEqual(producerIds);
            producerIds = block.producerIdStart + block.producerIdLen;
          }
        } catch (error) {
          expect(String(error), `seed ${seed}`).toContain('EPOWER');
        }
        disk.crash();
        const { controller, store } = await live(disk, random);
        const found = new Set(controller.image.topics.keys());
        for (const name of found) if (!unsure.has(name)) expect(exists.has(name), `seed ${seed} ${name}`).toBe(true);
        for (const name of exists) if (!unsure.has(name)) expect(found.has(name), `seed ${seed} ${name}`).toBe(true);
        for (const one of controller.image.topics.values()) expect(one.partitions).toHaveLength(2);
        exists.clear();
        for (const name of found) exists.add(name);
        unsure.clear();
        await store.close();
      }
    }
  });
});
