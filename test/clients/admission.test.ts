/**
 * What stands before a batch's way into the log: compressed batches that must be opened are suspended and let nothing behind
 * them pass; acks=all demands as many in-sync replicas as the topic says.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CODEC } from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { encodeBatch, type NewRecord } from '../../src/wire/records.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, kernels, textOf, utf8 } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';

const KEYLESS: readonly NewRecord[] = ['a', 'b'].map((value) => ({ timestamp: 1, key: null, value: utf8(value) }));

function gzip(plain: Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(plain));
}

/** The last byte of the last record is missing. */
function torn(plain: Uint8Array): Uint8Array {
  return gzip(plain.subarray(0, plain.length - 1));
}

function garbage(): Uint8Array {
  return new Uint8Array([1, 2, 3]);
}

/** A batch that says gzip over whatever `compress` makes of its records. */
function gzipped(records: readonly NewRecord[], compress: (plain: Uint8Array) => Uint8Array = gzip): Uint8Array {
  return encodeBatch({ records, codec: CODEC.GZIP, compress }, kernels);
}

inEveryLayout(
  'full validation of compressed batches',
  (home) => {
    let client: RawClient;
    beforeAll(async () => {
      client = await RawClient.connect(home.port);
    });
    afterAll(() => client.close());

    test('suspended batches and the ones behind them enter in order', async () => {
      const { name } = await createTopic(client);
      const count = 60;
      const answers = Array.from({ length: count }, (_, index) =>
        produce(client, name, index % 3 === 0 ? gzipped(KEYLESS) : batchOf([`${index}`, 'x'])),
      );
      const offsets = (await Promise.all(answers)).map(({ errorCode, baseOffset }) => ({ errorCode, baseOffset }));
      expect(offsets).toEqual(Array.from({ length: count }, (_, index) => ({ errorCode: 0, baseOffset: index * 2 })));
      expect(await readAll(client, name)).toHaveLength(count);
    });

    test('a batch that does not open, or whose records are wrong, is refused and holds nobody up', async () => {
      const { name } = await createTopic(client);
      const sent = [gzipped(KEYLESS, torn), batchOf(['good']), gzipped(KEYLESS, garbage), gzipped(KEYLESS)];
      const answers = await Promise.all(sent.map((batch) => produce(client, name, batch)));
      expect(answers.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
        [ERROR.INVALID_RECORD, -1],
        [ERROR.NONE, 0],
        [ERROR.CORRUPT_MESSAGE, -1],
        [ERROR.NONE, 1],
      ]);
    });
  },
  { settings: { 'compressed.batch.validation': 'full' } },
);

inEveryLayout('admission', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test('a compacted topic takes no record without a key, compressed or not', async () => {
    const { name } = await createTopic(client, { configs: { 'cleanup.policy': 'compact' } });
    expect((await produce(client, name, batchOf(KEYLESS))).errorCode).toBe(ERROR.INVALID_RECORD);
    expect((await produce(client, name, gzipped(KEYLESS))).errorCode).toBe(ERROR.INVALID_RECORD);
    const keyed = KEYLESS.map((record) => ({ ...record, key: utf8('k') }));
    expect(await produce(client, name, gzipped(keyed))).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  test('by default the records of a compressed batch are not opened', async () => {
    const { name } = await createTopic(client);
    expect((await produce(client, name, gzipped(KEYLESS, torn))).errorCode).toBe(0);
  });

  test('one broker is not two in-sync replicas: acks=all is refused, acks=1 is not', async () => {
    const { name } = await createTopic(client, { configs: { 'min.insync.replicas': '2' } });
    expect((await produce(client, name, batchOf(['a']))).errorCode).toBe(ERROR.NOT_ENOUGH_REPLICAS);
    expect((await produce(client, name, batchOf(['b']), { acks: 1 })).errorCode).toBe(0);
    const batches = await readAll(client, name);
    expect(batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)))).toEqual(['b']);
  });
});
