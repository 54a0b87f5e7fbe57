/** Whatever a client sends, it is answered or hung up on: no request takes the broker down, fills its memory or gets an error without a name. */
import { connect } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { CODEC, CRC_AT, HEADER_BYTES, setCrc } from '../../src/wire/batch.ts';
import { responseReader } from '../../src/wire/compiler.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { readResponseHeader, writeRequestHeader } from '../../src/wire/headers.ts';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { DeleteTopics } from '../../src/wire/messages/delete-topics.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Api } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { inEveryLayout, ONE_THREAD, REST_WITHIN_MS, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch, kernels } from '../kit/records.ts';
import { createTopic, errorCodesOf, freshTopic, produce, readAll } from '../kit/requests.ts';
import { arbitraryStruct, encode, encodingOf, type Value } from '../wire/values.ts';

const LAYOUTS = [ONE_THREAD, TWO_BY_THREE];
const SLOW_MS = 120_000;
const SAMPLES = 3;
const DAMAGED_EACH = 4;
const CORRELATION = 7;
const LAST = 8;
const WAITED_MS = 300;

/** A whole frame of a body that may be anything. */
function frameOf(api: Api, version: number, correlation: number, body: Uint8Array): Buffer {
  const header = new Writer();
  writeRequestHeader(header, api, version, correlation, 'hostile');
  const head = Buffer.from(header.memory.bytes.subarray(0, header.writtenBytes));
  const size = Buffer.alloc(4);
  size.writeInt32BE(head.length + body.length);
  return Buffer.concat([size, head, body]);
}

/** Sends the frame and a question that any broker answers: the frames that came back, and how it ended. */
function ask(port: number, frame: Buffer): Promise<{ end: 'answered' | 'closed' | 'waits'; frames: Buffer[] }> {
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.concat([frame, frameOf(ApiVersions, 0, LAST, new Uint8Array(0))]));
  const frames: Buffer[] = [];
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    const end = (how: 'answered' | 'closed' | 'waits') => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ end: how, frames });
    };
    const timer = setTimeout(() => end('waits'), frame.readInt16BE(4) === Fetch.key ? WAITED_MS : REST_WITHIN_MS);
    // A reset shows as a close.
    socket.on('error', () => {});
    socket.on('close', () => end('closed'));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const bytes = 4 + received.readInt32BE(0);
        frames.push(received.subarray(4, bytes));
        received = received.subarray(bytes);
        if ((frames.at(-1) as Buffer).readInt32BE(0) === LAST) end('answered');
      }
    });
  });
}

/** Names of topics are those of one that is there, or whatever they were. */
function aimed(value: unknown, topic: { name: string; id: string }, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => aimed(item, topic, key));
  if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, aimed(inner, topic, name)]));
  }
  if (typeof value !== 'string') return key === 'maxWaitMs' ? 0 : value;
  if (/^(topic|topics|name|resourceName|topicName)$/.test(key)) return topic.name;
  return key === 'topicId' ? topic.id : value;
}

function damaged(bytes: Uint8Array, dice: SeededRandom): Uint8Array {
  const out = Buffer.from(bytes);
  if (out.length === 0) return out;
  const at = dice.below(out.length);
  const kind = dice.below(4);
  if (kind === 0) out[at] = dice.below(256);
  else if (kind === 1) return out.subarray(0, at);
  else if (kind === 2 && out.length >= at + 4) out.writeInt32BE(dice.below(2) === 0 ? 0x7fffffff : -2, at);
  else return Buffer.concat([out.subarray(0, at), Buffer.alloc(1 + dice.below(9), 0xff), out.subarray(at)]);
  return out;
}

