/** Faults inside of a broker that serves: what must hold and does not in one partition, a clock that leaps, a thread that dies. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startBroker } from '../../src/broker.ts';
import { ERROR } from '../../src/wire/errors.ts';
import {
  BrokerHome,
  brokerThreads,
  eventually,
  LAYOUTS,
  type Layout,
  openFiles,
  TRANSPORT,
  TWO_BY_THREE,
} from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { FaultBoard } from '../kit/faults/board.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, fetch, metadata, produce, readAll } from '../kit/requests.ts';
import { Said } from '../kit/said.ts';

const WHY = 'the disk keeps its word';

let board: FaultBoard;
let said: Said;
let home: BrokerHome;

async function start(layout: Layout): Promise<void> {
  board = new FaultBoard();
  said = new Said();
  const settings = { 'log.retention.check.interval.ms': '200' };
  home = new BrokerHome(layout, { ...board.options, settings, logger: said.logger });
  await home.start();
}

afterEach(() => home.end());

describe.each(LAYOUTS)(`a fault of ours ($name, ${TRANSPORT})`, (layout) => {
  beforeEach(() => start(layout));

  test('a broken invariant takes one partition out of service, until the next start', async () => {
    const client = await RawClient.connect(home.port);
    const poller = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions: 4 });
    for (let partition = 0; partition < 4; partition++) await produce(client, name, batchOf(['kept']), { partition });
    const waiting = fetch(poller, name, { offset: 1, minBytes: 1, maxWaitMs: 600_000 });
    await eventually(
      async () => (await home.broker.metrics()).total.fetchesWaiting,
      (count) => count === 1,
    );
    board.failDisk('write', `${name}-0/`, 'invariant');
    const lost = await Promise.all(['a', 'b', 'c'].map((value) => produce(client, name, batchOf([value]))));
    expect(lost.map(({ errorCode }) => errorCode)).toEqual(Array(3).fill(ERROR.KAFKA_STORAGE_ERROR));
    expect(board.hit).toBe(1);
    expect((await waiting).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    expect((await fetch(client, name)).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    for (let partition = 1; partition < 4; partition++) {
      expect(await produce(client, name, batchOf(['more']), { partition })).toMatchObject({
        errorCode: 0,
        baseOffset: 1,
      });
    }
    const found = (await metadata(client, [name])).topics[0]?.partitions.toSorted(
      (a, b) => a.partitionIndex - b.partitionIndex,
    );
    expect(found?.map(({ leaderId }) => leaderId >= 0)).toEqual([false, true, true, true]);
    const { offlinePartitions, partitions } = await home.broker.metrics();
    expect(offlinePartitions).toBe(1);
    expect(partitions.filter(({ offline }) => offline !== null)).toMatchObject([
      { topic: name, partition: 0, offline: expect.stringContaining(WHY) },
    ]);
    expect(said.of('partition.offline')).toMatchObject([
      {
        level: 'error',
        values: { topic: name, partition: 0, why: expect.stringMatching(/ \{"name":"write",.*"answer":42\}$/) },
      },
    ]);
    expect(said.of('directory.offline')).toEqual([]);
    // The others move without it.
    await home.broker.resize({ network: 2, io: 2 });
    expect((await produce(client, name, batchOf(['moved']))).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    await Promise.all([client.close(), poller.close()]);
    await home.restart();
    const again = await RawClient.connect(home.port);
    for (let partition = 0; partition < 4; partition++) {
      const values = (await readAll(again, name, { partition })).map(({ records }) =>
        textOf(records[0]?.value ?? null),
      );
      expect(values).toEqual(partition === 0 ? ['kept'] : ['kept', 'more']);
      expect((await produce(again, name, batchOf(['new']), { partition })).errorCode).toBe(0);
    }
    await again.close();
  });
});

describe(`faults of the world (${TRANSPORT})`, () => {
  beforeEach(() => start(TWO_BY_THREE));

  test('a wall clock that leaps ages what is old, and hurts nobody when it comes back', async () => {
    const client = await RawClient.connect(home.port);
    const configs = { 'retention.ms': '3600000', 'segment.ms': '600000', 'message.timestamp.type': 'LogAppendTime' };
    const { name } = await createTopic(client, { configs });
    await produce(client, name, batchOf(['old']));
    board.leap(2 * 3_600_000);
    const start = await eventually(
      async () => (await fetch(client, name, { offset: 1 })).logStartOffset,
      (offset) => offset === 1,
    );
    expect(start).toBe(1);
    const later = await produce(client, name, batchOf(['new']));
    expect(later).toMatchObject({ errorCode: 0, baseOffset: 1 });
    board.leap(0);
    const back = await produce(client, name, batchOf(['newer']));
    expect(back).toMatchObject({ errorCode: 0, baseOffset: 2 });
    expect(later.logAppendTimeMs - back.logAppendTimeMs).toBeGreaterThan(3_600_000);
    expect((await readAll(client, name, { offset: 1 })).map(({ baseOffset }) => baseOffset)).toEqual([1, 2]);
    await client.close();
  });

  test('a thread that dies under load fails the broker, and nothing acknowledged is lost', async () => {
    const { broker } = home;
    const setter = await RawClient.connect(home.port);
    const { name } = await createTopic(setter, { partitions: 4 });
    const acknowledged = [0, 0, 0, 0];
    const writers = acknowledged.map(async (_, partition) => {
      const client = await RawClient.connect(home.port);
      while (client.isOpen) {
        const sent = acknowledged[partition] as number;
        const answer = await produce(client, name, batchOf([`${sent}`]), { partition }).catch(() => null);
        if (answer === null) break;
        expect([answer.errorCode, answer.baseOffset]).toEqual([0, sent]);
        acknowledged[partition] = sent + 1;
      }
      await client.ended;
    });
    await eventually(
      () => Math.min(...acknowledged),
      (least) => least >= 20,
    );
    const { threads } = await broker.metrics();
    const victims = Object.keys(threads).filter((thread) => thread !== 'b0');
    board.kill(victims.at(-1) as string);
    expect((await broker.failed).message).toMatch(/^thread \S+ died: BrokenInvariant: a thread lives on/);
    await Promise.all([...writers, setter.ended]);
    home.failed();
    expect([...brokerThreads(), ...openFiles(home.directory)]).toEqual([]);
    const next = await startBroker({ cores: 2, directory: home.directory });
    const reader = await RawClient.connect(next.port);
    for (const [partition, count] of acknowledged.entries()) {
      expect(count).toBeGreaterThanOrEqual(20);
      const values = (await readAll(reader, name, { partition })).map(({ records }) =>
        textOf(records[0]?.value ?? null),
      );
      // What was written when the thread died may be there without its answer.
      expect(values.length).toBeGreaterThanOrEqual(count);
      expect(values.length).toBeLessThanOrEqual(count + 1);
      expect(values).toEqual(values.map((_, index) => `${index}`));
    }
    await reader.close();
    await next.close();
    await broker.close();
  });
});
