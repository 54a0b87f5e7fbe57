/** Incremental fetches: a session remembers the partitions, answers carry what changed, epochs must fit. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { BYTES_MAX, createTopic, type Fetched, fetchedOf, produce } from '../kit/requests.ts';

const BY_NAME = 12;
const BY_ID = 17;

interface Asked {
  readonly topic: { readonly name: string; readonly id: string };
  readonly partition: number;
  readonly offset: number;
}

class Session {
  id = 0;
  epoch = 0;
  readonly #client: RawClient;
  readonly #version: number;

  constructor(client: RawClient, version: number) {
    this.#client = client;
    this.#version = version;
  }

  /** One fetch of the session; the epoch counts up unless the answer is an error. */
  async fetch(asked: readonly Asked[], forgotten: readonly Asked[] = []): Promise<{ error: number; found: Fetched[] }> {
    const answer = await this.#client.ask(Fetch, this.#version, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: BYTES_MAX,
      isolationLevel: 0,
      sessionId: this.id,
      sessionEpoch: this.epoch,
      topics: asked.map(({ topic, partition, offset }) => ({
        topic: topic.name,
        topicId: topic.id,
        partitions: [
          {
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: offset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: BYTES_MAX,
          },
        ],
      })),
      forgottenTopicsData: forgotten.map(({ topic, partition }) => ({
        topic: topic.name,
        topicId: topic.id,
        partitions: [partition],
      })),
      rackId: '',
    });
    if (answer.body.errorCode === 0) {
      this.id = answer.body.sessionId;
      this.epoch += 1;
    }
    return { error: answer.body.errorCode, found: fetchedOf(answer) };
  }
}

inEveryLayout('fetch sessions', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each([BY_NAME, BY_ID])('carry only what changed, version %i', async (version) => {
    const topic = await createTopic(client, { partitions: 3 });
    const at = (partition: number, offset: number): Asked => ({ topic, partition, offset });
    const session = new Session(client, version);
    const full = await session.fetch([at(0, 0), at(1, 0), at(2, 0)]);
    expect(session.id).toBeGreaterThan(0);
    expect(full.found.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    expect((await session.fetch([])).found).toEqual([]);
    await produce(client, topic.name, batchOf(['a']), { partition: 1 });
    const first = await session.fetch([]);
    expect(
      first.found.map(({ partition, highWatermark, batches }) => [partition, highWatermark, batches.length]),
    ).toEqual([[1, 1, 1]]);
    // The offset stands until the client moves it.
    expect((await session.fetch([])).found.map(({ partition }) => partition)).toEqual([1]);
    expect((await session.fetch([at(1, 1)])).found).toEqual([]);
    await produce(client, topic.name, batchOf(['b']), { partition: 2 });
    await produce(client, topic.name, batchOf(['c']), { partition: 0 });
    expect((await session.fetch([], [at(2, 0)])).found.map(({ partition }) => partition)).toEqual([0]);
    expect((await session.fetch([at(0, 1)])).found).toEqual([]);
    expect((await session.fetch([at(2, 0)])).found.map(({ partition }) => partition)).toEqual([2]);
  });

  test.each([BY_NAME, BY_ID])('refuse a wrong epoch and an unknown id, version %i', async (version) => {
    const topic = await createTopic(client);
    const session = new Session(client, version);
    await session.fetch([{ topic, partition: 0, offset: 0 }]);
    session.epoch = 5;
    expect((await session.fetch([])).error).toBe(ERROR.INVALID_FETCH_SESSION_EPOCH);
    session.epoch = 1;
    expect((await session.fetch([])).error).toBe(0);
    const unknown = new Session(client, version);
    unknown.id = 12_345;
    unknown.epoch = 1;
    expect((await unknown.fetch([])).error).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
  });

  test('end when asked to, and are replaced by a new one', async () => {
    const topic = await createTopic(client);
    const asked = [{ topic, partition: 0, offset: 0 }];
    const session = new Session(client, BY_ID);
    await session.fetch(asked);
    const before = session.id;
    session.epoch = 0;
    await session.fetch(asked);
    expect(session.id).not.toBe(before);
    const old = new Session(client, BY_ID);
    old.id = before;
    old.epoch = 1;
    expect((await old.fetch([])).error).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    const last = session.id;
    session.epoch = -1;
    const { error, found } = await session.fetch(asked);
    expect([error, found.length, session.id]).toEqual([0, 1, 0]);
    const gone = new Session(client, BY_ID);
    gone.id = last;
    gone.epoch = 1;
    expect((await gone.fetch([])).error).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
  });

  test('keep to names or to ids', async () => {
    const topic = await createTopic(client);
    const session = new Session(client, BY_NAME);
    await session.fetch([{ topic, partition: 0, offset: 0 }]);
    const other = new Session(client, BY_ID);
    other.id = session.id;
    other.epoch = session.epoch;
    expect((await other.fetch([])).error).toBe(ERROR.FETCH_SESSION_TOPIC_ID_ERROR);
  });

  test('tell of an error in every answer, and of its end', async () => {
    const topic = await createTopic(client);
    const session = new Session(client, BY_NAME);
    const missing = { topic: { name: 'not-there-yet', id: topic.id }, partition: 0, offset: 0 };
    const codes = async () =>
      (await session.fetch(session.id === 0 ? [missing] : [])).found.map(({ errorCode }) => errorCode);
    expect(await codes()).toEqual([ERROR.UNKNOWN_TOPIC_OR_PARTITION]);
    expect(await codes()).toEqual([ERROR.UNKNOWN_TOPIC_OR_PARTITION]);
    await createTopic(client, { name: 'not-there-yet' });
    expect(await codes()).toEqual([0]);
    expect(await codes()).toEqual([]);
  });

  test('go with their connection', async () => {
    const topic = await createTopic(client);
    const { total } = await home.broker.metrics();
    const other = await RawClient.connect(home.port);
    await new Session(other, BY_ID).fetch([{ topic, partition: 0, offset: 0 }]);
    expect((await home.broker.metrics()).total.fetchSessions).toBe(total.fetchSessions + 1);
    await other.close();
    await expect.poll(async () => (await home.broker.metrics()).total.fetchSessions).toBe(total.fetchSessions);
  });
});
