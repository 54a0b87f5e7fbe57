/** A broker that profiles itself: every thread leaves a file that names the code it ran. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, TWO_BY_ONE, temporaryDirectory } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { eventually } from '../kit/eventually.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, produce, produceRequest } from '../kit/requests.ts';

const directory = temporaryDirectory();
const WAIT_MS = 200;
const OLDER = 'main.cpuprofile';
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Profile {
  readonly nodes: readonly unknown[];
  readonly samples: readonly number[];
}

test('every thread leaves a CPU profile when the broker closes, overwrites none, and requests are timed by phase', async () => {
  writeFileSync(join(directory, OLDER), 'older');
  const home = new BrokerHome(TWO_BY_ONE, { profile: directory });
  const broker = await home.start();
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client);
  for (let i = 0; i < 50; i++) await produce(client, name, batchOf([`${i}`]));
  for (let i = 0; i < 2; i++)
    client.write(client.frame(Produce, 9, produceRequest(name, batchOf(['unanswered']), { acks: 0 })).bytes);
  const { errorCode, batches } = await fetch(client, name, { offset: 52, minBytes: 1, maxWaitMs: WAIT_MS });
  expect([errorCode, batches]).toEqual([0, []]);
  await client.close();
  const { threads: layout, requestTimes } = await eventually(
    () => broker.metrics(),
    (metrics) => metrics.requestTimes?.Fetch?.count === 1,
  );
  const threads = Object.keys(layout);
  expect(requestTimes).toMatchObject({ CreateTopics: { count: 1 }, Produce: { count: 52 }, Fetch: { count: 1 } });
  for (const { queueMs, workMs, waitMs, sendMs } of Object.values(requestTimes ?? {})) {
    expect(Math.min(queueMs, waitMs, sendMs)).toBeGreaterThanOrEqual(0);
    expect(workMs).toBeGreaterThan(0);
  }
  // Nothing comes: the fetch waits for as long as it may, from when its work began.
  const { workMs = 0, waitMs = 0 } = requestTimes?.Fetch ?? {};
  expect(waitMs).toBeGreaterThan(0);
  expect(workMs + waitMs).toBeGreaterThanOrEqual(WAIT_MS);
  await home.end();
  const written = ['main-2', ...threads].map((thread) => `${thread}.cpuprofile`);
  expect(readdirSync(directory).sort()).toEqual([OLDER, 'requests.json', ...written].sort());
  expect(JSON.parse(readFileSync(join(directory, 'requests.json'), 'utf8'))).toEqual(requestTimes);
  expect(readFileSync(join(directory, OLDER), 'utf8')).toBe('older');
  for (const file of written) {
    const { nodes, samples } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Profile;
    expect(nodes.length).toBeGreaterThan(0);
    expect(samples.length).toBeGreaterThan(0);
  }
});

test('a folder that cannot be made ends the start with a sentence', async () => {
  const home = new BrokerHome(TWO_BY_ONE, { profile: join(directory, OLDER, 'below') });
  await expect(home.start()).rejects.toThrow('No profile can be written to');
  await home.end();
});
