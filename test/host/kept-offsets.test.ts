/** What main keeps of where logs start: what was promised of one that went out of service since is kept, too. */
import { expect, test } from 'vitest';
import { SILENT } from '../../src/base/logger.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import type { Crew } from '../../src/host/crew.ts';
import { Data } from '../../src/host/data.ts';
import { KeptOffsets } from '../../src/host/kept-offsets.ts';
import { PartitionMap } from '../../src/host/partition-map.ts';
import { newPartitionView, OFFLINE, ONLINE, PublishedPartitions } from '../../src/replica/published.ts';
import { SimulatedDisk } from '../sim/disk.ts';

function bench() {
  const random = new SeededRandom(1);
  const disk = new SimulatedDisk();
  const data = Data.open(['/data'], 1, disk, random, SILENT, null);
  const map = new PartitionMap(1);
  map.handlers = ['h0'];
  const published = new PublishedPartitions(PublishedPartitions.memory());
  const slots = [0, 1].map((partition) => map.add('orders', randomUuid(random), partition, 0).slot);
  const nobody = null as unknown as Crew;
  const kept = new KeptOffsets({ crew: nobody, data, map, published, logger: SILENT, unwritten: () => {} });
  const start = (slot: number, logStartOffset: number, state: number) => {
    published.publish(slot, { ...newPartitionView(), logStartOffset, durableEndOffset: 20 });
    published.setState(slot, state);
  };
  const file = (name: string) => new TextDecoder().decode(disk.bytesOf(`/data/${name}`));
  return { kept, slots, start, file };
}

test('a partition that goes out of service starts where it did, and is scanned from the beginning', () => {
  const { kept, slots, start, file } = bench();
  const [first, second] = slots as [number, number];
  start(first, 5, ONLINE);
  start(second, 7, ONLINE);
  kept.checkpoint();
  start(second, 9, OFFLINE);
  kept.checkpoint();
  expect(file('log-start-offset-checkpoint')).toBe('0\n2\norders 0 5\norders 1 9\n');
  expect(file('recovery-point-offset-checkpoint')).toBe('0\n2\norders 0 20\norders 1 0\n');
});

test('nothing is known of one that was never open', () => {
  const { kept, slots, start, file } = bench();
  start(slots[0] as number, 5, ONLINE);
  kept.checkpoint();
  expect(file('recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 20\n');
});
