/** What a broker refuses to store, with Kafka's codes. The table was checked against Kafka 4.3. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, listOffset, produce, produceRequest, readAll } from '../kit/requests.ts';
import { BAD_BATCHES } from './bad-batches.ts';

inEveryLayout('what is refused', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  describe('X08: validation on produce', () => {
    test.each(BAD_BATCHES)('X08: $title: $code', async ({ code, records, configs = {}, version = 9, named }) => {
      const { name } = await createTopic(client, { configs });
      const answer = await produce(client, name, records(), { version });
      expect(answer.errorCode).toBe(code);
      expect(answer.baseOffset).toBe(code === ERROR.NONE ? 0 : -1);
      const blamed = answer.recordErrors.map(({ batchIndex }) => batchIndex);
      expect(blamed).toEqual(named === undefined ? [] : [named[0]]);
      if (named !== undefined) {
        expect(answer.errorMessage).toMatch(/\.$/);
        for (const { batchIndexErrorMessage } of answer.recordErrors) expect(batchIndexErrorMessage).toMatch(/\.$/);
      }
      // Nothing of it was stored, and the next one is.
      const end = (await listOffset(client, name, -1)).offset;
      expect(end > 0).toBe(code === ERROR.NONE);
      const next = batchOf([{ timestamp: Date.now(), key: new Uint8Array(1), value: null }]);
      expect(await produce(client, name, next)).toMatchObject({ errorCode: ERROR.NONE, baseOffset: end });
    });
  });

  test('X08: an error in one partition does not keep the others out', async () => {
    const { name } = await createTopic(client, { partitions: 3 });
    const { topicData, ...rest } = produceRequest(name, null);
    const damaged = batchOf(['b']);
    damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
    const partitionData = [batchOf(['a']), damaged, batchOf(['c'])].map((records, index) => ({ index, records }));
    const topics = topicData.map((topic) => ({ ...topic, partitionData }));
    const answer = await client.call(Produce, 9, { ...rest, topicData: topics });
    const codes = answer.responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode]);
    expect(codes).toEqual([
      [0, ERROR.NONE],
      [1, ERROR.CORRUPT_MESSAGE],
      [2, ERROR.NONE],
    ]);
    const counts = await Promise.all([0, 1, 2].map((partition) => readAll(client, name, { partition })));
    expect(counts.map(({ length }) => length)).toEqual([1, 0, 1]);
  });

  test('X08: before version 8 there is no place for the record that is to blame', async () => {
    const { name } = await createTopic(client, { configs: { 'cleanup.policy': 'compact' } });
    const answer = await produce(client, name, batchOf(['keyless']), { version: 7 });
    expect(answer).toMatchObject({ errorCode: ERROR.INVALID_RECORD, errorMessage: null });
  });
});
