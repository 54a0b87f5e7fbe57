/**
 * A start after kill -9, with data in many partitions: how long until it serves, and how much it reads, when the kernel has lived
 * on (what was written since the last marks) and as after a power cut (everything beyond the recovery points). The data stays in
 * the page cache as far as there is room for it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZERO_UUID } from '../src/base/uuid.ts';
import { Produce } from '../src/wire/messages/produce.ts';
import { RawClient } from '../test/kit/client.ts';
import { filledBatch } from '../test/kit/records.ts';
import { end, type Running, start } from './kit/broker-process.ts';
import { readBytes } from './kit/process.ts';
import type { Row, Suite, SuiteOptions } from './kit/suite.ts';
import { createTopic } from './kit/topics.ts';

const TOPIC = 'recovered';
const BATCH_BYTES = 65_536;
/** Partitions named by one request. */
const WRITE_AT_ONCE = 50;
const MARK_EVERY_MS = 4_000;
const SETTINGS = [`log.flush.offset.checkpoint.interval.ms=${MARK_EVERY_MS}`];

interface Amounts {
  readonly partitions: number;
  readonly batchesEach: number;
}

const AMOUNTS: Amounts = { partitions: 1_000, batchesEach: 16 };
const FULL_AMOUNTS: Amounts = { partitions: 1_000, batchesEach: 160 };
const QUICK_AMOUNTS: Amounts = { partitions: 50, batchesEach: 4 };

async function write(client: RawClient, { partitions, batchesEach }: Amounts): Promise<void> {
  const records = filledBatch('value', 16, BATCH_BYTES / 16 - 20);
  for (let round = 0; round < batchesEach; round++) {
    for (let from = 0; from < partitions; from += WRITE_AT_ONCE) {
      const length = Math.min(WRITE_AT_ONCE, partitions - from);
      const partitionData = Array.from({ length }, (_, index) => ({ index: from + index, records }));
      const topicData = [{ name: TOPIC, topicId: ZERO_UUID, partitionData }];
      const request = { transactionalId: null, acks: -1, timeoutMs: 60_000, topicData };
      const { responses } = await client.call(Produce, 9, request);
      const failed = responses[0]?.partitionResponses.find(({ errorCode }) => errorCode !== 0);
      if (failed !== undefined) throw new Error(`produce: ${failed.errorCode} in partition ${failed.index}`);
    }
  }
}

async function measure(amounts: Amounts, { directory: parent, progress }: SuiteOptions): Promise<Row[]> {
  const directory = mkdtempSync(join(parent, 'odradek-recovery-'));
  const rows: Row[] = [];
  const bytes = amounts.partitions * amounts.batchesEach * BATCH_BYTES;
  const about = `${(bytes / 1e9).toFixed(2)} GB in ${amounts.partitions} partitions`;
  const started = async (name: string): Promise<Running> => {
    const broker = await start(directory, SETTINGS);
    const read = `${(readBytes(broker.pid) / 1e6).toFixed(0)} MB read`;
    rows.push({ name: `${about}, ${name}`, value: broker.startMs, unit: 'ms', note: read });
    progress(`${name}: ${broker.startMs.toFixed(0)} ms, ${read}`);
    return broker;
  };
  let broker = await started('start, empty');
  try {
    const client = await RawClient.connect(broker.port);
    await createTopic(client, TOPIC, amounts.partitions);
    await write(client, amounts);
    // Every partition has its turn.
    await sleep(2 * MARK_EVERY_MS);
    await write(client, { ...amounts, batchesEach: 1 });
    await client.close();
    await end(broker, 'SIGKILL');
    broker = await started('start after kill -9');
    await end(broker, 'SIGKILL');
    rmSync(join(directory, 'odradek-kernel'));
    broker = await started('start as after a power cut');
    const began = await end(broker, 'SIGTERM');
    rows.push({ name: `${about}, clean end`, value: began, unit: 'ms' });
    broker = await started('start after a clean end');
    rows.push({ name: `${about}, clean end of what did not change`, value: await end(broker, 'SIGTERM'), unit: 'ms' });
    return rows;
  } finally {
    if (broker.child.exitCode === null && broker.child.signalCode === null) await end(broker, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

export const suite: Suite = {
  question: 'a start after kill -9 with data in 1,000 partitions: how long, and how much of it is read (--full: 10 GB)',
  run: (options) => measure(options.quick ? QUICK_AMOUNTS : options.full ? FULL_AMOUNTS : AMOUNTS, options),
};
