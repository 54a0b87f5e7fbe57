/** Topics as clients manage them: what they may be called, where their partitions lie, what administration clients see. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { inEveryLayout, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, metadata, produce } from '../kit/requests.ts';
import { createTopics, deleteByName, grow, newTopic } from '../kit/topics.ts';

inEveryLayout('topics', (home) => {
  test('S012: a partition lies in a directory of the topic name, a dash and its number from 0 on', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { name: 'with-dash.and_more', partitions: 3 });
    expect(await grow(client, [{ name, count: 4 }])).toEqual([[name, ERROR.NONE]]);
    for (let partition = 0; partition < 4; partition++) {
      await produce(client, name, batchOf(['x']), { partition });
      const directory = join(home.directory, `${name}-${partition}`);
      expect(statSync(join(directory, '00000000000000000000.log')).size).toBeGreaterThan(0);
    }
    await client.close();
  });

  test('S020: partitions count their offsets apart: each begins at 0', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions: 3 });
    for (const partition of [0, 1, 2, 1]) await produce(client, name, batchOf(['a', 'b']), { partition });
    const ends = await Promise.all(
      [0, 1, 2].map((partition) => produce(client, name, batchOf(['c']), { partition }).then((one) => one.baseOffset)),
    );
    expect(ends).toEqual([2, 4, 2]);
    await client.close();
  });

  test('S046: kafkajs creates, lists, describes, grows and deletes topics', async () => {
    const admin = new Kafka({ clientId: 'kafkajs', brokers: [home.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topic = freshTopic('kafkajs');
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })).toBe(true);
    expect(await admin.listTopics()).toContain(topic);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1, 2, 3, 4]);
    for (const { leader, replicas, isr, partitionErrorCode } of topics[0]?.partitions ?? [])
      expect({ leader, replicas, isr, partitionErrorCode }).toEqual({
        leader: 0,
        replicas: [0],
        isr: [0],
        partitionErrorCode: ERROR.NONE,
      });
    const { brokers, controller, clusterId } = await admin.describeCluster();
    expect({ brokers, controller, clusterId }).toEqual({
      brokers: [{ nodeId: 0, host: '127.0.0.1', port: home.port }],
      controller: 0,
      clusterId: home.broker.clusterId,
    });
    await expect(admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })).rejects.toThrow();
    await admin.deleteTopics({ topics: [topic] });
    expect(await admin.listTopics()).not.toContain(topic);
    await admin.disconnect();
  });

  test('S046: @platformatic/kafka creates, lists, describes, grows and deletes topics', async () => {
    const admin = new Admin({ clientId: 'platformatic', bootstrapBrokers: [home.address], retries: 0 });
    const topic = freshTopic('platformatic');
    expect(await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })).toMatchObject([
      { name: topic, partitions: 2, replicas: 1 },
    ]);
    expect(await admin.listTopics()).toContain(topic);
    const assignments = [{ brokerIds: [0] }, { brokerIds: [0] }, { brokerIds: [0] }];
    await admin.createPartitions({ topics: [{ name: topic, count: 5, assignments }] });
    await expect(admin.createPartitions({ topics: [{ name: topic, count: 5, assignments }] })).rejects.toThrow();
    const described = await admin.metadata({ topics: [topic], forceUpdate: true });
    expect(described.topics.get(topic)?.partitionsCount).toBe(5);
    await admin.deleteTopics({ topics: [topic] });
    expect(await admin.listTopics()).not.toContain(topic);
    await admin.close();
  });
});

inEveryLayout(
  'names of topics',
  (home) => {
    test('X09: legal characters, at most 249 of them, no dots alone, no two that differ in dots and underscores', async () => {
      const client = await RawClient.connect(home.port);
      const errors = async (...names: string[]) =>
        (
          await createTopics(
            client,
            names.map((name) => newTopic(name)),
          )
        ).map(({ errorCode }) => errorCode);
      const { INVALID_TOPIC_EXCEPTION: bad, NONE, TOPIC_ALREADY_EXISTS } = ERROR;
      expect(await errors('', '.', '..', 'a b', 'ü', 'a/b', 'x'.repeat(250))).toEqual([
        bad,
        bad,
        bad,
        bad,
        bad,
        bad,
        bad,
      ]);
      expect(await errors('x'.repeat(249), '...', '-', 'A.b_c-9')).toEqual([NONE, NONE, NONE, NONE]);
      expect(await errors('A.b_c-9')).toEqual([TOPIC_ALREADY_EXISTS]);
      expect(await errors('A_b.c-9')).toEqual([bad]);
      await deleteByName(client, ['A.b_c-9']);
      expect(await errors('A_b.c-9')).toEqual([NONE]);
      expect((await metadata(client, ['a b', '..', freshTopic()])).topics.map(({ errorCode }) => errorCode)).toEqual([
        bad,
        bad,
        ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      ]);
      await client.close();
    });

    test('X09: internal topics may be made, seen and deleted, and only the admin client writes to them', async () => {
      const client = await RawClient.connect(home.port);
      const admin = await RawClient.connect(home.port, '__admin_client');
      for (const name of ['__consumer_offsets', '__transaction_state', '__share_group_state']) {
        expect((await metadata(client, [name], { autoCreate: true })).topics).toMatchObject([
          { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, isInternal: true },
        ]);
        expect(await createTopics(client, [newTopic(name)])).toMatchObject([{ errorCode: ERROR.NONE }]);
        expect((await metadata(client, [name])).topics).toMatchObject([{ errorCode: ERROR.NONE, isInternal: true }]);
        expect((await produce(client, name, batchOf(['x']))).errorCode).toBe(ERROR.INVALID_TOPIC_EXCEPTION);
        expect((await produce(admin, name, batchOf(['x']))).errorCode).toBe(ERROR.NONE);
        expect(await deleteByName(client, [name])).toMatchObject([{ errorCode: ERROR.NONE }]);
      }
      expect(await createTopics(client, [newTopic('__cluster_metadata')])).toMatchObject([
        { errorCode: ERROR.INVALID_REQUEST },
      ]);
      await Promise.all([client.close(), admin.close()]);
    });

    test('X09: of many that create and delete one name at a time, each is told what it did', async () => {
      const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(home.port)));
      const name = freshTopic('race');
      let made = 0;
      let gone = 0;
      await Promise.all(
        clients.map(async (client) => {
          for (let round = 0; round < 8; round++) {
            const created = (await createTopics(client, [newTopic(name)]))[0]?.errorCode;
            if (created === ERROR.NONE) made += 1;
            else expect(created).toBe(ERROR.TOPIC_ALREADY_EXISTS);
            const deleted = (await deleteByName(client, [name]))[0]?.errorCode;
            if (deleted === ERROR.NONE) gone += 1;
            else expect(deleted).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
          }
        }),
      );
      expect(made).toBeGreaterThan(0);
      const left = (await metadata(clients[0] as RawClient, [name])).topics[0]?.errorCode === ERROR.NONE ? 1 : 0;
      expect(made - gone).toBe(left);
      await Promise.all(clients.map((client) => client.close()));
    });
  },
  {},
  [ONE_THREAD],
);
