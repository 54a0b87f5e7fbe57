/** Places where the protocol is not what one would think; those that belong to one API are with that API's tests. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { DeleteTopics } from '../../src/wire/messages/delete-topics.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { InitProducerId } from '../../src/wire/messages/init-producer-id.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, listOffset, metadata, produce, produceRequest } from '../kit/requests.ts';

const GET_TELEMETRY_SUBSCRIPTIONS = 71;
const PUSH_TELEMETRY = 72;
const INIT_PRODUCER_ID_STABLE = 5;
/** From these versions on topics go by id. */
const PRODUCE_BY_ID = 13;
const FETCH_BY_ID = 13;

inEveryLayout('wire traps', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  async function versions(): Promise<Map<number, readonly [number, number]>> {
    const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' };
    const { apiKeys } = await client.call(ApiVersions, 4, software);
    return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
  }

  test('Produce is said to begin at 0, and its versions 0 to 2 are not served', async () => {
    expect((await versions()).get(Produce.key)?.[0]).toBe(0);
    const { name } = await createTopic(client);
    for (const version of [0, 1, 2]) {
      const one = await RawClient.connect(home.port);
      const { bytes } = one.frame(Produce, 3, produceRequest(name, batchOf(['v'])));
      bytes.writeInt16BE(version, 6);
      one.write(bytes);
      await one.ended;
    }
    expect((await listOffset(client, name, -1)).offset).toBe(0);
  });

  test('telemetry is not offered: clients would use it at once', async () => {
    const served = await versions();
    expect([served.has(GET_TELEMETRY_SUBSCRIPTIONS), served.has(PUSH_TELEMETRY)]).toEqual([false, false]);
  });

  test('no unstable version is offered', async () => {
    expect((await versions()).get(InitProducerId.key)?.[1]).toBeLessThanOrEqual(INIT_PRODUCER_ID_STABLE);
  });

  test('the id of a deleted topic is not that of its successor of the same name', async () => {
    const served = await versions();
    expect(served.get(Produce.key)?.[1]).toBeGreaterThanOrEqual(PRODUCE_BY_ID);
    expect(served.get(Fetch.key)?.[1]).toBeGreaterThanOrEqual(FETCH_BY_ID);
    const before = await createTopic(client);
    expect(
      (await produce(client, '', batchOf(['old']), { version: PRODUCE_BY_ID, topicId: before.id })).errorCode,
    ).toBe(0);
    const { responses } = await client.call(DeleteTopics, 6, {
      topics: [{ name: before.name, topicId: '\0'.repeat(16) }],
      topicNames: [],
      timeoutMs: 10_000,
    });
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([0]);
    const after = await createTopic(client, { name: before.name });
    expect(after.id).not.toBe(before.id);
    const produced = (topicId: string) => produce(client, '', batchOf(['new']), { version: PRODUCE_BY_ID, topicId });
    const fetched = (topicId: string) => fetch(client, '', { version: FETCH_BY_ID, topicId });
    expect((await produced(before.id)).errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
    expect((await fetched(before.id)).errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
    expect(await produced(after.id)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await fetched(after.id)).toMatchObject({ errorCode: 0, highWatermark: 1 });
  });

  test('Metadata: an empty list means all topics in version 0, none later, where null means all', async () => {
    const { name } = await createTopic(client);
    const names = async (version: number, list: readonly string[] | null) =>
      (await metadata(client, list, { version })).topics.map((topic) => topic.name);
    expect(await names(0, [])).toContain(name);
    for (const version of [1, 8, 12]) {
      expect(await names(version, [])).toEqual([]);
      expect(await names(version, null)).toContain(name);
    }
  });

  test('ListOffsets: the negative timestamps, in the newest version', async () => {
    const { name } = await createTopic(client);
    const records = [3_000, 9_000, 5_000].map((timestamp) => ({ timestamp, key: null, value: Buffer.from('v') }));
    await produce(client, name, batchOf(records));
    const found = await Promise.all(
      [-1, -2, -3, -4, -5, -6].map(async (timestamp) => {
        const { errorCode, offset, timestamp: at } = await listOffset(client, name, timestamp);
        return [timestamp, errorCode, offset, at];
      }),
    );
    expect(found).toEqual([
      [-1, 0, 3, -1],
      [-2, 0, 0, -1],
      [-3, 0, 1, 9_000],
      [-4, 0, 0, -1],
      [-5, 0, -1, -1],
      [-6, 0, -1, -1],
    ]);
  });
});
