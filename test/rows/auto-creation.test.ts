/** Topics that are made because somebody asks for them, where both sides allow it. */
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BrokerHome, LAYOUTS, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kcatOk, kcatRead } from '../kit/kcat.ts';
import { batchOf } from '../kit/records.ts';
import { freshTopic, metadata, produce } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const SWITCH = ['true', 'false'] as const;

test.each(SWITCH)('X10: auto.create.topics.enable=%s and what the client allows decide together', async (enabled) => {
  const settings = { 'auto.create.topics.enable': enabled, 'num.partitions': '2' };
  const home = new BrokerHome(ONE_THREAD, { settings });
  await home.start();
  const client = await RawClient.connect(home.port);
  for (const [version, autoCreate] of [
    [1, true],
    [4, false],
    [4, true],
    [9, true],
    [12, false],
    [12, true],
    [13, true],
  ] as const) {
    const name = freshTopic('auto');
    const made = enabled === 'true' && autoCreate;
    const [topic] = (await metadata(client, [name], { version, autoCreate })).topics;
    expect(topic).toMatchObject({ name, errorCode: made ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION });
    expect(topic?.partitions.map(({ leaderId }) => leaderId)).toEqual(made ? [0, 0] : []);
    // Whoever was answered can produce at once.
    const { errorCode } = await produce(client, name, batchOf(['first']), { partition: 1 });
    expect(errorCode).toBe(made ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await metadata(client, [name])).topics[0]?.errorCode).toBe(topic?.errorCode);
  }
  expect((await metadata(client, ['bad name'], { autoCreate: true })).topics).toMatchObject([
    { errorCode: ERROR.INVALID_TOPIC_EXCEPTION, partitions: [] },
  ]);
  // All topics, and topics by id, make none.
  const before = (await metadata(client, null, { autoCreate: true })).topics.length;
  expect((await metadata(client, null)).topics).toHaveLength(before);
  await client.close();
  await home.end();
});

test.each(LAYOUTS)('X10: many that ask for one new topic at a time get the same one ($name)', async (layout) => {
  const home = new BrokerHome(layout);
  await home.start();
  const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(home.port)));
  const name = freshTopic('auto');
  const answers = await Promise.all(clients.map((client) => metadata(client, [name], { autoCreate: true })));
  const ids = new Set(answers.map(({ topics }) => topics[0]?.topicId));
  expect(answers.map(({ topics }) => topics[0]?.errorCode)).toEqual(Array(8).fill(ERROR.NONE));
  expect(ids.size).toBe(1);
  const offsets = await Promise.all(clients.map((client) => produce(client, name, batchOf(['x']))));
  expect(offsets.map(({ baseOffset }) => baseOffset).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  await Promise.all(clients.map((client) => client.close()));
  await home.end();
});

test.skipIf(!hasTool('kcat'))('X10: kcat produces to and reads from topics that were not there', async () => {
  const home = new BrokerHome(ONE_THREAD);
  await home.start();
  for (let round = 0; round < 3; round++) {
    const topic = freshTopic('kcat');
    await kcatOk(['-P', '-b', home.address, '-t', topic], 'one\ntwo\n');
    expect((await kcatRead(home.address, topic)).map(({ payload }) => payload)).toEqual(['one', 'two']);
  }
  await home.end();
});
