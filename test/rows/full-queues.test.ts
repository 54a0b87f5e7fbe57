/** Queues that are full because who empties them stands still: sockets are not read, memory is bounded, and then all goes on in order. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CounterName } from '../../src/runtime/counters.ts';
import { RING_SLOTS } from '../../src/runtime/shared.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, eventually, LAYOUTS, TRANSPORT, TWO_BY_ONE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { FaultBoard } from '../kit/faults/board.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import {
  createTopic,
  fetch,
  listOffset,
  PRODUCE_VERSION,
  type Produced,
  produce,
  produceRequest,
} from '../kit/requests.ts';

const QUEUED_MAX = 40;
const QUEUED_BYTES_MAX = 4_194_304;
const IN_FLIGHT_MAX = 100;
const BATCH_BYTES = 32_768;
const LARGE_BYTES = 262_144;
/** By each client: more than the system's buffers on the way take. */
const SENT_BYTES = 12_582_912;
const CLIENTS = 2;
/** What stays the same so often is stuck. */
const STUCK_LOOKS = 10;

/** The queues are the same in both transports. */
const HERE = TRANSPORT === 'native' ? LAYOUTS : [TWO_BY_ONE];

describe.each(HERE)(`full queues ($name, ${TRANSPORT})`, (layout) => {
  let board: FaultBoard;
  let home: BrokerHome;
  let setter: RawClient;
  let topic: string;

  async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    board = new FaultBoard();
    const settings = {
      'queued.max.requests': String(QUEUED_MAX),
      'queued.max.request.bytes': String(QUEUED_BYTES_MAX),
      'connection.requests.in.flight.max': String(IN_FLIGHT_MAX),
      'socket.receive.buffer.bytes': '65536',
      ...more,
    };
    home = new BrokerHome(layout, { ...board.options, settings });
    await home.start();
    setter = await RawClient.connect(home.port);
    topic = (await createTopic(setter)).name;
  }

  afterEach(async () => {
    board.stallHandlers(false);
    board.stallBlocker(false);
    await setter.close();
    await home.end();
  });

  const counter = async (name: CounterName): Promise<number> => (await home.broker.metrics()).total[name];

  /** Sends all at once; gives the answers and how much has not left this process. */
  function sendAll(
    client: RawClient,
    batches: readonly Uint8Array[],
  ): { answers: Promise<Produced[]>; unsent(): number } {
    const answers = batches.map((records) => produce(client, topic, records));
    return { answers: Promise.all(answers), unsent: () => client.socket.writableLength };
  }

  /** How much is left where nothing more is taken. */
  async function stuckAt(figure: () => number | Promise<number>): Promise<number> {
    let before = -1;
    let looks = 0;
    await eventually(figure, (now) => {
      looks = now === before ? looks + 1 : 0;
      before = now;
      return looks === STUCK_LOOKS;
    });
    return before;
  }

  /** Nobody reads what was sent any more. The buffers of sockets that Node reads may hold all of it, so there requests count. */
  async function expectUnread(sent: readonly { unsent(): number }[], each: number): Promise<void> {
    const received = await stuckAt(() => counter('requests'));
    expect(received).toBeLessThan(sent.length * each);
    for (const { unsent } of sent) expect(await stuckAt(unsent)).toBeGreaterThan(TRANSPORT === 'native' ? 0 : -1);
    expect(await counter('requests')).toBe(received);
  }

  const connected = () => Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(home.port)));

  function expectInOrder(answers: readonly Produced[]): void {
    expect(answers.map(({ errorCode }) => errorCode)).toEqual(answers.map(() => 0));
    const offsets = answers.map(({ baseOffset }) => baseOffset);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  }

  describe('of handlers that take nothing', () => {
    beforeEach(() => start());

    test('S027: processors stop reading at queued.max.requests, windows close, and all is answered in order', async () => {
      const clients = await connected();
      const records = filledBatch('x', 1, BATCH_BYTES);
      const count = SENT_BYTES / BATCH_BYTES;
      board.stallHandlers(true);
      const sent = clients.map((client) => sendAll(client, Array(count).fill(records)));
      const processors = Object.keys((await home.broker.metrics()).roles).filter((role) => role.startsWith('p')).length;
      const busy = Math.min(processors, clients.length);
      await eventually(
        () => counter('requestsUnderWay'),
        (underWay) => underWay >= busy * QUEUED_MAX,
      );
      await expectUnread(sent, count);
      expect(await counter('requestsUnderWay')).toBe(busy * QUEUED_MAX);
      expect(await stuckAt(() => counter('intakeBytesHeld'))).toBeLessThan((CLIENTS * SENT_BYTES) / 4);
      board.stallHandlers(false);
      for (const { answers } of sent) expectInOrder(await answers);
      expect((await listOffset(setter, topic, -1)).offset).toBe(count * clients.length);
      await Promise.all(clients.map((client) => client.close()));
    });

    test('S027: one request that is more than a ring holds is answered whole, and those behind it in order', async () => {
      const client = await RawClient.connect(home.port);
      const parts = RING_SLOTS + 500;
      const records = batchOf(['x']);
      const request = {
        ...produceRequest(topic, records),
        topicData: [
          { ...produceRequest(topic, records).topicData[0], partitionData: Array(parts).fill({ index: 0, records }) },
        ],
      };
      board.stallHandlers(true);
      const whole = client.call(Produce, PRODUCE_VERSION, request as ReturnType<typeof produceRequest>);
      await eventually(
        () => counter('requestsUnderWay'),
        (underWay) => underWay === parts,
      );
      const behind = sendAll(client, Array(20).fill(records));
      expect(await counter('requestsUnderWay')).toBe(parts);
      board.stallHandlers(false);
      const answers = (await whole).responses[0]?.partitionResponses ?? [];
      expect(answers.map(({ baseOffset }) => baseOffset)).toEqual(Array.from({ length: parts }, (_, index) => index));
      expectInOrder(await behind.answers);
      expect((await listOffset(setter, topic, -1)).offset).toBe(parts + 20);
      await client.close();
    });

    test('S027: large frames wait for room in queued.max.request.bytes and are received when there is some', async () => {
      const clients = await connected();
      const records = filledBatch('x', 1, LARGE_BYTES);
      const count = SENT_BYTES / LARGE_BYTES;
      board.stallHandlers(true);
      const sent = clients.map((client) => sendAll(client, Array(count).fill(records)));
      expect(
        await eventually(
          () => counter('framesWaiting'),
          (waiting) => waiting > 0,
        ),
      ).toBeGreaterThan(0);
      await expectUnread(sent, count);
      expect(await counter('intakeBytesHeld')).toBeLessThan((CLIENTS * SENT_BYTES) / 2);
      board.stallHandlers(false);
      for (const { answers } of sent) expectInOrder(await answers);
      expect((await listOffset(setter, topic, -1)).offset).toBe(count * clients.length);
      await Promise.all(clients.map((client) => client.close()));
    });
  });

  test('S027: syncs that do not come back hold up answers and reading, nobody reads what is not durable', async () => {
    await start({ 'flush.group.commit': 'true' });
    const clients = await connected();
    const records = filledBatch('x', 1, BATCH_BYTES);
    const count = SENT_BYTES / BATCH_BYTES;
    board.stallBlocker(true);
    let answered = 0;
    const sent = clients.map((client) => sendAll(client, Array(count).fill(records)));
    for (const { answers } of sent) void answers.then(() => (answered += 1));
    await eventually(
      () => counter('requestsUnderWay'),
      (underWay) => underWay >= QUEUED_MAX,
    );
    await expectUnread(sent, count);
    expect(answered).toBe(0);
    const { highWatermark } = (await home.broker.metrics()).partitions.find((one) => one.topic === topic) as {
      highWatermark: number;
    };
    expect(highWatermark).toBe(0);
    board.stallBlocker(false);
    for (const { answers } of sent) expectInOrder(await answers);
    expect((await fetch(setter, topic)).highWatermark).toBe(count * clients.length);
    await Promise.all(clients.map((client) => client.close()));
  });
});
