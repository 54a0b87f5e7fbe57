/**
 * The second of two ways to exactly once: a consumer keeps its offset with its results, in one transaction of its own database,
 * and the broker keeps none for it. (The first way, a transaction of Kafka's, is not served yet.)
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { BrokerHome, ONE_THREAD, temporaryDirectory } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, fetch, produce } from '../kit/requests.ts';
import { seedOf } from '../kit/seeds.ts';

const RECORDS = 300;
const LIVES_MAX = 1_000;

const home = new BrokerHome(ONE_THREAD);
beforeAll(() => home.start());
afterAll(() => home.end());

/** One life of the consumer: it begins where its database says, and ends in the middle of something. True when all is done. */
async function live(client: RawClient, topic: string, path: string, random: SeededRandom): Promise<boolean> {
  const database = new DatabaseSync(path);
  try {
    database.exec('CREATE TABLE IF NOT EXISTS results (value TEXT); CREATE TABLE IF NOT EXISTS place (next INTEGER)');
    const insert = database.prepare('INSERT INTO results VALUES (?)');
    const move = database.prepare('UPDATE place SET next = ?');
    let next = Number(database.prepare('SELECT next FROM place').get()?.next ?? -1);
    if (next < 0) {
      database.exec('INSERT INTO place VALUES (0)');
      next = 0;
    }
    while (next < RECORDS) {
      const { batches } = await fetch(client, topic, { offset: next });
      const records = batches.flatMap(({ baseOffset, records: all }) =>
        all.map(({ value }, index) => ({ offset: baseOffset + index, value: textOf(value) })),
      );
      for (const { offset, value } of records.filter((record) => record.offset >= next)) {
        database.exec('BEGIN');
        insert.run(value);
        // It dies between its result and its place; what is not committed has not been.
        if (random.below(20) === 0) return false;
        move.run(offset + 1);
        database.exec('COMMIT');
        next = offset + 1;
        // Or between two records.
        if (random.below(20) === 0) return false;
      }
    }
    return true;
  } finally {
    database.close();
  }
}

test('S114: an offset kept with the results gives each record once, however often the consumer dies', async () => {
  let client = await RawClient.connect(home.port);
  const { name: topic } = await createTopic(client);
  const values = Array.from({ length: RECORDS }, (_, index) => `${index}`);
  for (let at = 0; at < RECORDS; at += 10) await produce(client, topic, batchOf(values.slice(at, at + 10)));
  const random = new SeededRandom(seedOf('offsets in a database'));
  const folder = temporaryDirectory();
  const path = join(folder, 'results.db');
  let lives = 1;
  for (; !(await live(client, topic, path, random)); lives++) {
    expect(lives).toBeLessThan(LIVES_MAX);
    if (lives !== 5) continue;
    // The broker has nothing to remember.
    await client.close();
    await home.restart();
    client = await RawClient.connect(home.port);
  }
  const database = new DatabaseSync(path);
  expect(database.prepare('SELECT value FROM results').all()).toEqual(values.map((value) => ({ value })));
  database.close();
  expect(lives).toBeGreaterThan(5);
  await client.close();
  rmSync(folder, { recursive: true });
});
