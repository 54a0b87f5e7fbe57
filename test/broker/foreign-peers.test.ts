/** Who speaks something else at our port, or stops half-way: hung up on in few words, and answered as far as there was a request. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SILENT } from '../../src/base/logger.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { BrokerHome, eventually, expectAtRest, LAYOUTS, TRANSPORT } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import { createTopic, fetchedOf, fetchRequest, listOffset, produce } from '../kit/requests.ts';

const KNOCKS = 30;
const HTTP = 'GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n';

describe.each(LAYOUTS)(`strangers ($name, ${TRANSPORT})`, (layout) => {
  const lines: [level: string, event: string, values: Record<string, unknown>][] = [];
  const note =
    (level: string) =>
    (event: string, values: Record<string, unknown> = {}): void =>
      void lines.push([level, event, values]);
  const home = new BrokerHome(layout, { logger: { ...SILENT, info: note('info'), warn: note('warn') } });
  let client: RawClient;
  beforeAll(async () => {
    await home.start();
    client = await home.connect();
  });
  afterAll(() => home.end());
  beforeEach(() => {
    lines.length = 0;
  });

  /** Lines of one kind; the connection is closed before its line has come to the main thread. */
  const said = (event: string) =>
    eventually(
      () => lines.filter(([, name]) => name === event),
      ({ length }) => length > 0,
    );

  async function knock(what: string | Uint8Array): Promise<void> {
    const socket = connect(home.port, '127.0.0.1');
    // A reset shows as a close.
    socket.on('error', () => {});
    socket.write(what);
    socket.resume();
    await once(socket, 'close');
  }

  test('HTTP is closed and said, a flood of it in a few lines', async () => {
    await Promise.all(Array.from({ length: KNOCKS }, () => knock(HTTP)));
    const found = await said('connection.foreign');
    expect(found.length).toBeLessThan(KNOCKS / 2);
    expect(found[0]).toMatchObject(['warn', 'connection.foreign', { spoken: 'HTTP', listener: 'PLAINTEXT', count: 1 }]);
    expect(found[0]?.[2].peer).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('TLS, too, as its own library starts it', async () => {
    const failures = Array.from({ length: KNOCKS }, async () => {
      const socket = connectTls({ port: home.port, host: '127.0.0.1' });
      await expect(once(socket, 'secureConnect')).rejects.toThrow();
    });
    await Promise.all(failures);
    const found = await said('connection.foreign');
    expect(found.length).toBeLessThan(KNOCKS / 2);
    expect(found[0]?.[2]).toMatchObject({ spoken: 'TLS', count: 1 });
  });

  test('bytes that are nothing at all are said as such, once in a while', async () => {
    await Promise.all(Array.from({ length: KNOCKS }, () => knock(Buffer.alloc(64, 0xff))));
    const found = await said('request.malformed');
    expect(found.length).toBeLessThan(KNOCKS / 2);
    expect(found[0]).toMatchObject(['info', 'request.malformed', { count: 1 }]);
  });

  test('garbage behind a good request ends the connection and not the request', async () => {
    const { name } = await createTopic(client);
    const one = await RawClient.connect(home.port);
    const produced = produce(one, name, batchOf(['good']));
    one.write(Buffer.alloc(100, 0xee));
    await Promise.allSettled([produced, one.ended]);
    const end = await eventually(
      async () => (await listOffset(client, name, -1)).offset,
      (offset) => offset === 1,
    );
    expect(end).toBe(1);
    await expectAtRest(home.broker);
  });

  test('a client that has closed its side and reads on gets large answers whole', async () => {
    const { name } = await createTopic(client);
    for (let index = 0; index < 10; index++) await produce(client, name, filledBatch(`${index}`, 1, 900_000));
    const one = await RawClient.connect(home.port);
    one.socket.pause();
    const answers = [1, 2, 3].map(
      async () => fetchedOf(await one.ask(Fetch, 12, fetchRequest(name)))[0]?.batches.length,
    );
    one.socket.end();
    const leases = await eventually(
      async () => (await home.broker.metrics()).leases,
      (count) => count > 0,
    );
    expect(leases).toBeGreaterThan(0);
    one.socket.resume();
    expect(await Promise.all(answers)).toEqual([10, 10, 10]);
    await one.ended;
    await expectAtRest(home.broker);
  });
});
