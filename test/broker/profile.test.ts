/** A broker that profiles itself: every thread leaves a file that names the code it ran. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { BrokerHome, TWO_BY_ONE, temporaryDirectory } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, produce } from '../kit/requests.ts';

const directory = temporaryDirectory();
const OLDER = 'main.cpuprofile';
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Profile {
  readonly nodes: readonly unknown[];
  readonly samples: readonly number[];
}

test('every thread leaves a CPU profile when the broker closes, and overwrites none', async () => {
  writeFileSync(join(directory, OLDER), 'older');
  const home = new BrokerHome(TWO_BY_ONE, { profile: directory });
  const broker = await home.start();
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client);
  for (let i = 0; i < 50; i++) await produce(client, name, batchOf([`${i}`]));
  await client.close();
  const threads = Object.keys((await broker.metrics()).threads);
  await home.end();
  const written = ['main-2', ...threads].map((thread) => `${thread}.cpuprofile`);
  expect(readdirSync(directory).sort()).toEqual([OLDER, ...written].sort());
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
