/** What a broker takes while nothing happens: fresh, and with a thousand partitions that were written to once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, memoryOf } from './kit/process.ts';
import { byTurns } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';
import { loadTopic } from './limit/load.ts';
import { broker, withServers } from './limit/servers.ts';

const PARTITIONS = 1000;
const QUICK_PARTITIONS = 50;
const WATCHED_MS = 10_000;
const QUICK_WATCHED_MS = 500;
const ROUNDS = 3;

async function run(options: SuiteOptions) {
  const partitions = options.quick ? QUICK_PARTITIONS : PARTITIONS;
  const watchedMs = options.quick ? QUICK_WATCHED_MS : WATCHED_MS;
  const variants = [broker({}, 'fresh'), broker({}, `${partitions} partitions`)];
  return withServers(variants, options.directory, async (servers) => {
    const port = servers.at(-1)?.port ?? 0;
    await loadTopic(port, 'idle', partitions);
    const ways = servers.map(({ name, pid }) => ({
      name,
      async round() {
        const before = cpuSeconds(pid);
        const startMs = performance.now();
        await sleep(watchedMs);
        const share = (cpuSeconds(pid) - before) / ((performance.now() - startMs) / 1000);
        const { anonymousBytes, sharedBytes, fileBytes, threads } = memoryOf(pid);
        return { cpu: share * 100, own: (anonymousBytes + sharedBytes) / 1e6, file: fileBytes / 1e6, threads };
      },
    }));
    const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
    return [
      tableOf(
        'a broker at rest',
        [
          { name: 'CPU', unit: '% of a core' },
          { name: 'own memory', unit: 'MB' },
          { name: 'mapped files', unit: 'MB' },
          { name: 'threads', unit: '' },
        ],
        ways.map(({ name }) => ({
          name,
          values: ['cpu', 'own', 'file', 'threads'].map((figure) => rounds.spread(name, figure)),
        })),
      ),
    ];
  });
}

export const suite: Suite = { question: 'CPU and memory of a broker that has nothing to do', run };
