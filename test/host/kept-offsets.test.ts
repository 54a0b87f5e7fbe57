/** What main keeps of where logs start: what was promised of one that went out of service since is kept, too. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SILENT } from '../../src/base/logger.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import type { Crew } from '../../src/host/crew.ts';
import { type ClosedPartition, Data } from '../../src/host/data.ts';
import { KeptOffsets } from '../../src/host/kept-offsets.ts';
import { PartitionMap } from '../../src/host/partition-map.ts';
import { newPartitionView, OFFLINE, ONLINE, PublishedPartitions } from '../../src/replica/published.ts';
import type { ControlMessage } from '../../src/runtime/control.ts';
import { SimulatedDisk } from '../sim/disk.ts';

function bench() {
  const random = new SeededRandom(1);
  const disk = new SimulatedDisk();
  const data = Data.open(['/data'], 1, disk, random, SILENT, null);
  const map = new PartitionMap(1);
  map.handlers = ['h0'];
  const published = new PublishedPartitions(PublishedPartitions.memory());
  const slots = [0, 1].map((partition) => map.add('orders', randomUuid(random), partition, 0).slot);
  const said: ControlMessage[] = [];
  /** What handlers say of their logs when they close them. */
  const closed: ClosedPartition[] = [];
  const crew: Pick<Crew, 'ask'> = {
    async ask(_name, message) {
      said.push(message);
      return closed;
    },
  };
  const kept = new KeptOffsets({ crew: crew as Crew, data, map, published, logger: SILENT, unwritten: () => {} });
  const start = (slot: number, logStartOffset: number, state: number) => {
    published.publish(slot, { ...newPartitionView(), logStartOffset, durableEndOffset: 20 });
    published.setState(slot, state);
  };
  const file = (name: string) => new TextDecoder().decode(disk.bytesOf(`/data/${name}`));
  return { kept, slots, start, file, data, said, closed };
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

test('a start is promised when it is on disk, and not in a directory that has gone out of service meanwhile', async () => {
  const { kept, slots, start, file, data, said } = bench();
  const [first, second] = slots as [number, number];
  start(first, 5, ONLINE);
  kept.keepStart('h0', 1, first);
  await setImmediate();
  start(second, 7, ONLINE);
  kept.keepStart('h0', 2, second);
  // The last directory: the broker ends, and nobody has told its partitions yet.
  data.fail(0, 'EIO');
  await setImmediate();
  expect(said).toEqual([
    { kind: 'startKept', token: 1, kept: true },
    { kind: 'startKept', token: 2, kept: false },
  ]);
  expect(file('log-start-offset-checkpoint')).toBe('0\n1\norders 0 5\n');
});

test('a clean end keeps the start of a partition that is not open any more', async () => {
  const { kept, slots, start, file, closed } = bench();
  const [first, second] = slots as [number, number];
  start(first, 5, ONLINE);
  start(second, 7, OFFLINE);
  closed.push({ slot: first, recoveryPoint: 20, logStartOffset: 5, highWatermark: 20, error: null });
  await kept.closeAll(['h0'], 1);
  expect(file('log-start-offset-checkpoint')).toBe('0\n2\norders 0 5\norders 1 7\n');
  expect(file('recovery-point-offset-checkpoint')).toBe('0\n2\norders 0 20\norders 1 0\n');
});
