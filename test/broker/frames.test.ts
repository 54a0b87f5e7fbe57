/** Frames as sockets deliver them: in pieces, too large, senseless, half; one client's faults are nobody else's. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { eventually, expectAtRest, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import {
  createTopic,
  fetchedOf,
  fetchRequest,
  listOffset,
  PRODUCE_VERSION,
  produce,
  producedOf,
  produceRequest,
  readAll,
} from '../kit/requests.ts';

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' };

/** The socket's other end has the bytes in a delivery of their own, as far as that can be had. */
function apart(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

inEveryLayout('frames', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test('split in two at every byte', async () => {
    const { name } = await createTopic(client);
    const { bytes } = client.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(['x'])));
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(home.port)));
    await Promise.all(
      clients.map(async (one, index) => {
        for (const cut of cuts.filter((at) => at % clients.length === index)) {
          const frame = one.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(['x'])));
          const answer = one.expect(Produce, PRODUCE_VERSION, frame.correlationId);
          one.write(frame.bytes.subarray(0, cut));
          await apart();
          one.write(frame.bytes.subarray(cut));
          expect(producedOf((await answer).body).errorCode).toBe(0);
        }
        await one.close();
      }),
    );
    expect((await listOffset(client, name, -1)).offset).toBe(cuts.length);
  });

  test('byte by byte, and three requests behind each other cut anywhere', async () => {
    const { name } = await createTopic(client);
    const one = await RawClient.connect(home.port);
    const single = one.frame(ApiVersions, 3, SOFTWARE);
    const answer = one.expect(ApiVersions, 3, single.correlationId);
    for (const byte of single.bytes) {
      one.write(Uint8Array.of(byte));
      await apart();
    }
    expect((await answer).body.errorCode).toBe(0);
    for (let step = 1; step < 200; step += 13) {
      const frames = [1, 2, 3].map((count) =>
        one.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(Array(count).fill('v')))),
      );
      const answers = frames.map(({ correlationId }) => one.expect(Produce, PRODUCE_VERSION, correlationId));
      const all = Buffer.concat(frames.map(({ bytes }) => bytes));
      for (let at = 0; at < all.length; at += step) {
        one.write(all.subarray(at, at + step));
        await apart();
      }
      const offsets = (await Promise.all(answers)).map(({ body }) => producedOf(body).baseOffset);
      const [first = -1] = offsets;
      expect(offsets).toEqual([first, first + 1, first + 3]);
    }
    await one.close();
  });

  test('large ones in pieces of every size', async () => {
    const { name } = await createTopic(client, { configs: { 'max.message.bytes': '5000000' } });
    const one = await RawClient.connect(home.port);
    const sizes = [65_000, 65_536, 70_000, 262_144, 300_000, 1_048_576, 3_000_000];
    for (const [index, bytes] of sizes.entries()) {
      const frame = one.frame(
        Produce,
        PRODUCE_VERSION,
        produceRequest(name, filledBatch(`${index}`, 3, Math.floor(bytes / 3))),
      );
      const answer = one.expect(Produce, PRODUCE_VERSION, frame.correlationId);
      const step = 1 + Math.floor(frame.bytes.length / 7);
      for (let at = 0; at < frame.bytes.length; at += step) {
        one.write(frame.bytes.subarray(at, at + step));
        await apart();
      }
      expect(producedOf((await answer).body)).toMatchObject({ errorCode: 0, baseOffset: index * 3 });
    }
    await one.close();
    expect(await readAll(client, name)).toHaveLength(sizes.length);
  });

  test.each([
    ['negative', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['larger than socket.request.max.bytes', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['one byte larger', Buffer.from([0x06, 0x40, 0x00, 0x01])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: here\r\n\r\n')],
    ['empty', Buffer.from([0, 0, 0, 0])],
    ['shorter than a header', Buffer.from([0, 0, 0, 3, 0, 18, 0])],
    ['an API that is not there', Buffer.from([0, 0, 0, 10, 0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff])],
    ['a version that is not served', Buffer.from([0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff])],
    ['a version that was', Buffer.from([0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff])],
    [
      'a count beyond its bytes',
      Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]),
    ],
  ])('one that is %s costs its connection and no other', async (_what, bytes) => {
    const one = await RawClient.connect(home.port);
    const asked = await one.call(ApiVersions, 3, SOFTWARE);
    expect(asked.errorCode).toBe(0);
    one.write(bytes);
    await one.ended;
    expect((await client.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
  });

  test('answers under way still go out before a bad frame closes', async () => {
    const { name } = await createTopic(client);
    const one = await RawClient.connect(home.port);
    await Promise.allSettled([
      produce(one, name, batchOf(['before'])),
      Promise.resolve(one.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))),
      one.ended,
    ]);
    await expect.poll(async () => (await listOffset(client, name, -1)).offset).toBe(1);
  });

  test('half a frame and gone, in every state', async () => {
    const { name } = await createTopic(client);
    const small = client.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(['x']))).bytes;
    const large = client.frame(Produce, PRODUCE_VERSION, produceRequest(name, filledBatch('x', 1, 500_000))).bytes;
    const cuts = [1, 3, 4, 5, 20, small.length - 1].map((at) => small.subarray(0, at));
    for (const at of [4, 70_000, 300_000, large.length - 1]) cuts.push(large.subarray(0, at));
    for (const bytes of cuts) {
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const socket = connect(home.port, '127.0.0.1').on('error', () => {});
        await once(socket, 'connect');
        await new Promise((done) => socket.write(bytes, done));
        socket[leave]();
        if (leave === 'end') socket.resume();
        await once(socket, 'close');
      }
    }
    const open = await eventually(
      async () => (await home.broker.metrics()).connections,
      (count) => count === 1,
    );
    expect(open).toBe(1);
    expect((await listOffset(client, name, -1)).offset).toBe(0);
    await expectAtRest(home.broker);
  });

  test('a client that has said all it wants to say still gets its answers', async () => {
    const { name } = await createTopic(client);
    const one = await RawClient.connect(home.port);
    const answers = [1, 2, 3].map(() => produce(one, name, batchOf(['v'])));
    one.socket.end();
    expect((await Promise.all(answers)).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2]);
    await one.ended;
  });

  test('more requests at once than the broker starts, of every kind', async () => {
    const { name } = await createTopic(client);
    const one = await RawClient.connect(home.port);
    const kinds = Array.from({ length: 120 }, (_, index) => index % 4);
    const answers = kinds.map(async (kind): Promise<string> => {
      if (kind === 0) return `produced ${(await produce(one, name, batchOf(['v']))).errorCode}`;
      if (kind === 1) return `fetched ${fetchedOf(await one.ask(Fetch, 12, fetchRequest(name)))[0]?.errorCode}`;
      if (kind === 2) return `listed ${(await listOffset(one, name, -1)).errorCode}`;
      const topics = [{ topicId: '\0'.repeat(16), name }];
      const all = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false };
      const { topics: found } = await one.call(Metadata, 12, { topics, allowAutoTopicCreation: false, ...all });
      return `described ${found[0]?.errorCode}`;
    });
    const words = ['produced 0', 'fetched 0', 'listed 0', 'described 0'];
    expect(await Promise.all(answers)).toEqual(kinds.map((kind) => words[kind]));
    await one.close();
  });
});

inEveryLayout(
  'a frame that does not come',
  (home) => {
    test('closes its connection when its time is over, and gives its memory back', async () => {
      const one = await RawClient.connect(home.port);
      const idle = await RawClient.connect(home.port);
      one.write(Buffer.from([0, 0, 0, 100, 0, 18]));
      const two = await RawClient.connect(home.port);
      two.write(Buffer.from([0, 0]));
      await Promise.all([one.ended, two.ended]);
      expect(idle.isOpen).toBe(true);
      expect((await idle.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
      await idle.close();
      await expectAtRest(home.broker);
    });
  },
  { settings: { 'request.receive.timeout.ms': '200' } },
);
