/** Idempotent producers over restarts: a batch that is sent again because its answer was lost is there once. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { LAYOUTS, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { describeProducers } from '../kit/offsets.ts';
import { batchOf, filledBatch, textOf } from '../kit/records.ts';
import { createTopic, initProducer, produce, readAll } from '../kit/requests.ts';

const MIB = 1_048_576;

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  rmSync(directory, { recursive: true, force: true });
});

function snapshots(topic: string): number[] {
  return readdirSync(join(directory, `${topic}-0`))
    .filter((name) => /^\d{20}\.snapshot$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

describe.each(LAYOUTS)(`idempotent producers ($name, ${TRANSPORT})`, (layout) => {
  async function started(): Promise<RawClient> {
    running = await new BrokerProcess(directory, layout).listening();
    return RawClient.connect(running.port);
  }

  test.each(['clean restart', 'kill -9'])('X03: a retry behind a %s leaves one copy', async (how) => {
    directory = temporaryDirectory();
    let client = await started();
    const { name } = await createTopic(client, { configs: { 'segment.bytes': String(MIB) } });
    const { producerId, producerEpoch } = await initProducer(client);
    const at = (baseSequence: number, value: string) => batchOf([value], { producerId, producerEpoch, baseSequence });
    // Enough for a second segment, so that a snapshot is written on the way.
    const batches = [
      filledBatch('0', 1, 600_000, { producerId, producerEpoch, baseSequence: 0 }),
      filledBatch('1', 1, 600_000, { producerId, producerEpoch, baseSequence: 1 }),
      at(2, '2'),
      at(3, '3'),
    ];
    for (const [offset, bytes] of batches.entries()) {
      expect(await produce(client, name, bytes)).toMatchObject({ errorCode: 0, baseOffset: offset });
    }
    expect(snapshots(name)).toContain(1);
    // The answer to this one is lost: nobody waits for it.
    const lost = produce(client, name, at(4, '4')).catch(() => null);
    if (how === 'kill -9') await running?.kill();
    else await running?.stop();
    await lost;
    await client.close();
    if (how === 'clean restart') expect(snapshots(name).at(-1)).toBeGreaterThanOrEqual(4);
    client = await started();
    expect(await produce(client, name, at(4, '4'))).toMatchObject({ errorCode: 0, baseOffset: 4 });
    expect(await produce(client, name, at(4, '4'))).toMatchObject({ errorCode: 0, baseOffset: 4 });
    // A snapshot has each producer's last batch: one before it is known as old, or where it lies.
    const older = await produce(client, name, at(3, '3'));
    expect([ERROR.NONE, ERROR.DUPLICATE_SEQUENCE_NUMBER]).toContain(older.errorCode);
    expect((await produce(client, name, at(6, '6'))).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produce(client, name, at(5, '5'))).toMatchObject({ errorCode: 0, baseOffset: 5 });
    const values = (await readAll(client, name)).map(({ records }) => textOf(records[0]?.value ?? null)?.[0]);
    expect(values).toEqual(['0', '1', '2', '3', '4', '5']);
    expect((await describeProducers(client, name)).activeProducers).toMatchObject([
      { producerId, producerEpoch, lastSequence: 5 },
    ]);
    await client.close();
  });

  test('X03: each producer keeps its own sequence over a kill -9', async () => {
    directory = temporaryDirectory();
    let client = await started();
    const { name } = await createTopic(client);
    const producers = await Promise.all(Array.from({ length: 5 }, () => initProducer(client)));
    const last = producers.map((producer, index) =>
      batchOf([`last of ${index}`], { ...producer, baseSequence: index }),
    );
    for (const [index, producer] of producers.entries()) {
      for (let sequence = 0; sequence < index; sequence++) {
        const bytes = batchOf(['before'], { ...producer, baseSequence: sequence });
        expect((await produce(client, name, bytes)).errorCode).toBe(0);
      }
    }
    const offsets: number[] = [];
    for (const bytes of last) offsets.push((await produce(client, name, bytes)).baseOffset);
    await running?.kill();
    await client.close();
    client = await started();
    for (const [index, bytes] of last.entries()) {
      expect(await produce(client, name, bytes)).toMatchObject({ errorCode: 0, baseOffset: offsets[index] });
    }
    expect(await readAll(client, name)).toHaveLength(15);
    await client.close();
  });
});
