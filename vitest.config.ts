/**
 * Tests run the sources, each file in a process of its own: a broker that leaks threads then ends with its process. What
 * starts brokers runs a second time on the portable transport; each of its files goes through the layouts itself.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const CI = process.env.CI === 'true';

const WITH_BROKERS = ['clients', 'broker', 'crash', 'rows'].map((folder) => `test/${folder}/**/*.test.ts`);
/** Runs of their own, for machines that have what they need. */
const OF_THEIR_OWN = ['test/kafka/**', 'test/librdkafka/**'];
/** What asks the kernel about the native transport, starts no broker of this process, or is about clients and logs rather than it. */
const OF_ONE_TRANSPORT = [
  'broker/group-configs',
  'broker/group-refusals',
  'broker/group-storm',
  'broker/profile',
  'broker/system-calls',
  'broker/zero-copy',
  'clients/group-migration',
  'clients/topic-rounds',
  'rows/bench',
  'rows/delete-records',
  'rows/disk-access',
  'rows/garbage',
  'rows/group-members',
  'rows/group-processing',
  'rows/group-rebalances',
  'rows/idempotence',
  'rows/local-offsets',
  'rows/memory',
  'rows/promised',
  'rows/retention',
  'rows/rolling',
  'rows/topic-deletion',
].map((name) => `test/${name}.test.ts`);
const LIMITS = {
  pool: 'forks',
  execArgv: ['--import', new URL('./test/kit/stripped/hook.mjs', import.meta.url).href],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  teardownTimeout: 5_000,
};

export default defineConfig({
  test: {
    // Much of a test is waiting: even on two cores three files at a time.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    globalSetup: ['test/kit/stripped/strip.mjs'],
    reporters: CI ? ['default', 'json'] : ['default'],
    outputFile: { json: 'build/vitest.json' },
    projects: [
      { test: { ...LIMITS, name: 'native', include: ['test/**/*.test.ts'], exclude: OF_THEIR_OWN } },
      {
        test: {
          ...LIMITS,
          name: 'portable',
          include: WITH_BROKERS,
          exclude: OF_ONE_TRANSPORT,
          env: { ODRADEK_TRANSPORT: 'portable' },
        },
      },
    ],
  },
});
