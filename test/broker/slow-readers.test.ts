/** Readers that do not read: they cost memory within bounds, nobody else waits for them, and what they hold is given back. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { eventually, expectAtRest, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import { createTopic, fetchedOf, fetchRequest, listOffset, produce } from '../kit/requests.ts';

const BATCH_BYTES = 500_000;
const BATCHES = 24;
const SMALL = 20_000;

inEveryLayout('slow readers', (home) => {
  let client: RawClient;
  let large = '';
  let small = '';
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
    large = (await createTopic(client)).name;
    small = (await createTopic(client)).name;
    for (let index = 0; index < BATCHES; index++) await produce(client, large, filledBatch(`${index}`, 1, BATCH_BYTES));
    for (let index = 0; index < BATCHES; index++) await produce(client, small, filledBatch(`${index}`, 1, SMALL));
  });
  afterAll(() => client.close());

  /** A client that has asked for everything `times` over and has not read a byte. */
  async function asks(topic: string, times: number): Promise<{ reader: RawClient; answers: Promise<number>[] }> {
    const reader = await RawClient.connect(home.port);
    reader.socket.pause();
    const answers = Array.from({ length: times }, async () =>
      fetchedOf(await reader.ask(Fetch, 12, fetchRequest(topic))).reduce((sum, { batches }) => sum + batches.length, 0),
    );
    return { reader, answers };
  }

  async function untilHolding(): Promise<void> {
    const leases = await eventually(
      async () => (await home.broker.metrics()).leases,
      (count) => count > 0,
    );
    expect(leases).toBeGreaterThan(0);
  }

  test('get everything once they read, and others are served meanwhile', async () => {
    const slow = await Promise.all([asks(large, 4), asks(large, 4), asks(small, 12)]);
    await untilHolding();
    for (let index = 0; index < 20; index++)
      expect((await produce(client, small, batchOf(['more']))).errorCode).toBe(0);
    expect((await listOffset(client, small, -1)).errorCode).toBe(0);
    for (const { reader } of slow) reader.socket.resume();
    for (const [index, { answers }] of slow.entries()) {
      for (const count of await Promise.all(answers)) {
        if (index < 2) expect(count).toBe(BATCHES);
        else expect(count).toBeGreaterThanOrEqual(BATCHES);
      }
    }
    await Promise.all(slow.map(({ reader }) => reader.close()));
    await expectAtRest(home.broker);
  });

  test('that go away, politely or not, leave no lease behind', async () => {
    const slow = await Promise.all([asks(large, 3), asks(large, 3), asks(small, 10)]);
    const lost = slow.flatMap(({ answers }) => answers.map((answer) => expect(answer).rejects.toThrow()));
    await untilHolding();
    slow[0]?.reader.socket.destroy();
    slow[1]?.reader.socket.resetAndDestroy();
    slow[2]?.reader.socket.resetAndDestroy();
    await Promise.all(lost);
    await expectAtRest(home.broker);
  });

  test('that read a little at a time get everything', async () => {
    const { reader, answers } = await asks(large, 2);
    let over = false;
    const all = Promise.all(answers).finally(() => {
      over = true;
    });
    while (!over) {
      reader.socket.resume();
      await new Promise((done) => setImmediate(done));
      reader.socket.pause();
      await new Promise((done) => setImmediate(done));
    }
    expect(await all).toEqual([BATCHES, BATCHES]);
    await reader.close();
  });

  test('that also write are not read from beyond the bound', async () => {
    const { reader, answers } = await asks(large, 40);
    const later = produce(reader, small, batchOf(['last in line']));
    await untilHolding();
    const { total } = await home.broker.metrics();
    expect(total.callsOpen).toBeLessThanOrEqual(8);
    reader.socket.resume();
    expect(await Promise.all(answers)).toEqual(Array(40).fill(BATCHES));
    expect((await later).errorCode).toBe(0);
    await reader.close();
  });
});

inEveryLayout(
  'a reader without progress',
  (home) => {
    test('is closed after connections.max.idle.ms, and so is an idle one', async () => {
      const writer = await RawClient.connect(home.port);
      const { name } = await createTopic(writer);
      for (let index = 0; index < 8; index++) await produce(writer, name, filledBatch(`${index}`, 1, 900_000));
      const reader = await RawClient.connect(home.port);
      reader.socket.pause();
      const answers = Array.from({ length: 4 }, () => reader.ask(Fetch, 12, fetchRequest(name)));
      const lost = answers.map((answer) => expect(answer).rejects.toThrow());
      await writer.ended;
      const open = await eventually(
        async () => (await home.broker.metrics()).connections,
        (count) => count === 0,
      );
      expect(open).toBe(0);
      await expectAtRest(home.broker);
      reader.socket.destroy();
      await Promise.all(lost);
    });
  },
  { settings: { 'connections.max.idle.ms': '1200' } },
);