inEveryLayout(
  'requests of every API',
  (home) => {
    let topic: { name: string; id: string };
    beforeAll(async () => {
      const client = await RawClient.connect(home.port);
      topic = await createTopic(client, { name: freshTopic('aim'), partitions: 5 });
      await client.close();
    });

    test.each(ALL_APIS.map((api) => [api.name, api] as const))(
      '%s',
      async (_, api) => {
        const dice = new SeededRandom(api.key + 1);
        for (let version = api.versions[0]; version <= api.versions[1]; version++) {
          const values = fc.sample(arbitraryStruct(api.request, encodingOf(api, version)), {
            numRuns: SAMPLES,
            seed: version + 1,
          });
          for (const [index, value] of values.entries()) {
            const sent = index === 0 || api === DeleteTopics ? value : (aimed(value, topic) as Value);
            const body = encode(api, 'request', version, sent);
            const { end, frames } = await ask(home.port, frameOf(api, version, CORRELATION, body));
            expect(end).not.toBe(api === Fetch ? '' : 'waits');
            const answer = frames.find((frame) => frame.readInt32BE(0) === CORRELATION);
            if (answer !== undefined) {
              const reader = new Reader();
              reader.reset(memoryOver(new Uint8Array(answer)), 0, answer.length);
              readResponseHeader(reader, api, version);
              expect(errorCodesOf(responseReader(api, version)(reader))).not.toContain(ERROR.UNKNOWN_SERVER_ERROR);
            }
            for (let number = 0; number < DAMAGED_EACH; number++) {
              const wrong = await ask(home.port, frameOf(api, version, CORRELATION, damaged(body, dice)));
              expect(wrong.end).not.toBe(api === Fetch ? '' : 'waits');
            }
          }
        }
        const client = await RawClient.connect(home.port);
        const { name } = await createTopic(client);
        expect((await produce(client, name, batchOf(['still here']))).errorCode).toBe(0);
        expect(await readAll(client, name)).toHaveLength(1);
        await client.close();
      },
      SLOW_MS,
    );

    test('frames that say they are large cost nothing before their bytes come', async () => {
      // All of them are let in, which leaves room for one more.
      const announced = 20;
      const announcedBytes = 9_000_000;
      const clients = await Promise.all(Array.from({ length: announced }, () => RawClient.connect(home.port)));
      const before = process.memoryUsage().rss;
      const size = Buffer.alloc(4);
      size.writeInt32BE(announcedBytes);
      for (const client of clients)
        client.write(Buffer.concat([size, Buffer.from([0, Produce.key, 0, 9, 0, 0, 0, 1])]));
      const other = await RawClient.connect(home.port);
      const { name } = await createTopic(other);
      expect((await produce(other, name, filledBatch('x', 1, 500_000))).errorCode).toBe(0);
      expect(process.memoryUsage().rss - before).toBeLessThan((announced * announcedBytes) / 2);
      await Promise.all(clients.map((client) => client.close()));
      await other.close();
    });
  },
  { settings: { 'queued.max.request.bytes': '536870912' } },
  LAYOUTS,
);

describe.each(['header', 'full'])('compressed.batch.validation=%s', (validation) => {
  inEveryLayout(
    'record sections',
    (home) => {
      test(
        'damaged anywhere are refused by name, and what was taken can be read',
        async () => {
          const client = await RawClient.connect(home.port);
          const { name } = await createTopic(client, { configs: { 'segment.bytes': '1048576' } });
          const dice = new SeededRandom(23);
          const sound = Object.values(CODEC).map((codec) =>
            filledBatch('record', 4, 200, codec === CODEC.NONE ? {} : { codec }),
          );
          sound.push(batchOf(['a', 'b'], { producerId: 77, producerEpoch: 0, baseSequence: 0 }));
          const codes = new Set<number>();
          let taken = 0;
          for (let number = 0; number < 1_500; number++) {
            const bytes = new Uint8Array(damaged(sound[number % sound.length] as Uint8Array, dice));
            // With a sum that fits, more is looked at.
            if (number % 2 === 0 && bytes.length > HEADER_BYTES) {
              const memory = memoryOver(bytes);
              setCrc(memory.view, 0, kernels.crc32c(memory, CRC_AT + 4, bytes.length - CRC_AT - 4));
            }
            const { errorCode } = await produce(client, name, bytes);
            codes.add(errorCode);
            if (errorCode === ERROR.NONE) taken += 1;
          }
          expect(taken).toBeGreaterThan(10);
          expect(codes.size).toBeGreaterThan(3);
          for (const code of [ERROR.UNKNOWN_SERVER_ERROR, ERROR.KAFKA_STORAGE_ERROR]) expect(codes).not.toContain(code);
          expect((await produce(client, name, sound[0] as Uint8Array)).errorCode).toBe(0);
          if (validation === 'full') expect((await readAll(client, name)).length).toBeGreaterThan(10);
          await client.close();
        },
        SLOW_MS,
      );

      if (validation === 'header') return;
      test(
        'that grow beyond all measure are refused, and the next one is taken',
        async () => {
          const client = await RawClient.connect(home.port);
          const { name } = await createTopic(client, { configs: { 'max.message.bytes': '10000000' } });
          const zeros = Buffer.alloc(80_000_000);
          for (const [codec, bomb] of [
            [CODEC.GZIP, gzipSync(zeros, { level: 1 })],
            [CODEC.ZSTD, zstdCompressSync(zeros)],
          ] as const) {
            const sound = batchOf(['x'], { codec });
            const bytes = new Uint8Array(Buffer.concat([sound.subarray(0, HEADER_BYTES), bomb]));
            const memory = memoryOver(bytes);
            memory.view.setInt32(8, bytes.length - 12);
            setCrc(memory.view, 0, kernels.crc32c(memory, CRC_AT + 4, bytes.length - CRC_AT - 4));
            const [refused, taken] = await Promise.all([produce(client, name, bytes), produce(client, name, sound)]);
            expect([refused.errorCode, taken.errorCode]).toEqual([ERROR.CORRUPT_MESSAGE, ERROR.NONE]);
          }
          expect(await readAll(client, name)).toHaveLength(2);
          await client.close();
        },
        SLOW_MS,
      );
    },
    { settings: { 'compressed.batch.validation': validation } },
    LAYOUTS,
  );
});
