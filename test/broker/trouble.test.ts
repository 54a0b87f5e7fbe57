/** What goes wrong on the side is said in the log; it ends neither the broker nor the process that the broker lives in. */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { CODEC, CRC_AT, HEADER_BYTES, setCrc } from '../../src/wire/batch.ts';
import { BrokerHome, eventually, LAYOUTS, TRANSPORT } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, kernels } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';
import { Said } from '../kit/said.ts';

const CHECKPOINT = 'recovery-point-offset-checkpoint';

let heard: Said;
let home: BrokerHome;

/** Of a gzip batch that takes a while to open, and whose records are then found to be none. */
function slowBatch(): Uint8Array {
  const sound = batchOf(['x'], { codec: CODEC.GZIP });
  const bytes = new Uint8Array(Buffer.concat([sound.subarray(0, HEADER_BYTES), gzipSync(Buffer.alloc(30_000_000))]));
  const memory = memoryOver(bytes);
  memory.view.setInt32(8, bytes.length - 12);
  setCrc(memory.view, 0, kernels.crc32c(memory, CRC_AT + 4, bytes.length - CRC_AT - 4));
  return bytes;
}

describe.each(LAYOUTS)(`trouble on the side ($name, ${TRANSPORT})`, (layout) => {
  const settings = { 'log.flush.offset.checkpoint.interval.ms': '20', 'compressed.batch.validation': 'full' };

  beforeEach(() => {
    heard = new Said();
    home = new BrokerHome(layout, { settings, logger: heard.logger });
  });
  afterEach(() => home.end());

  const said = (event: string) => heard.of(event).length;

  test('a checkpoint that cannot be written is said, and written when it can be', async () => {
    await home.start();
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    // In the way of the file that would take its place.
    const obstacle = join(home.directory, `${CHECKPOINT}.tmp`);
    mkdirSync(obstacle);
    expect(
      await eventually(
        () => said('checkpoint.failed'),
        (count) => count > 1,
      ),
    ).toBeGreaterThan(1);
    expect((await produce(client, name, batchOf(['a']))).errorCode).toBe(0);
    rmdirSync(obstacle);
    const written = () => {
      const path = join(home.directory, CHECKPOINT);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    };
    expect(await eventually(written, (text) => text.includes(`${name} 0`))).toContain(`${name} 0`);
    await client.close();
  });

  test('nor does it keep a broker from closing: the next start looks at everything again', async () => {
    await home.start();
    let client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    await produce(client, name, batchOf(['a']));
    await client.close();
    const obstacle = join(home.directory, `${CHECKPOINT}.tmp`);
    mkdirSync(obstacle);
    await home.stop();
    expect(said('broker.closed')).toBe(1);
    expect(existsSync(join(home.directory, '.kafka_cleanshutdown'))).toBe(false);
    rmdirSync(obstacle);
    await home.start();
    client = await RawClient.connect(home.port);
    expect(await readAll(client, name)).toHaveLength(1);
    expect((await produce(client, name, batchOf(['b']))).baseOffset).toBe(1);
    await client.close();
  });

  test('a check that is under way when the broker closes is dropped', async () => {
    await home.start();
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    await produce(client, name, batchOf(['first']));
    const batch = slowBatch();
    const lost = Array.from({ length: 24 }, () => produce(client, name, batch).catch(() => null));
    await eventually(
      async () => (await home.broker.metrics()).total.callsOpen,
      (open) => open > 0,
    );
    const { broker } = home;
    home.failed();
    await broker.close();
    expect(
      await eventually(
        () => said('job.dropped'),
        (count) => count > 0,
      ),
    ).toBeGreaterThan(0);
    expect(said('broker.failed')).toBe(0);
    expect(said('broker.closed')).toBe(1);
    await Promise.all(lost);
    await home.start();
    const again = await RawClient.connect(home.port);
    expect((await readAll(again, name)).map(({ baseOffset }) => baseOffset)).toEqual([0]);
    expect((await produce(again, name, batchOf(['second']))).baseOffset).toBe(1);
    await again.close();
  });
});
