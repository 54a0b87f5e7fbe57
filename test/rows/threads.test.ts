/** The numbers of threads change by request, while clients write and follow. */
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BrokerHome, eventually, expectAtRest } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { ALL_BROKERS, BROKER, change, DELETE, DONE, SET, settingOf } from '../kit/configs.ts';
import { follower, writer } from '../kit/load.ts';
import { createTopic, metadata, readAll } from '../kit/requests.ts';

const PARTITIONS = 6;

/** Numbers of processors and handlers. */
async function sizes(home: BrokerHome): Promise<[network: number, io: number]> {
  const roles = Object.keys((await home.broker.metrics()).roles);
  return [roles.filter((role) => role.startsWith('p')).length, roles.filter((role) => role.startsWith('h')).length];
}

/** A thread's start takes CPU, and the load has it. */
const RESIZED_WITHIN_MS = 60_000;
const LONG = { timeout: 180_000 };

async function reaches(home: BrokerHome, network: number, io: number): Promise<void> {
  const got = await eventually(
    () => sizes(home),
    (now) => now[0] === network && now[1] === io,
    RESIZED_WITHIN_MS,
  );
  expect(got).toEqual([network, io]);
}

/** All that is written is answered in order, followed and read again; no connection is lost. */
async function underLoad(home: BrokerHome, work: (client: RawClient, topic: string) => Promise<void>): Promise<void> {
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client, { partitions: PARTITIONS });
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
  const counts = partitions.map(() => Number.POSITIVE_INFINITY);
  let going = true;
  const writers = partitions.map(async (partition) => {
    counts[partition] = await writer(home.port, name, partition, () => going);
  });
  const followers = partitions.map((partition) =>
    follower(home.port, name, partition, () => counts[partition] as number),
  );
  await work(client, name).finally(() => {
    going = false;
  });
  await Promise.all([...writers, ...followers]);
  for (const partition of partitions)
    expect(await readAll(client, name, { partition })).toHaveLength(counts[partition] as number);
  expect(client.isOpen).toBe(true);
  await client.close();
  await expectAtRest(home.broker);
}

async function withBroker(settings: Record<string, string>, work: (home: BrokerHome) => Promise<void>): Promise<void> {
  const home = new BrokerHome({ name: 'apart', settings });
  await home.start();
  try {
    await work(home);
  } finally {
    await home.end();
  }
}

test('S031: num.network.threads from 3 to 6 and back under load: connections stay, data flows', LONG, async () => {
  await withBroker({ 'num.network.threads': '3', 'num.io.threads': '2' }, (home) =>
    underLoad(home, async (client, topic) => {
      expect(await change(client, BROKER, ALL_BROKERS, [['num.network.threads', SET, '6']])).toEqual(DONE);
      await reaches(home, 6, 2);
      expect((await settingOf(client, BROKER, '0', 'num.network.threads')).value).toBe('6');
      for (let round = 0; round < 20; round++) await metadata(client, [topic]);
      expect(await change(client, BROKER, ALL_BROKERS, [['num.network.threads', SET, '13']])).toEqual([
        ERROR.INVALID_REQUEST,
        expect.stringContaining('must be from 3 to 12'),
      ]);
      expect(await change(client, BROKER, ALL_BROKERS, [['num.network.threads', DELETE]])).toEqual(DONE);
      await reaches(home, 3, 2);
    }),
  );
});

test('S031: decisions go on while connections move: whoever waits for one is answered, then moves', LONG, async () => {
  await withBroker({ 'num.network.threads': '4', 'num.io.threads': '1' }, async (home) => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(home.port)));
    let going = true;
    const creating = clients.map(async (client) => {
      while (going) await createTopic(client);
    });
    const admin = await RawClient.connect(home.port);
    try {
      for (const count of ['2', '4', '2']) {
        expect(await change(admin, BROKER, ALL_BROKERS, [['num.network.threads', SET, count]])).toEqual(DONE);
        await reaches(home, Number(count), 1);
      }
    } finally {
      going = false;
    }
    await Promise.all(creating);
    await Promise.all([admin, ...clients].map((client) => client.close()));
  });
});

test('S032: num.io.threads 8, 4, 8, 16 under load without an error; 8 to 2 is refused', LONG, async () => {
  await withBroker({ 'num.network.threads': '1', 'num.io.threads': '8' }, (home) =>
    underLoad(home, async (client, topic) => {
      const to = (count: number) => change(client, BROKER, ALL_BROKERS, [['num.io.threads', SET, String(count)]]);
      const refused = [ERROR.INVALID_REQUEST, expect.stringContaining('must be from 4 to 16')];
      expect(await to(2)).toEqual(refused);
      expect(await to(17)).toEqual(refused);
      for (const count of [4, 8, 16]) {
        expect(await to(count)).toEqual(DONE);
        await reaches(home, 1, count);
        for (let round = 0; round < 20; round++) await metadata(client, [topic]);
      }
    }),
  );
});
