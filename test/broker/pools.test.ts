/** The pools change their size under load: no connection is dropped, no answer lost or out of order, nothing is left held. */
import { expect, test } from 'vitest';
import { BrokerHome, expectAtRest, inEveryLayout, ONE_THREAD, TRANSPORT, TWO_BY_ONE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { follower, writer } from '../kit/load.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, metadata, produce, readAll } from '../kit/requests.ts';

const PARTITIONS = 8;
const SIZES = [1, 2, 4, 2, 1];

inEveryLayout('resizing', (home) => {
  test('1, 2, 4, 2, 1 while clients write and follow', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions: PARTITIONS });
    const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
    let going = true;
    const counts = partitions.map(() => Number.POSITIVE_INFINITY);
    const writers = partitions.map(async (partition) => {
      counts[partition] = await writer(home.port, name, partition, () => going);
    });
    const followers = partitions.map((partition) =>
      follower(home.port, name, partition, () => counts[partition] as number),
    );
    const resized = (async () => {
      for (const size of SIZES) {
        await home.broker.resize({ network: size, io: size });
        const { roles } = await home.broker.metrics();
        expect(Object.keys(roles).sort()).toEqual(
          ['a0', 'b0', ...partitions.slice(0, size).flatMap((index) => [`h${index}`, `p${index}`])].sort(),
        );
        // Traffic goes over each size.
        for (let round = 0; round < 20; round++) await metadata(client, [name]);
      }
    })();
    await resized.finally(() => {
      going = false;
    });
    await Promise.all([...writers, ...followers]);
    for (const partition of partitions) {
      expect(await readAll(client, name, { partition })).toHaveLength(counts[partition] as number);
    }
    await client.close();
    await expectAtRest(home.broker);
  });

  test('with idle connections, which all stay and are spread', async () => {
    const clients = await Promise.all(Array.from({ length: 24 }, () => RawClient.connect(home.port)));
    for (const size of [3, 1, 4]) {
      await home.broker.resize({ network: size, io: 1 });
      const answers = await Promise.all(clients.map((client) => metadata(client, [])));
      expect(answers).toHaveLength(24);
      const { roles, connections } = await home.broker.metrics();
      expect(connections).toBe(24);
      const open = Object.entries(roles)
        .filter(([name]) => name.startsWith('p'))
        .map(([, { connectionsOpen }]) => connectionsOpen);
      expect(open).toHaveLength(size);
      expect(open.reduce((sum, count) => sum + count, 0)).toBe(24);
      if (size === 1) continue;
      for (const count of open) expect(count).toBeGreaterThan(0);
    }
    expect(clients.every(({ isOpen }) => isOpen)).toBe(true);
    await Promise.all(clients.map((client) => client.close()));
    await expectAtRest(home.broker);
  });

  test('to what cannot be is refused', async () => {
    await expect(home.broker.resize({ network: 0, io: 1 })).rejects.toThrow(RangeError);
    await expect(home.broker.resize({ network: 1, io: 10_000 })).rejects.toThrow(RangeError);
    await home.broker.resize({ network: 1, io: 1 });
  });
});

test(`several brokers in one process know nothing of each other (${TRANSPORT})`, async () => {
  const homes = [new BrokerHome(ONE_THREAD), new BrokerHome(TWO_BY_ONE), new BrokerHome(ONE_THREAD)];
  await Promise.all(homes.map((home) => home.start()));
  try {
    const clients = await Promise.all(homes.map((home) => RawClient.connect(home.port)));
    await Promise.all(
      clients.map(async (client, index) => {
        await createTopic(client, { name: 'same-name' });
        for (let round = 0; round <= index; round++) await produce(client, 'same-name', batchOf([`${index}`]));
      }),
    );
    for (const [index, client] of clients.entries()) {
      const values = (await readAll(client, 'same-name')).map(({ records }) => textOf(records[0]?.value ?? null));
      expect(values).toEqual(Array(index + 1).fill(`${index}`));
    }
    await clients[0]?.close();
    await homes[0]?.stop();
    expect(await readAll(clients[2] as RawClient, 'same-name')).toHaveLength(3);
    await Promise.all(clients.map((client) => client.close()));
  } finally {
    for (const home of homes) await home.end();
  }
});
