/** A small heap is enough: what is large lies outside of it, in the page cache most of all. */
import { readFileSync, rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { BrokerHome, eventually, ONE_THREAD, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce } from '../kit/requests.ts';

const ROUNDS = 100;
const ROUND_BYTES = 900_000;
const MEMORY_MAX = 256 * 1_048_576;

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  if (directory !== '') rmSync(directory, { recursive: true, force: true });
});

test.runIf(process.platform === 'linux')(
  'S145: with a heap of 128 MB the broker takes and gives 90 MB, and stays below 256 MB',
  async () => {
    directory = temporaryDirectory();
    const small = ['env', 'NODE_OPTIONS=--max-old-space-size=128'];
    running = await new BrokerProcess(directory, ONE_THREAD, {}, small).listening();
    const client = await RawClient.connect(running.port);
    const { name } = await createTopic(client);
    for (let round = 0; round < ROUNDS; round++) {
      const { errorCode } = await produce(client, name, filledBatch(`${round}`, 9, ROUND_BYTES / 9));
      expect(errorCode).toBe(0);
    }
    for (let offset = 0; offset < ROUNDS * 9; offset += 9) {
      const { errorCode, batches } = await fetch(client, name, { offset, partitionMaxBytes: 1_000_000 });
      expect([errorCode, batches[0]?.baseOffset]).toEqual([0, offset]);
    }
    const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
    const resident = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
    expect(resident).toBeGreaterThan(0);
    expect(resident).toBeLessThan(MEMORY_MAX);
    await client.close();
    await running.stop();
    running = null;
  },
  90_000,
);

test('S145: how late the event loop is can be read', async () => {
  const home = new BrokerHome(ONE_THREAD);
  const broker = await home.start();
  try {
    const end = performance.now() + 300;
    while (performance.now() < end);
    const { eventLoop } = await eventually(
      () => broker.metrics(),
      (metrics) => metrics.eventLoop.delayMaxMs > 0,
    );
    expect(eventLoop.delayMaxMs).toBeGreaterThan(0);
    expect(eventLoop.delayP99Ms).toBeLessThanOrEqual(eventLoop.delayMaxMs);
  } finally {
    await home.end();
  }
});
