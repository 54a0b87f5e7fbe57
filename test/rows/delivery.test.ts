/** What an acknowledgement promises, and what a retry brings: at least once, once, in which order. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, inEveryLayout, LAYOUTS, TRANSPORT, TWO_BY_ONE, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { kcatOk } from '../kit/kcat.ts';
import { batchOf, textOf } from '../kit/records.ts';
import {
  createTopic,
  fetch,
  initProducer,
  listOffset,
  PRODUCE_VERSION,
  produce,
  produceRequest,
  readAll,
} from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';
import { WireProxy } from '../kit/wire-proxy.ts';

async function values(client: RawClient, topic: string): Promise<(string | null)[]> {
  const batches = await readAll(client, topic);
  return batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)));
}

inEveryLayout('acknowledgements', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test('S080: acks=0 gets no byte back, the next request its answer; an error closes the connection', async () => {
    const { name } = await createTopic(client);
    const one = await RawClient.connect(home.port);
    one.write(one.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(['silent']), { acks: 0 })).bytes);
    // The client takes answers in order: a byte for the produce would be taken for this one's.
    expect((await listOffset(one, name, -1)).errorCode).toBe(0);
    const read = one.socket.bytesRead;
    const next = one.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(['again']), { acks: 0 }));
    one.write(next.bytes);
    expect((await listOffset(one, name, -2)).offset).toBe(0);
    expect(one.socket.bytesRead).toBe(2 * read);
    expect(await values(client, name)).toEqual(['silent', 'again']);
    one.write(one.frame(Produce, PRODUCE_VERSION, produceRequest('not there', batchOf(['v']), { acks: 0 })).bytes);
    await one.ended;
    expect(one.socket.bytesRead).toBe(2 * read);
  });

  test('S094: a retry is answered with success and its first offset; older than the last five it is error 46', async () => {
    const { name } = await createTopic(client);
    const { producerId, producerEpoch } = await initProducer(client);
    const at = (baseSequence: number) => batchOf([`${baseSequence}`], { producerId, producerEpoch, baseSequence });
    for (let sequence = 0; sequence < 7; sequence++) {
      expect(await produce(client, name, at(sequence))).toMatchObject({ errorCode: 0, baseOffset: sequence });
    }
    for (let sequence = 2; sequence < 7; sequence++) {
      expect(await produce(client, name, at(sequence))).toMatchObject({ errorCode: 0, baseOffset: sequence });
    }
    for (const sequence of [0, 1]) {
      expect((await produce(client, name, at(sequence))).errorCode).toBe(ERROR.DUPLICATE_SEQUENCE_NUMBER);
    }
    expect(await values(client, name)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('S095: without its first batch an idempotent producer gets error 45 until order is restored', async () => {
    const { name } = await createTopic(client);
    const { producerId, producerEpoch } = await initProducer(client);
    const send = (sequence: number) =>
      produce(client, name, batchOf([`${sequence}`], { producerId, producerEpoch, baseSequence: sequence }));
    expect((await send(0)).errorCode).toBe(0);
    const behind = await Promise.all([2, 3, 4, 5].map(send));
    expect(behind.map(({ errorCode }) => errorCode)).toEqual(Array(4).fill(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER));
    const again = await Promise.all([1, 2, 3, 4, 5].map(send));
    expect(again.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual(
      [1, 2, 3, 4, 5].map((offset) => [0, offset]),
    );
    expect(await values(client, name)).toEqual(['0', '1', '2', '3', '4', '5']);
  });
});

inEveryLayout(
  'group commit',
  (home) => {
    test('S082: acks=all is answered when the high watermark covers the batch, which is durable by then', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      for (let index = 0; index < 5; index++) {
        const { errorCode, baseOffset } = await produce(client, name, batchOf([`${index}`]));
        const metrics = await home.broker.metrics();
        const partition = metrics.partitions.find(({ topic }) => topic === name);
        expect([errorCode, baseOffset]).toEqual([0, index]);
        expect(partition).toMatchObject({ highWatermark: index + 1, durableEndOffset: index + 1 });
        expect(metrics.total.syncs).toBeGreaterThan(index);
      }
      await client.close();
    });
  },
  { settings: { 'flush.group.commit': 'true' } },
);

describe.skipIf(!hasTool('strace'))(`a slow disk (${TRANSPORT})`, () => {
  const directory = temporaryDirectory();
  let broker: BrokerProcess | null = null;
  afterAll(async () => {
    await broker?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  test('S082: until the sync is over nobody has an answer, and nobody reads the batch', async () => {
    const log = join(directory, 'data', 'slow-0', '00000000000000000000.log');
    const held = ['-P', log, '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=1500000:when=1'];
    broker = new BrokerProcess(join(directory, 'data'), TWO_BY_ONE, { 'flush.group.commit': 'true' }, [
      'strace',
      '-f',
      '-qq',
      '-o',
      join(directory, 'trace'),
      ...held,
    ]);
    await broker.listening();
    const client = await RawClient.connect(broker.port);
    const reader = await RawClient.connect(broker.port);
    await createTopic(client, { name: 'slow' });
    let answered = false;
    const answer = produce(client, 'slow', batchOf(['v'])).finally(() => {
      answered = true;
    });
    let looked = 0;
    for (;;) {
      const { highWatermark, bytes } = await fetch(reader, 'slow');
      if (answered) break;
      if (bytes > 0) break;
      expect(highWatermark).toBe(0);
      looked += 1;
    }
    expect(looked).toBeGreaterThan(0);
    expect(await answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await fetch(reader, 'slow')).toMatchObject({ highWatermark: 1 });
    await Promise.all([client.close(), reader.close()]);
  });
});

describe.each(LAYOUTS)(`retries ($name, ${TRANSPORT})`, (layout) => {
  let proxy: WireProxy;
  let home: BrokerHome;
  let client: RawClient;
  beforeAll(async () => {
    proxy = await WireProxy.listen();
    home = new BrokerHome(layout, { settings: proxy.settings });
    await home.start();
    proxy.target = home.port;
    client = await RawClient.connect(home.port);
  });
  beforeEach(() => proxy.reset());
  afterEach(() => proxy.reset());
  afterAll(async () => {
    await client.close();
    await proxy.close();
    await home.end();
  });

  /** The first answer to a produce request is lost. */
  function loseOneAnswer(): void {
    proxy.cut = ({ apiKey }) => apiKey === Produce.key && proxy.cuts === 0;
  }

  /** The second produce request fails once, when it is one of `together` on their way. */
  function failSecond(together: number): void {
    proxy.refuseBehind = together;
    proxy.refuse = () => (proxy.produced.length === 2 ? ERROR.NOT_LEADER_OR_FOLLOWER : 0);
  }

  async function kafkajsSends(topic: string, idempotent: boolean): Promise<void> {
    const kafka = new Kafka({ clientId: 'rows', brokers: [proxy.address], logLevel: logLevel.NOTHING });
    const retry = { initialRetryTime: 20, retries: 5 };
    const producer = kafka.producer(idempotent ? { idempotent, maxInFlightRequests: 1, retry } : { retry });
    await producer.connect();
    for (const value of ['1', '2', '3']) await producer.send({ topic, messages: [{ value }] });
    await producer.disconnect();
  }

  async function kcatSends(topic: string, lines: readonly string[], more: readonly string[]): Promise<void> {
    const options = ['retry.backoff.ms=20', 'batch.num.messages=1', 'linger.ms=0', ...more];
    // It gives up when all brokers it knows are down: this is one more, by name.
    const brokers = `${proxy.address},localhost:${proxy.port}`;
    const words = ['-P', '-b', brokers, '-t', topic, ...options.flatMap((option) => ['-X', option])];
    await kcatOk(words, `${lines.join('\n')}\n`);
  }

  test('S079: an answer that is lost makes a retrying producer write twice, and loses nothing', async () => {
    const { name } = await createTopic(client);
    loseOneAnswer();
    await kafkajsSends(name, false);
    expect(proxy.cuts).toBe(1);
    expect(await values(client, name)).toEqual(['1', '1', '2', '3']);
  });

  test('S094: an answer that is lost makes an idempotent producer write once', async () => {
    const { name } = await createTopic(client);
    loseOneAnswer();
    await kafkajsSends(name, true);
    expect(proxy.cuts).toBe(1);
    expect(await values(client, name)).toEqual(['1', '2', '3']);
  });

  test('S096: who waits for each answer keeps the order, though one fails and is retried', async () => {
    const { name } = await createTopic(client);
    failSecond(1);
    await kafkajsSends(name, false);
    expect(proxy.produced).toHaveLength(4);
    expect(await values(client, name)).toEqual(['1', '2', '3']);
  });

  describe.skipIf(!hasTool('kcat'))('kcat', () => {
    const LINES = Array.from({ length: 20 }, (_, index) => String(index + 1));

    test('S079: duplicates and no loss', async () => {
      const { name } = await createTopic(client);
      loseOneAnswer();
      await kcatSends(name, LINES, ['enable.idempotence=false']);
      expect(proxy.cuts).toBe(1);
      const found = await values(client, name);
      expect(new Set(found)).toEqual(new Set(LINES));
      expect(found.length).toBeGreaterThan(LINES.length);
    });

    test('S094: exactly one copy', async () => {
      const { name } = await createTopic(client);
      loseOneAnswer();
      await kcatSends(name, LINES, ['enable.idempotence=true']);
      expect(proxy.cuts).toBe(1);
      expect(await values(client, name)).toEqual(LINES);
    });

    test('S095: with five in flight a batch that fails once comes behind the others', async () => {
      const { name } = await createTopic(client);
      failSecond(3);
      await kcatSends(name, LINES, ['enable.idempotence=false', 'max.in.flight.requests.per.connection=5']);
      const found = await values(client, name);
      expect(proxy.produceInFlightMax).toBeGreaterThanOrEqual(3);
      expect(found.slice(0, 2)).toEqual(['1', '3']);
      expect(found.toSorted()).toEqual(LINES.toSorted());
    });

    test('S095: an idempotent producer is told of the gap and restores the order', async () => {
      const { name } = await createTopic(client);
      failSecond(3);
      await kcatSends(name, LINES, ['enable.idempotence=true', 'max.in.flight.requests.per.connection=5']);
      expect(proxy.produceErrors).toContain(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
      expect(await values(client, name)).toEqual(LINES);
    });

    test('S096: with one request in flight the broker never sees two at once', async () => {
      const { name } = await createTopic(client);
      await kcatSends(name, LINES, ['enable.idempotence=false', 'max.in.flight.requests.per.connection=1']);
      expect(proxy.produceInFlightMax).toBe(1);
      expect(await values(client, name)).toEqual(LINES);
    });
  });
});
