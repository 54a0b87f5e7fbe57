/** ApiVersions, the question before all others, and Metadata and CreateTopics in all their versions. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { createTopic, freshTopic, metadata } from '../kit/requests.ts';

function range([first, last]: readonly [number, number]): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

inEveryLayout('the first questions', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each(range(ApiVersions.versions))('ApiVersions version %i says what is served', async (version) => {
    const answer = await client.call(ApiVersions, version, { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' });
    expect(answer.errorCode).toBe(0);
    const served = ALL_APIS.map(({ key, versions: [min, max] }) => [key, key === 0 ? 0 : min, max]);
    expect(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])).toEqual(
      served,
    );
  });

  test.each([5, 100, 32_767])(
    'ApiVersions version %i is answered in version 0 with error 35 and the list',
    async (version) => {
      const { bytes, correlationId } = client.frame(ApiVersions, 3, {
        clientSoftwareName: 'raw',
        clientSoftwareVersion: '1.0',
      });
      bytes.writeInt16BE(version, 6);
      const answer = client.expect(ApiVersions, 0, correlationId);
      client.write(bytes);
      const { body } = await answer;
      expect(body.errorCode).toBe(ERROR.UNSUPPORTED_VERSION);
      expect(body.apiKeys.map(({ apiKey }) => apiKey)).toContain(ApiVersions.key);
    },
  );

  test.each([
    ['', '1.0'],
    ['-raw', '1.0'],
    ['raw', '1.0-'],
    ['raw client', '1.0'],
    ['raw', '1/0'],
  ])('client software %j %j is refused with error 42', async (clientSoftwareName, clientSoftwareVersion) => {
    const answer = await client.call(ApiVersions, 3, { clientSoftwareName, clientSoftwareVersion });
    expect(answer.errorCode).toBe(ERROR.INVALID_REQUEST);
  });

  test('bytes behind a request are left alone: librdkafka 2.15 sends some in Metadata version 13', async () => {
    const { bytes, correlationId } = client.frame(Metadata, 13, {
      topics: [],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    const longer = Buffer.concat([bytes, Buffer.alloc(3)]);
    longer.writeInt32BE(longer.length - 4, 0);
    const answer = client.expect(Metadata, 13, correlationId);
    client.write(longer);
    expect((await answer).body).toMatchObject({ errorCode: 0, topics: [] });
  });

  test.each(range(Metadata.versions))('Metadata version %i', async (version) => {
    const { name, id } = await createTopic(client, { partitions: 2 });
    const answer = await metadata(client, [name], { version });
    expect(answer.brokers.map(({ nodeId, host, port }) => [nodeId, host, port])).toEqual([[0, '127.0.0.1', home.port]]);
    if (version >= 1) expect(answer.controllerId).toBe(0);
    if (version >= 2) expect(answer.clusterId).toBe(home.broker.clusterId);
    const [topic] = answer.topics;
    expect([topic?.errorCode, topic?.name]).toEqual([0, name]);
    if (version >= 10) expect(topic?.topicId).toBe(id);
    expect(
      topic?.partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => [
        partitionIndex,
        leaderId,
        replicaNodes,
        isrNodes,
      ]),
    ).toEqual([
      [0, 0, [0], [0]],
      [1, 0, [0], [0]],
    ]);
    const all = await metadata(client, version === 0 ? [] : null, { version });
    expect(all.topics.map((one) => one.name)).toContain(name);
    if (version > 0) expect((await metadata(client, [], { version })).topics).toEqual([]);
  });

  test('a topic by its id', async () => {
    const { name, id } = await createTopic(client);
    const ask = (topicId: string) =>
      client.call(Metadata, 12, {
        topics: [{ topicId, name: null }],
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      });
    expect((await ask(id)).topics[0]).toMatchObject({ errorCode: 0, name });
    expect((await ask('\x01'.repeat(16))).topics[0]).toMatchObject({ errorCode: ERROR.UNKNOWN_TOPIC_ID, name: null });
  });

  test.each(range(CreateTopics.versions))('CreateTopics version %i', async (version) => {
    const name = freshTopic('created');
    const topic = {
      name,
      numPartitions: 3,
      replicationFactor: 1,
      assignments: [],
      configs: [{ name: 'retention.ms', value: '1000' }],
    };
    const create = async (validateOnly: boolean) =>
      (await client.call(CreateTopics, version, { topics: [topic], timeoutMs: 5_000, validateOnly })).topics[0];
    const checked = await create(true);
    expect(checked?.errorCode).toBe(0);
    expect((await metadata(client, [name])).topics[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const created = await create(false);
    expect(created?.errorCode).toBe(0);
    if (version >= 5) {
      expect(created).toMatchObject({ numPartitions: 3, replicationFactor: 1 });
      expect(created?.configs?.find((config) => config.name === 'retention.ms')?.value).toBe('1000');
      expect(checked?.configs).toEqual(created?.configs);
    }
    if (version >= 7) expect(created?.topicId).not.toBe(ZERO_UUID);
    expect((await metadata(client, [name])).topics[0]?.partitions).toHaveLength(3);
    expect((await create(false))?.errorCode).toBe(ERROR.TOPIC_ALREADY_EXISTS);
  });

  test.each([
    [{ name: 'a b' }, ERROR.INVALID_TOPIC_EXCEPTION],
    [{ numPartitions: 0 }, ERROR.INVALID_PARTITIONS],
    [{ replicationFactor: 2 }, ERROR.INVALID_REPLICATION_FACTOR],
    [{ configs: [{ name: 'no.such.setting', value: '1' }] }, ERROR.INVALID_CONFIG],
    [{ configs: [{ name: 'retention.ms', value: 'long' }] }, ERROR.INVALID_CONFIG],
  ])('CreateTopics refuses %j', async (wrong, errorCode) => {
    const topic = {
      name: freshTopic('wrong'),
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
      ...wrong,
    };
    const answer = await client.call(CreateTopics, 7, { topics: [topic], timeoutMs: 5_000, validateOnly: false });
    expect(answer.topics[0]?.errorCode).toBe(errorCode);
    expect(answer.topics[0]?.errorMessage).toBeTruthy();
  });
});
