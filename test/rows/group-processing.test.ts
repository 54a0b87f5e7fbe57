/**
 * Consumers that say themselves what is done, and when they are still there: without automatic commits nothing is committed, and
 * what takes longer than a session is theirs as long as they heartbeat beside it. Time passes by the broker's clock.
 */
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { Kafka, type Consumer as KafkajsConsumer, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { FaultBoard } from '../kit/faults/board.ts';
import { committedOffset, coordinated, describeGroup } from '../kit/group-calls.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, produce } from '../kit/requests.ts';

const RECORDS = ['0', '1', '2', '3', '4'];
const SESSION_MS = 30_000;
/** Shorter than a session by more than a busy machine takes for a heartbeat; two of them are longer. */
const STEP_MS = 20_000;
const WITHIN_MS = 30_000;

const board = new FaultBoard();
const home = new BrokerHome(ONE_THREAD, { settings: {}, ...board.options });
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
});
afterAll(() => home.end());

async function filled() {
  const { name: topic } = await createTopic(client);
  const group = freshTopic('group');
  await coordinated(client, group);
  await produce(client, topic, batchOf(RECORDS));
  return { topic, group };
}

/** One that joins, reads what there is from where its group stands, commits as far as it is told, and goes. */
type Life = (topic: string, group: string, count: number, commitTo: number | null) => Promise<string[]>;

function kafkajsConsumer(groupId: string): KafkajsConsumer {
  const kafka = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING });
  return kafka.consumer({ groupId, sessionTimeout: SESSION_MS, heartbeatInterval: 100, maxWaitTimeInMs: 100 });
}

const kafkajs: Life = async (topic, group, count, commitTo) => {
  const consumer = kafkajsConsumer(group);
  const read: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      read.push(String(message.value));
    },
  });
  await eventually(
    () => read.length,
    (now) => now >= count,
    WITHIN_MS,
  );
  if (commitTo !== null) await consumer.commitOffsets([{ topic, partition: 0, offset: String(commitTo) }]);
  await consumer.disconnect();
  return read;
};

function platformatic(groupProtocol: 'classic' | 'consumer'): Life {
  return async (topic, group, count, commitTo) => {
    const consumer = new Consumer({
      clientId: 'platformatic',
      bootstrapBrokers: [home.address],
      groupId: group,
      groupProtocol,
      deserializers: stringDeserializers,
      maxWaitTime: 100,
    });
    const read: string[] = [];
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    });
    stream.on('data', ({ value }) => read.push(value ?? ''));
    await eventually(
      () => read.length,
      (now) => now >= count,
      WITHIN_MS,
    );
    const offsets = { topic, partition: 0, offset: BigInt(commitTo ?? 0), leaderEpoch: 0 };
    if (commitTo !== null) await consumer.commit({ offsets: [offsets] });
    await stream.close();
    await consumer.close();
    return read;
  };
}

test.each([
  ['kafkajs', kafkajs],
  ['@platformatic/kafka', platformatic('classic')],
  ['@platformatic/kafka, consumer protocol', platformatic('consumer')],
] as const)(
  'S108: without automatic commits a group stands where it was told to, and else reads again: %s',
  async (_, live) => {
    const { topic, group } = await filled();
    for (let round = 0; round < 2; round++) {
      expect(await live(topic, group, RECORDS.length, null)).toEqual(RECORDS);
      expect(await committedOffset(client, group, topic)).toBe(-1);
    }
    expect(await live(topic, group, RECORDS.length, 3)).toEqual(RECORDS);
    expect(await committedOffset(client, group, topic)).toBe(3);
    expect(await live(topic, group, 2, null)).toEqual(RECORDS.slice(3));
    expect(await committedOffset(client, group, topic)).toBe(3);
  },
);

/** Its first record takes until it is released; everything it was ever given is in `given`. */
async function working(topic: string, group: string, beatsMeanwhile: boolean) {
  const consumer = kafkajsConsumer(group);
  const given: string[] = [];
  let beats = 0;
  let isReleased = false;
  consumer.on(consumer.events.HEARTBEAT, () => {
    beats += 1;
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 50,
    eachMessage: async ({ message, heartbeat }) => {
      given.push(String(message.value));
      const busy = async () => {
        if (beatsMeanwhile && !isReleased) await heartbeat();
        return isReleased;
      };
      await eventually(busy, Boolean, 2 * WITHIN_MS);
    },
  });
  await eventually(
    () => given.length,
    (now) => now > 0,
    WITHIN_MS,
  );
  return {
    given,
    release: () => {
      isReleased = true;
    },
    /** The broker has answered a heartbeat that was sent from now on. */
    beatsAgain: async () => {
      const before = beats;
      return eventually(
        () => beats,
        (now) => now >= before + 2,
        WITHIN_MS,
      );
    },
    stop: () => consumer.disconnect(),
  };
}

test('S112: whoever heartbeats while it works keeps its partitions for longer than a session, whoever does not is out', async () => {
  const [apart, blocked] = [await filled(), await filled()];
  const beating = await working(apart.topic, apart.group, true);
  const silent = await working(blocked.topic, blocked.group, false);
  const before = await describeGroup(client, apart.group);
  for (let step = 0; step < 2; step++) {
    board.pass(STEP_MS);
    await beating.beatsAgain();
  }
  const gone = await eventually(
    () => describeGroup(client, blocked.group),
    ({ groupState }) => groupState === 'Empty',
    WITHIN_MS,
  );
  expect(gone.members).toEqual([]);
  expect(await describeGroup(client, apart.group)).toEqual(before);
  expect(before.members).toHaveLength(1);
  // What was done beside heartbeats is committed; what was not is for whoever joins, here the same one again.
  for (const worker of [beating, silent]) worker.release();
  const stands = async ({ group, topic }: { group: string; topic: string }) =>
    eventually(
      () => committedOffset(client, group, topic),
      (offset) => offset === RECORDS.length,
      WITHIN_MS,
    );
  expect(await Promise.all([stands(apart), stands(blocked)])).toEqual([RECORDS.length, RECORDS.length]);
  expect(beating.given).toEqual(RECORDS);
  expect(silent.given.filter((value) => value === '0')).toHaveLength(2);
  await Promise.all([beating.stop(), silent.stop()]);
});
