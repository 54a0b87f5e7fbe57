/**
 * Admin requests that must fail do so with a code of their own, and nothing fails after them: each is followed by one that
 * is served. Nothing that names a class, a file or an address of another system can be set.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { CreatePartitions } from '../../src/wire/messages/create-partitions.ts';
import { DeleteTopics } from '../../src/wire/messages/delete-topics.ts';
import { DescribeConfigs } from '../../src/wire/messages/describe-configs.ts';
import { IncrementalAlterConfigs } from '../../src/wire/messages/incremental-alter-configs.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { createTopic } from '../kit/requests.ts';

const TOPIC = 2;
const BROKER = 4;
const [SET, APPEND, SUBTRACT, UNKNOWN] = [0, 2, 3, 9];

inEveryLayout('an admin request that fails', (home) => {
  let client: RawClient;
  let name: string;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
    name = (await createTopic(client)).name;
  });
  afterAll(() => client.close());

  async function alter(
    resourceType: number,
    resourceName: string,
    setting: string,
    operation: number,
    value: string | null,
  ) {
    const configs = [{ name: setting, configOperation: operation, value }];
    const request = { resources: [{ resourceType, resourceName, configs }], validateOnly: false };
    return (await client.call(IncrementalAlterConfigs, 1, request)).responses.map(({ errorCode }) => errorCode);
  }

  async function policy(): Promise<(string | null | undefined)[]> {
    const { results } = await client.call(DescribeConfigs, 4, {
      resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: ['cleanup.policy'] }],
      includeSynonyms: false,
      includeDocumentation: false,
    });
    return results.flatMap(({ configs }) => configs.map(({ value }) => value));
  }

  test.each([
    [TOPIC, 'retention.ms', APPEND, '1', ERROR.INVALID_CONFIG],
    [TOPIC, 'retention.ms', SUBTRACT, '1', ERROR.INVALID_CONFIG],
    [TOPIC, 'no.such.setting', APPEND, '1', ERROR.INVALID_CONFIG],
    [TOPIC, 'cleanup.policy', APPEND, 'burn', ERROR.INVALID_CONFIG],
    [TOPIC, 'cleanup.policy', APPEND, null, ERROR.INVALID_REQUEST],
    [TOPIC, 'cleanup.policy', UNKNOWN, 'compact', ERROR.INVALID_REQUEST],
    [BROKER, 'log.dirs', APPEND, '/tmp', ERROR.INVALID_REQUEST],
    [BROKER, 'metric.reporters', SET, 'com.example.Reporter', ERROR.INVALID_REQUEST],
    [BROKER, 'sasl.jaas.config', SET, 'com.sun.security.auth.module.JndiLoginModule required;', ERROR.INVALID_REQUEST],
    [BROKER, 'sasl.oauthbearer.token.endpoint.url', SET, 'file:///etc/passwd', ERROR.INVALID_REQUEST],
  ])('settings of resource %i: %s, operation %i, %s', async (resourceType, setting, operation, value, code) => {
    const before = await policy();
    const resource = resourceType === TOPIC ? name : '';
    expect(await alter(resourceType, resource, setting, operation, value)).toEqual([code]);
    expect(await policy()).toEqual(before);
    expect(await alter(TOPIC, name, 'cleanup.policy', APPEND, 'compact')).toEqual([ERROR.NONE]);
    expect(await policy()).toEqual(['delete,compact']);
    expect(await alter(TOPIC, name, 'cleanup.policy', SUBTRACT, 'compact')).toEqual([ERROR.NONE]);
    expect(await policy()).toEqual(['delete']);
  });

  test('partitions and topics', async () => {
    const grow = async (topic: string, count: number) => {
      const topics = [{ name: topic, count, assignments: null }];
      const { results } = await client.call(CreatePartitions, 3, { topics, timeoutMs: 5_000, validateOnly: false });
      return results.map((result) => [result.name, result.errorCode]);
    };
    expect(await grow(name, 0)).toEqual([[name, ERROR.INVALID_PARTITIONS]]);
    expect(await grow(name, 0x7fffffff)).toEqual([[name, ERROR.POLICY_VIOLATION]]);
    expect(await grow('nowhere', 3)).toEqual([['nowhere', ERROR.UNKNOWN_TOPIC_OR_PARTITION]]);
    expect(await grow(name, 2)).toEqual([[name, ERROR.NONE]]);
    const gone = { topics: [], topicNames: ['nowhere'], timeoutMs: 5_000 };
    expect((await client.call(DeleteTopics, 4, gone)).responses).toMatchObject([
      { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION },
    ]);
    await createTopic(client);
  });
});
