/** A processor by its rings and control messages: it says that it holds partitions back only when their owners can see all that was asked before. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { newPartitionView, ONLINE, PublishedPartitions, SLOT_BYTES } from '../../src/replica/published.ts';
import { Bell } from '../../src/runtime/bell.ts';
import { ACCEPTED, APPEND } from '../../src/runtime/messages.ts';
import { Inbox, newRing, Outbox } from '../../src/runtime/ring.ts';
import { requestWriter } from '../../src/wire/compiler.ts';
import { beginFrame, endFrame, writeRequestHeader } from '../../src/wire/headers.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Writer } from '../../src/wire/writer.ts';
import { batchOf } from '../kit/records.ts';
import { PRODUCE_VERSION } from '../kit/requests.ts';
import { HandClock } from './handler-kit.ts';
import { NO_SOCKETS, newProcessor } from './processor-kit.ts';
import { FakeFiles, FakeTransport } from './sockets.ts';

const RING_SLOTS = 4;
const PARTITIONS = 10;
const TOPIC = {
  name: 'orders',
  id: randomUuid(new SeededRandom(1)),
  slots: Array.from({ length: PARTITIONS }, (_, slot) => slot),
};

/** One processor, one connection, and the ring to the handler that owns all partitions. */
function bench() {
  const clock = new HandClock();
  const published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * 64));
  for (const slot of TOPIC.slots) {
    published.setOwner(slot, 0);
    published.publish(slot, newPartitionView());
    published.setState(slot, ONLINE);
  }
  const transport = new FakeTransport(new FakeFiles());
  const processor = newProcessor({
    clock,
    published,
    sockets: { ...NO_SOCKETS, adopt: () => transport },
    routes: [TOPIC],
  });
  const silent = () => new Bell(new Int32Array(1), () => {});
  const [accepted, asked, answered, unused] = [0, 1, 2, 3].map(() => newRing(RING_SLOTS)) as [
    SharedArrayBuffer,
    SharedArrayBuffer,
    SharedArrayBuffer,
    SharedArrayBuffer,
  ];
  processor.linked('h0', new Inbox(answered), new Outbox(asked, silent()));
  processor.linked('a0', new Inbox(accepted), new Outbox(unused, silent()));
  new Outbox(accepted, silent()).send(ACCEPTED, 5, 0, 0, 0, 0, 0, 0);
  processor.drain(0);
  const inbox = new Inbox(asked);
  return {
    processor,
    /** Slots that the handler was asked to append to since. */
    taken(): number[] {
      const slots = [];
      for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
        expect(inbox.words[at]).toBe(APPEND);
        slots.push(inbox.words[at + 3] as number);
        inbox.next();
      }
      return slots;
    },
    /** One request to append to each of these partitions. */
    produce(partitions: readonly number[]): void {
      const writer = new Writer();
      beginFrame(writer);
      writeRequestHeader(writer, Produce, PRODUCE_VERSION, 1, 'test');
      requestWriter(Produce, PRODUCE_VERSION)(writer, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 1_000,
        topicData: [
          {
            name: TOPIC.name,
            topicId: TOPIC.id,
            partitionData: partitions.map((index) => ({ index, records: batchOf(['x']) })),
          },
        ],
      });
      endFrame(writer);
      transport.arrive(writer.memory.bytes.slice(0, writer.writtenBytes));
      processor.connection(1)?.readable(0);
    },
    hold(slots: readonly number[]): unknown[] {
      const replies: unknown[] = [];
      processor.control({ kind: 'hold', slots }, () => replies.push('held'));
      return replies;
    },
  };
}

test('hold answers at once when the rings have taken all', () => {
  const { hold, produce, taken } = bench();
  produce([0, 1, 2]);
  expect(hold([0])).toEqual(['held']);
  expect(taken()).toEqual([0, 1, 2]);
});

test('hold waits until what did not fit the ring is in it; what comes meanwhile goes to the next owner', () => {
  const { processor, hold, produce, taken } = bench();
  produce(TOPIC.slots);
  const replies = hold([9]);
  const order: number[] = [];
  while (replies.length === 0) {
    const some = taken();
    expect(some.length).toBeGreaterThan(0);
    order.push(...some);
    expect(replies).toEqual([]);
    processor.settle(0);
  }
  // The last of them is in the ring now, and not before.
  expect(order).toEqual(TOPIC.slots.slice(0, 2 * RING_SLOTS));
  expect(taken()).toEqual(TOPIC.slots.slice(2 * RING_SLOTS));
  produce([9, 3]);
  processor.settle(0);
  expect(taken()).toEqual([3]);
  processor.control({ kind: 'resume', slots: [9] }, () => {});
  expect(taken()).toEqual([9]);
});
