/** A small heap is enough: what is large lies outside of it, in the page cache most of all. */
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { BrokerHome, eventually, ONE_THREAD, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { MemoryLimit } from '../kit/memory-limit.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce } from '../kit/requests.ts';

const ROUNDS = 100;
const ROUND_BYTES = 900_000;
const MEMORY_MAX = 256 * 1_048_576;
const SMALL_HEAP = ['env', 'NODE_OPTIONS=--max-old-space-size=128'];

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  if (directory !== '') rmSync(directory, { recursive: true, force: true });
});

/** Starts a broker behind these words, gives it 90 MB of records and takes them back. */
async function takesAndGives(before: readonly string[]): Promise<BrokerProcess> {
  directory = temporaryDirectory();
  running = await new BrokerProcess(directory, ONE_THREAD, {}, before).listening();
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
  await client.close();
  return running;
}

if (process.platform === 'linux')
  test('S145: with a heap of 128 MB the broker takes and gives 90 MB, and stays below 256 MB', async () => {
    const broker = await takesAndGives(SMALL_HEAP);
    const status = readFileSync(`/proc/${broker.child.pid}/status`, 'utf8');
    const resident = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
    expect(resident).toBeGreaterThan(0);
    expect(resident).toBeLessThan(MEMORY_MAX);
    await broker.stop();
    running = null;
  }, 90_000);

afterAll(() => limit?.remove());

// The transport makes no difference to it.
const limit = process.env.ODRADEK_TRANSPORT === 'portable' ? null : MemoryLimit.make('s145', MEMORY_MAX);
if (limit !== null)
  test('S145: where the kernel gives it 256 MB, page cache included, it does the same', async () => {
    const broker = await takesAndGives([...limit.words, ...SMALL_HEAP]);
    // The records alone are 90 MB of page cache: it did run within the group.
    expect(limit.peakBytes).toBeGreaterThan(ROUNDS * ROUND_BYTES);
    expect(limit.peakBytes).toBeLessThanOrEqual(MEMORY_MAX);
    await broker.stop();
    running = null;
  }, 90_000);

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
