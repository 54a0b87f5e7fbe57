/**
 * Requests that fit a frame and mean far more than their bytes: a million elements, one thing named again and again, settings
 * of many megabytes. They are answered or hung up on; nothing of it grows with the square of its size, ends the controller
 * or takes more than its bound.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { DescribeConfigs } from '../../src/wire/messages/describe-configs.ts';
import { DescribeLogDirs } from '../../src/wire/messages/describe-log-dirs.ts';
import { DescribeProducers } from '../../src/wire/messages/describe-producers.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { IncrementalAlterConfigs } from '../../src/wire/messages/incremental-alter-configs.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { OffsetForLeaderEpoch } from '../../src/wire/messages/offset-for-leader-epoch.ts';
import { DECIDED_ELEMENTS_MAX, REQUEST_ELEMENTS_MAX } from '../../src/wire/reader.ts';
import type { RequestInput } from '../../src/wire/schema.ts';
import { inEveryLayout, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, FETCH_VERSION, fetchRequest, freshTopic, produce } from '../kit/requests.ts';

const TEXT_BYTES_MAX = 0x7fff;

function many<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

function metadataOf(count: number): RequestInput<typeof Metadata> {
  return {
    topics: many(count, () => ({ name: '', topicId: ZERO_UUID })),
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  };
}

function configsOf(names: readonly string[]): RequestInput<typeof DescribeConfigs> {
  const resources = names.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: null }));
  return { resources, includeSynonyms: true, includeDocumentation: true };
}

function altered(name: string, configs: readonly (readonly [string, string])[]) {
  const operations = configs.map(([setting, value]) => ({ name: setting, configOperation: 0, value }));
  const request = { resources: [{ resourceType: 2, resourceName: name, configs: operations }], validateOnly: false };
  return request satisfies RequestInput<typeof IncrementalAlterConfigs>;
}

inEveryLayout(
  'requests that mean much',
  (home) => {
    let client: RawClient;
    beforeAll(async () => {
      client = await RawClient.connect(home.port);
    });
    afterAll(() => client.close());

    test('name as many things as are taken, and no more', async () => {
      const answer = await client.call(Metadata, 9, metadataOf(REQUEST_ELEMENTS_MAX));
      expect(answer.topics).toMatchObject([{ errorCode: ERROR.INVALID_TOPIC_EXCEPTION }]);
      const other = await RawClient.connect(home.port);
      await expect(other.call(Metadata, 9, metadataOf(REQUEST_ELEMENTS_MAX + 1))).rejects.toThrow('closed');
      await other.ended;
    });

    test('name fewer things where the main thread answers', async () => {
      const names = (count: number) => configsOf(many(count, () => 'missing'));
      const answer = await client.call(DescribeConfigs, 4, names(DECIDED_ELEMENTS_MAX));
      expect(answer.results).toMatchObject([{ errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }]);
      const other = await RawClient.connect(home.port);
      await expect(other.call(DescribeConfigs, 4, names(DECIDED_ELEMENTS_MAX + 1))).rejects.toThrow('closed');
      await other.ended;
    });

    test('name one resource again and again, and get it described once', async () => {
      const { name } = await createTopic(client);
      const { results } = await client.call(DescribeConfigs, 4, configsOf(many(20_000, () => name)));
      expect(results).toHaveLength(1);
      expect(results[0]?.configs.length).toBeGreaterThan(10);
    });

    test('name partitions again and again: producers and directories of each are described once', async () => {
      const { name } = await createTopic(client, { partitions: 2 });
      const indexes = many(20_000, (index) => index % 2);
      const producers = await client.call(DescribeProducers, 0, {
        topics: many(2, () => ({ name, partitionIndexes: indexes })),
      });
      expect(producers.topics).toMatchObject([{ name, partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }]);
      const topics = many(DECIDED_ELEMENTS_MAX / 2, (index) => ({ topic: name, partitions: [index] }));
      const directories = await client.call(DescribeLogDirs, 4, { topics });
      expect(directories.results[0]?.topics[0]?.partitions).toHaveLength(2);
    });

    test('fetch one partition again and again: the last word counts', async () => {
      const { name } = await createTopic(client);
      await produce(client, name, batchOf(['a']));
      const times = 20_000;
      const request = fetchRequest(name, { partitions: many(times, () => 0), offset: 9 });
      const topics = request.topics.map(({ partitions, ...topic }) => ({
        ...topic,
        partitions: partitions.map((partition, at) => (at < times - 1 ? partition : { ...partition, fetchOffset: 1 })),
      }));
      const answer = await client.call(Fetch, FETCH_VERSION, { ...request, topics });
      expect(answer.responses[0]?.partitions).toMatchObject([{ errorCode: ERROR.NONE, highWatermark: 1 }]);
    });

    // Far beyond what a ring holds: what waits outside of it must not cost more the more waits.
    test('ask one owner a hundred thousand times', async () => {
      const { name } = await createTopic(client);
      const asked = { partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 };
      const topics = [{ topic: name, partitions: many(100_000, () => asked) }];
      const answer = await client.call(OffsetForLeaderEpoch, 4, { replicaId: -1, topics });
      expect(answer.topics[0]?.partitions).toHaveLength(100_000);
    });

    test('get sentences that fit an answer, whatever they quote', async () => {
      const { name } = await createTopic(client);
      const long = 'x'.repeat(TEXT_BYTES_MAX);
      const unknown = many(5_000, (index): [string, string] => [`no.such.setting.${index}`, '1']);
      for (const configs of [[['retention.ms', long] as const], unknown]) {
        const { responses } = await client.call(IncrementalAlterConfigs, 1, altered(name, configs));
        expect(responses).toMatchObject([{ errorCode: ERROR.INVALID_CONFIG }]);
        expect(responses[0]?.errorMessage?.length).toBeLessThan(2_000);
      }
    });

    test('set more than a decision may write: what fits is done, the rest refused, and the controller decides on', async () => {
      // Each character takes seven bytes in the journal.
      const value = '\u0001'.repeat(TEXT_BYTES_MAX);
      const configs = ['leader', 'follower'].map((side) => ({ name: `${side}.replication.throttled.replicas`, value }));
      const topics = many(160, () => ({
        name: freshTopic('full'),
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs,
      }));
      const answer = await client.call(CreateTopics, 5, { topics, timeoutMs: 30_000, validateOnly: false });
      const codes = answer.topics.map(({ errorCode }) => errorCode);
      const taken = codes.indexOf(ERROR.POLICY_VIOLATION);
      expect(taken).toBeGreaterThan(50);
      expect(codes).toEqual(codes.map((_, index) => (index < taken ? ERROR.NONE : ERROR.POLICY_VIOLATION)));
      await createTopic(client);
    });

    test('and all of it is there after a restart', async () => {
      const everything = { ...metadataOf(0), topics: null };
      const before = await client.call(Metadata, 9, everything);
      await client.close();
      await home.restart();
      client = await RawClient.connect(home.port);
      const after = await client.call(Metadata, 9, everything);
      expect(after.topics.map(({ name }) => name).sort()).toEqual(before.topics.map(({ name }) => name).sort());
    });
  },
  {},
  [ONE_THREAD],
);
