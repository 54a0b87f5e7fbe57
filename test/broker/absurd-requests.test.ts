/**
 * Thousands of requests that no client would send, many at once: any values a table can carry, and their bytes cut, flipped
 * and lied about. Everybody else is served on, and the broker's memory stays what it was. `hostile-requests.test.ts` looks at
 * the answers.
 */
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { requestWriter } from '../../src/wire/compiler.ts';
import { beginFrame, endFrame, writeRequestHeader } from '../../src/wire/headers.ts';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import type { Api } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { ONE_THREAD, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';
import { arbitraryStruct, encodingOf, everyVersion, type Value } from '../wire/values.ts';

const SEED = Number(process.env.ODRADEK_FUZZ_SEED ?? 7);
/** Of each API and version; an environment variable asks for more. */
const VALUES = Number(process.env.ODRADEK_FUZZ_VALUES ?? 12);
const AT_ONCE = 16;
/** A fetch may wait as long as it said: it is left then. */
const PATIENCE_MS = 150;
const MEMORY_GROWTH_MAX = 64 * 1024 * 1024;

interface Victim {
  readonly name: string;
  readonly id: string;
}

function frameOf(api: Api, version: number, value: Value): Buffer {
  const writer = new Writer();
  beginFrame(writer);
  writeRequestHeader(writer, api, version, 7, 'fuzz');
  requestWriter(api, version)(writer, value as never);
  endFrame(writer);
  return Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes));
}

/** Damage behind the length of the frame; one kind also lies about that. */
function damaged(frame: Buffer, random: SeededRandom): Buffer {
  const bytes = Buffer.from(frame);
  const at = 4 + random.below(Math.max(1, bytes.length - 4));
  switch (random.below(5)) {
    case 0: {
      const cut = Buffer.from(bytes.subarray(0, at));
      cut.writeInt32BE(cut.length - 4, 0);
      return cut;
    }
    case 1:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return bytes;
    case 2:
      for (let i = at; i < Math.min(at + 4, bytes.length); i++) bytes[i] = 0xff;
      return bytes;
    case 3:
      if (at + 4 <= bytes.length) bytes.writeInt32BE(0x7fffffff, at);
      return bytes;
    default:
      bytes.writeInt32BE(random.below(2) === 0 ? -1 : 0x7fffffff, 0);
      return bytes;
  }
}

/** Sends it alone on a connection of its own; done when anything comes back, the connection ends, or patience does. */
async function throwAt(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const over = Promise.race([once(socket, 'data'), once(socket, 'close')]);
  socket.write(bytes);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((done) => {
    timer = setTimeout(done, PATIENCE_MS);
  });
  await Promise.race([over, late]).catch(() => {});
  clearTimeout(timer);
  socket.destroy();
}

/** Fields that name what is there, so that a request gets beyond its first check. */
const NAMES: ReadonlySet<string> = new Set(['name', 'topic', 'topicName', 'resourceName']);
const PARTITIONS: ReadonlySet<string> = new Set(['partitionIndex', 'partition', 'index']);

/** The same value with some fields that mean something here. */
function grounded(value: unknown, topic: Victim, random: SeededRandom): unknown {
  if (Array.isArray(value)) return value.map((item) => grounded(item, topic, random));
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (random.below(3) === 0) return [key, grounded(inner, topic, random)];
      if (NAMES.has(key) && typeof inner === 'string') return [key, topic.name];
      if (key === 'topicNames') return [key, [topic.name]];
      if (key === 'topicId') return [key, topic.id];
      if (PARTITIONS.has(key)) return [key, random.below(2)];
      if (key === 'resourceType') return [key, random.below(2) === 0 ? 2 : 4];
      return [key, grounded(inner, topic, random)];
    }),
  );
}

/** Each value of each API and version as it is, with real names, and once more damaged. */
function absurdFrames(topic: Victim): Buffer[] {
  const random = new SeededRandom(SEED);
  const frames: Buffer[] = [];
  for (const [api, direction, version] of everyVersion(ALL_APIS)) {
    if (direction !== 'request') continue;
    const values = fc.sample(arbitraryStruct(api.request, encodingOf(api, version)), {
      seed: SEED + api.key * 100 + version,
      numRuns: VALUES,
    });
    for (const value of values) {
      const real = frameOf(api, version, grounded(value, topic, random) as Value);
      frames.push(frameOf(api, version, value), real, damaged(real, random));
    }
  }
  return frames;
}

/** A topic with something in it, that absurd requests may name. */
async function victimOf(port: number): Promise<Victim> {
  const client = await RawClient.connect(port);
  const topic = await createTopic(client, { partitions: 2 });
  await produce(client, topic.name, batchOf(['a', 'b', 'c']));
  await client.close();
  return topic;
}

/** Between two rounds somebody honest produces; at the end it is all there, and nothing else. */
async function throwWhileServing(port: number, frames: readonly Buffer[]): Promise<void> {
  const honest = await RawClient.connect(port);
  const { name } = await createTopic(honest);
  const written: string[] = [];
  for (let at = 0; at < frames.length; at += AT_ONCE) {
    await Promise.all(frames.slice(at, at + AT_ONCE).map((frame) => throwAt(port, frame)));
    written.push(`value ${at}`);
    await produce(honest, name, batchOf([`value ${at}`]));
  }
  const read = (await readAll(honest, name)).flatMap(({ records }) => records);
  expect(read.map(({ value }) => textOf(value))).toEqual(written);
  await honest.close();
}

describe.skipIf(process.platform !== 'linux')('absurd requests', () => {
  test('leave everybody else served and no memory behind', async () => {
    const directory = temporaryDirectory();
    const broker = await new BrokerProcess(directory, ONE_THREAD).listening();
    try {
      const frames = absurdFrames(await victimOf(broker.port));
      await throwWhileServing(broker.port, frames.slice(0, frames.length >> 1));
      const before = residentBytes(broker);
      await throwWhileServing(broker.port, frames.slice(frames.length >> 1));
      expect(residentBytes(broker) - before).toBeLessThan(MEMORY_GROWTH_MAX);
    } finally {
      await broker.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  }, 300_000);
});

function residentBytes({ child: { pid } }: BrokerProcess): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}
