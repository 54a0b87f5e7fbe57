/** What must not happen to all partitions in the same instant: time-based rolls are spread, looks for old segments, too; many at once lose nothing. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid, ZERO_UUID } from '../../src/base/uuid.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, ONE_THREAD, TRANSPORT, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath } from '../kit/filling.ts';
import { baseOffsetOf, logFiles } from '../kit/log-files.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, PRODUCE_VERSION, readAll } from '../kit/requests.ts';
import { config, environment, batchOf as logBatch, NOW } from '../log/fixture.ts';
import { HandlerBench } from '../runtime/handler/handler-kit.ts';
import { SimulatedDisk } from '../sim/disk.ts';

/** Ends with a sync for each of thousands of files, which a busy disk takes its time for. */
const SLOW_MS = 240_000;

/** Seconds after the first record at which each of 100 partitions that get a record a second begins its second segment. */
function rollTimes(segmentJitterMs: number): number[] {
  const world = environment(new SimulatedDisk(), 64, 42);
  const result = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };
  const ids = new SeededRandom(1);
  const logs = Array.from({ length: 100 }, (_, partition) =>
    PartitionLog.open({
      ...world,
      directory: `/data/orders-${partition}`,
      topic: 'orders',
      partition,
      topicId: randomUuid(ids),
      config: config({ segmentMs: 60_000, segmentJitterMs }),
      now: NOW,
      cleanShutdown: true,
      recoveryPoint: 0,
    }),
  );
  const rolled: number[] = logs.map(() => -1);
  for (let second = 0; second <= 62; second++) {
    const now = NOW + second * 1_000;
    for (const [index, log] of logs.entries()) {
      const memory = logBatch({ timestamp: now });
      log.stage(memory, 0, memory.bytes.length, 0, now, result, 'client');
      expect(result.errorCode).toBe(0);
      log.write();
      if (log.segmentCount > 1 && rolled[index] === -1) rolled[index] = second;
    }
  }
  return rolled;
}

test('S006: with segment.jitter.ms half of segment.ms rolls spread over more than 20 seconds, without it they bunch', () => {
  const spread = rollTimes(30_000);
  expect(Math.min(...spread)).toBeGreaterThanOrEqual(30);
  expect(Math.max(...spread)).toBeLessThanOrEqual(61);
  expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThanOrEqual(20);
  // Nowhere more than a few at a time.
  const busiest = Math.max(...spread.map((second) => spread.filter((other) => other === second).length));
  expect(busiest).toBeLessThan(15);
  expect(new Set(rollTimes(0))).toEqual(new Set([61]));
});

test.each(TRANSPORT === 'native' ? [ONE_THREAD, TWO_BY_THREE] : [TWO_BY_THREE])(
  'S009: 500 partitions that roll at once answer all and lose nothing ($name)',
  async (layout) => {
    const home = new BrokerHome(layout);
    const partitions = 500;
    try {
      const client = await RawClient.connect((await home.start()).port);
      const { name } = await createTopic(client, { partitions, configs: { 'segment.ms': '1000' } });
      const start = Date.now() - 100_000;
      /** One request for all partitions: what each answers. */
      const round = async (number: number, timestamp: number) => {
        const partitionData = Array.from({ length: partitions }, (_, index) => {
          const value = Buffer.from(`${number} of ${index}`);
          return { index, records: batchOf([{ timestamp, key: null, value }]) };
        });
        const answer = await client.call(Produce, PRODUCE_VERSION, {
          transactionalId: null,
          acks: -1,
          timeoutMs: 60_000,
          topicData: [{ name, topicId: ZERO_UUID, partitionData }],
        });
        return answer.responses[0]?.partitionResponses ?? [];
      };
      for (let number = 0; number < 3; number++) {
        const answers = await round(number, start + number * 2_000);
        expect(answers.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
          Array.from({ length: partitions }, (_, index) => index),
        );
        for (const { errorCode, baseOffset } of answers) expect([errorCode, baseOffset]).toEqual([0, number]);
      }
      for (let partition = 0; partition < partitions; partition++) {
        const files = logFiles(partitionPath(home.directory, name, partition), '.log');
        expect(files.map(baseOffsetOf)).toEqual([0, 1, 2]);
        const batches = await readAll(client, name, { partition });
        const values = batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)));
        expect(values).toEqual([0, 1, 2].map((number) => `${number} of ${partition}`));
      }
      await client.close();
    } finally {
      await home.end();
    }
  },
  SLOW_MS,
);

test('S010: partitions are looked at for old segments at moments of their own, each once in an interval', () => {
  const retentionCheckMs = 300_000;
  const bench = new HandlerBench({ retentionCheckMs, seed: 4, ringSlots: 128 });
  const count = 100;
  const messages = Array.from({ length: count }, (_, slot) =>
    bench.partition(slot, { retentionMs: 1_000, segmentBytes: 100, fileDeleteDelayMs: 0 }),
  );
  expect(bench.control({ kind: 'open', partitions: messages })).toEqual([{ value: [], error: null }]);
  const seconds = retentionCheckMs / 1_000;
  /** How many partitions lost a segment in each second of an interval. */
  const looks = () => {
    for (let slot = 0; slot < count; slot++) bench.append(slot, logBatch({ timestamp: NOW - 10_000 }).bytes, slot);
    bench.turn();
    expect(bench.received()).toHaveLength(count);
    const bases = () =>
      messages.map(({ directory }) => bench.disk.list(directory).find((name) => name.endsWith('.log')));
    let before = bases();
    return Array.from({ length: seconds }, () => {
      bench.clock.advance(1_000);
      bench.handler.count();
      const now = bases();
      const looked = now.filter((base, index) => base !== before[index]).length;
      before = now;
      return looked;
    });
  };
  for (const interval of [looks(), looks()]) {
    expect(interval.reduce((sum, one) => sum + one, 0)).toBe(count);
    expect(Math.max(...interval)).toBeLessThan(10);
    expect(interval.filter((one) => one > 0).length).toBeGreaterThan(50);
  }
});
