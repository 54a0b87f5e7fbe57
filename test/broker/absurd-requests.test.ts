/**
 * Thousands of requests that no client would send, many at once, to a broker in a process of its own. Everybody else is served
 * on, and the broker's memory stays what it was. `hostile-requests.test.ts` and `test/fuzz` look at the answers.
 */
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import { FuzzFrames, type Victim } from '../fuzz/frames.ts';
import { eventually, ONE_THREAD, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';
import { everyVersion } from '../wire/values.ts';

const SEED = Number(process.env.ODRADEK_FUZZ_SEED ?? 7);
/** Of each API and version: two thousand. An environment variable asks for more. */
const FRAMES = Number(process.env.ODRADEK_FUZZ_TCP_FRAMES ?? 20);
const AT_ONCE = 16;
/** A fetch may wait as long as it said: it is left then. */
const PATIENCE_MS = 150;
const MEMORY_GROWTH_MAX = 64 * 1024 * 1024;

/** Sends it alone on a connection of its own; done when anything comes back, the connection ends, or patience does. */
async function throwAt(port: number, bytes: Uint8Array): Promise<void> {
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

/** So many of each API and version, in rounds through all of them. */
function absurdFrames(victim: Victim): Uint8Array[] {
  const each = Array.from(everyVersion(ALL_APIS)).flatMap(([api, direction, version]) =>
    direction === 'request' ? [new FuzzFrames(api, version, SEED, victim)] : [],
  );
  return Array.from({ length: FRAMES }, (_, number) => each.map((frames) => frames.frame(number).bytes)).flat();
}

/** A topic with something in it, that absurd requests may name. */
async function victimOf(port: number): Promise<Victim> {
  const client = await RawClient.connect(port);
  const partitions = 2;
  const topic = await createTopic(client, { partitions });
  const batch = batchOf(['a', 'b', 'c']);
  await produce(client, topic.name, batch);
  await client.close();
  return { ...topic, partitions, batch };
}

/** Between two rounds somebody honest produces; at the end it is all there, and nothing else. */
async function throwWhileServing(port: number, frames: readonly Uint8Array[]): Promise<void> {
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
      const grown = await eventually(
        () => residentBytes(broker) - before,
        (bytes) => bytes < MEMORY_GROWTH_MAX,
      );
      expect(grown).toBeLessThan(MEMORY_GROWTH_MAX);
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
