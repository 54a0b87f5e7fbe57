/**
 * What many partitions cost: one topic with 10,000 of them, and 100 topics with 100 each, every one written once. Memory
 * and CPU of the broker at rest, and how long it takes to start again after a clean end and after kill -9.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZERO_UUID } from '../src/base/uuid.ts';
import { Metadata } from '../src/wire/messages/metadata.ts';
import { Produce } from '../src/wire/messages/produce.ts';
import { RawClient } from '../test/kit/client.ts';
import { batchOf } from '../test/kit/records.ts';
import { end, start } from './kit/broker-process.ts';
import { cpuSeconds, memoryOf } from './kit/process.ts';
import type { Row, Suite, SuiteOptions } from './kit/suite.ts';
import { createTopic } from './kit/topics.ts';

const IDLE_SECONDS = 5;
/** Partitions named by one produce request. */
const WRITE_AT_ONCE = 500;

interface Shape {
  readonly topics: number;
  readonly partitions: number;
}

async function create(client: RawClient, { topics, partitions }: Shape): Promise<void> {
  for (let topic = 0; topic < topics; topic++) await createTopic(client, `many-${topic}`, partitions);
}

async function writeEach(client: RawClient, { topics, partitions }: Shape): Promise<void> {
  for (let topic = 0; topic < topics; topic++) {
    for (let from = 0; from < partitions; from += WRITE_AT_ONCE) {
      const length = Math.min(WRITE_AT_ONCE, partitions - from);
      const partitionData = Array.from({ length }, (_, index) => ({
        index: from + index,
        records: batchOf(['value']),
      }));
      const topicData = [{ name: `many-${topic}`, topicId: ZERO_UUID, partitionData }];
      const request = { transactionalId: null, acks: -1, timeoutMs: 60_000, topicData };
      const { responses } = await client.call(Produce, 9, request);
      const failed = responses[0]?.partitionResponses.find(({ errorCode }) => errorCode !== 0);
      if (failed !== undefined) throw new Error(`produce: ${failed.errorCode} in partition ${failed.index}`);
    }
  }
}

async function askAll(client: RawClient): Promise<void> {
  const request = {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  };
  await client.call(Metadata, 12, request);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Resident memory in MiB and CPU in percent of one core, while nothing happens. */
async function atRest(pid: number): Promise<{ mib: number; note: string; percent: number }> {
  await sleep(2_000);
  const before = cpuSeconds(pid);
  await sleep(IDLE_SECONDS * 1_000);
  const percent = ((cpuSeconds(pid) - before) / IDLE_SECONDS) * 100;
  const { anonymousBytes, fileBytes, sharedBytes } = memoryOf(pid);
  const mib = (bytes: number): number => Math.round(bytes / 1_048_576);
  const note = `anonymous ${mib(anonymousBytes)}, files ${mib(fileBytes)}, shared ${mib(sharedBytes)}`;
  return { mib: mib(anonymousBytes + fileBytes + sharedBytes), note, percent };
}

async function measure(shape: Shape, { progress }: SuiteOptions): Promise<Row[]> {
  const about = `${shape.topics} × ${shape.partitions}`;
  const rows: Row[] = [];
  const row = (name: string, value: number, unit: string, note = ''): void => {
    rows.push({ name: `${about}, ${name}`, value, unit, note });
    progress(`${about}, ${name}: ${value.toFixed(0)} ${unit} ${note}`);
  };
  const directory = mkdtempSync(join(tmpdir(), 'odradek-bench-'));
  let broker = await start(directory);
  try {
    row('start, empty', broker.startMs, 'ms');
    const client = await RawClient.connect(broker.port);
    row('created', await timed(() => create(client, shape)), 'ms');
    row('each written once', await timed(() => writeEach(client, shape)), 'ms');
    row('metadata of all', await timed(() => askAll(client)), 'ms');
    const { mib, note, percent } = await atRest(broker.pid);
    row('memory', mib, 'MiB', note);
    row('idle', percent, '%');
    await client.close();
    row('clean end', await end(broker, 'SIGTERM'), 'ms');
    broker = await start(directory);
    row('start after a clean end', broker.startMs, 'ms');
    const again = await atRest(broker.pid);
    row('memory after a clean start', again.mib, 'MiB', again.note);
    await end(broker, 'SIGKILL');
    broker = await start(directory);
    row('start after kill -9', broker.startMs, 'ms');
    return rows;
  } finally {
    await end(broker, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

export const suite: Suite = {
  question: 'what 10,000 partitions cost: memory, idle CPU, creation, and starts after a clean end and after kill -9',
  async run(options) {
    const share = options.quick ? 10 : 1;
    const shapes = [
      { topics: 1, partitions: 10_000 / share },
      { topics: 100 / share, partitions: 100 },
    ];
    const rows: Row[] = [];
    for (const shape of shapes) rows.push(...(await measure(shape, options)));
    return rows;
  },
};
