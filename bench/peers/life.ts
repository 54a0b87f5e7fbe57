/** What a broker's life costs, each round from an empty directory: start, the first gigabyte, memory, rest, and a start after kill -9. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR, errorName, isRetriable } from '../../src/wire/errors.ts';
import { RawClient } from '../../test/kit/client.ts';
import { batchOf } from '../../test/kit/records.ts';
import { produce } from '../../test/kit/requests.ts';
import { cpuSeconds, memoryOf } from '../kit/process.ts';
import type { Round } from '../kit/rounds.ts';
import { makeTopic } from '../kit/topics.ts';
import { load } from '../limit/load.ts';
import { type Running, start, type Variant } from '../limit/servers.ts';
import type { FigureKind } from './figure-kind.ts';

const TOPIC = 'life';
const FIRST_BYTES = 1e9;
const REST_MS = 10_000;
const READY_MS = 60_000;
const SMALL = { mode: 'produce', connections: 100, requests: 100_000 } as const;

export const LIFE_ABOUT = 'a life: start, rest, first gigabyte, kill -9, start';
export const LIFE_FIGURES: readonly FigureKind[] = [
  { key: 'listening', name: 'process start to listening', unit: 's', goal: { ratio: 0.2 } },
  { key: 'firstAck', name: 'process start to first acknowledged record', unit: 's' },
  { key: 'idle', name: 'anonymous and shared memory, idle', unit: 'MiB', goal: { ratio: 0.25 } },
  { key: 'idleCpu', name: 'CPU, idle', unit: '%', goal: { ratio: 0.2 } },
  {
    key: 'firstGb',
    name: 'the first GB after start, 1 MiB batches: CPU per GB',
    unit: 's/GB',
    goal: { ratio: 0.25 },
  },
  { key: 'loaded', name: 'anonymous and shared memory, after load', unit: 'MiB', goal: { ratio: 0.15 } },
  { key: 'restart', name: 'start after kill -9 to first acknowledged record', unit: 's' },
];

function memoryMiB({ pid }: Running): number {
  const { anonymousBytes, sharedBytes } = memoryOf(pid);
  return (anonymousBytes + sharedBytes) / 2 ** 20;
}

/** Seconds since its process began. A leader that does not know of itself yet is asked again. */
async function firstAck(server: Running, isNew: boolean): Promise<number> {
  if (isNew) await makeTopic(server.port, TOPIC);
  const client = await RawClient.connect(server.port);
  for (const untilMs = performance.now() + READY_MS; ; ) {
    const { errorCode } = await produce(client, TOPIC, batchOf(['value']));
    if (errorCode === ERROR.NONE) break;
    if (!isRetriable(errorCode) || performance.now() > untilMs)
      throw new Error(`${server.name} answers the first record with ${errorName(errorCode)}`);
  }
  const seconds = (performance.now() - server.startedMs) / 1000;
  await client.close();
  return seconds;
}

export async function lifeRound(variant: Variant, parent: string, share: number): Promise<Round> {
  let server = await start(variant, parent);
  try {
    const listening = (performance.now() - server.startedMs) / 1000;
    const first = await firstAck(server, true);
    const restMs = Math.max(500, REST_MS * share);
    await sleep(restMs);
    const before = cpuSeconds(server.pid);
    await sleep(restMs);
    const idleCpu = ((cpuSeconds(server.pid) - before) / (restMs / 1000)) * 100;
    const idle = memoryMiB(server);
    const { port, pid } = server;
    const bytes = Math.ceil(FIRST_BYTES * share);
    const produced = await load({
      port,
      topic: TOPIC,
      watch: pid,
      mode: 'produce',
      depth: 5,
      'batch-bytes': 1 << 20,
      bytes,
      prime: bytes,
    });
    await load({ port, topic: TOPIC, ...SMALL, requests: Math.ceil(SMALL.requests * share) });
    await load({ port, topic: TOPIC, mode: 'fetch', 'fetch-bytes': 1 << 20, bytes });
    const loaded = memoryMiB(server);
    await server.kill();
    server = await start(variant, parent, server.directory);
    const restart = await firstAck(server, false);
    const firstGb = produced.serverCpuSeconds / (produced.bytes / 1e9);
    return { listening, firstAck: first, idle, idleCpu, firstGb, loaded, restart };
  } finally {
    await server.stop();
  }
}
