/**
 * Both pools change their sizes at random under load, each step at most half or double: no record is lost, doubled or out of
 * order, no connection dropped. As many times as fit a few seconds; ODRADEK_RESIZES names a number.
 */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { BrokerHome, expectAtRest, TRANSPORT, TWO_BY_ONE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { follower, writer } from '../kit/load.ts';
import { createTopic, metadata, readAll } from '../kit/requests.ts';
import { seedOf } from '../kit/seeds.ts';

const RESIZES = Number(process.env.ODRADEK_RESIZES ?? Number.POSITIVE_INFINITY);
/** Without a number: for so long, and so many at least. */
const GOING_MS = 4_000;
const CHANGES_LEAST = 3;
const LONGEST_MS = 600_000;
const PARTITIONS = 6;
const IDLE = 4;
const THREADS_MAX = 6;

test(
  `thread counts change at random under load (${TRANSPORT})`,
  async () => {
    const dice = new SeededRandom(seedOf('resizing'));
    const home = new BrokerHome(TWO_BY_ONE);
    await home.start();
    const setter = await RawClient.connect(home.port);
    const { name } = await createTopic(setter, { partitions: PARTITIONS });
    const idle = await Promise.all(Array.from({ length: IDLE }, () => RawClient.connect(home.port)));
    const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
    const counts = partitions.map(() => Number.POSITIVE_INFINITY);
    let going = true;
    const writers = partitions.map(async (partition) => {
      counts[partition] = await writer(home.port, name, partition, () => going, true);
    });
    const followers = partitions.map((partition) =>
      follower(home.port, name, partition, () => counts[partition] as number),
    );
    const next = (count: number): number => {
      const least = Math.ceil(count / 2);
      return least + dice.below(Math.min(THREADS_MAX, count * 2) - least + 1);
    };
    const resized = (async () => {
      let sizes = { network: 2, io: 1 };
      const until = performance.now() + (Number.isFinite(RESIZES) ? LONGEST_MS : GOING_MS);
      let done = 0;
      for (; done < RESIZES && (done < CHANGES_LEAST || performance.now() < until); done++) {
        sizes = { network: next(sizes.network), io: next(sizes.io) };
        await home.broker.resize(sizes);
        const { roles } = await home.broker.metrics();
        const of = (letter: string) => Object.keys(roles).filter((role) => role.startsWith(letter)).length;
        expect({ network: of('p'), io: of('h') }).toEqual(sizes);
        await Promise.all(idle.map((client) => metadata(client, [name])));
      }
      return done;
    })().finally(() => {
      going = false;
    });
    const done = await resized;
    await Promise.all([...writers, ...followers]);
    process.stderr.write(
      `resizing (${TRANSPORT}): ${done} changes, ${counts.reduce((sum, count) => sum + count)} batches\n`,
    );
    if (Number.isFinite(RESIZES)) expect(done).toBe(RESIZES);
    for (const partition of partitions)
      expect(await readAll(setter, name, { partition })).toHaveLength(counts[partition] as number);
    expect([setter, ...idle].every(({ isOpen }) => isOpen)).toBe(true);
    await Promise.all([setter, ...idle].map((client) => client.close()));
    await expectAtRest(home.broker);
    await home.end();
  },
  LONGEST_MS + 30_000,
);
