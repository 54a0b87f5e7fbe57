/** What a server costs while nothing happens, and how long it takes to its first acknowledged record. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, memoryOf, type ProcessMemory } from '../kit/process.ts';
import { type Spread, spread } from '../kit/statistics.ts';
import { load } from './load.ts';
import { start, type Variant } from './servers.ts';

const IDLE_SECONDS = 10;

export interface LifeResult {
  name: string;
  /** From the start of the command to the answer for one record in a new topic. */
  firstAckMs: Spread;
  listeningMs: Spread;
  /** Share of one core over ten seconds, in percent; after one record was taken. */
  idleCpuPercent: number;
  /** After ten idle seconds, which come after the start. */
  memory: ProcessMemory;
}

const ONE_RECORD = { topic: 'life', mode: 'produce', create: true, requests: 1, 'connect-ms': 10_000 } as const;

export async function measureLife(variant: Variant, starts: number, parent: string): Promise<LifeResult> {
  const firstAckMs: number[] = [];
  const listeningMs: number[] = [];
  // The generator is built before the clock starts.
  for (let number = 0; number <= starts; number++) {
    const server = await start(variant, parent);
    try {
      const listening = performance.now() - server.startedMs;
      await load({ port: server.port, ...ONE_RECORD });
      if (number === 0) continue;
      listeningMs.push(listening);
      firstAckMs.push(performance.now() - server.startedMs);
    } finally {
      await server.stop();
    }
  }
  const server = await start(variant, parent);
  try {
    await load({ port: server.port, ...ONE_RECORD });
    await sleep(IDLE_SECONDS * 1000);
    const memory = memoryOf(server.pid);
    const before = cpuSeconds(server.pid);
    await sleep(IDLE_SECONDS * 1000);
    const idleCpuPercent = ((cpuSeconds(server.pid) - before) / IDLE_SECONDS) * 100;
    return {
      name: variant.name,
      firstAckMs: spread(firstAckMs),
      listeningMs: spread(listeningMs),
      idleCpuPercent,
      memory,
    };
  } finally {
    await server.stop();
  }
}
