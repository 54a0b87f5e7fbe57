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
/** What asks the kernel about the native transport, starts no broker of this process, or is about clients rather than it. */
const OF_ONE_TRANSPORT = [
  'test/broker/group-configs.test.ts',
  'test/broker/group-storm.test.ts',
  'test/broker/system-calls.test.ts',
  'test/broker/profile.test.ts',
  'test/broker/zero-copy.test.ts',
  'test/clients/group-migration.test.ts',
  ...['bench', 'disk-access', 'garbage', 'group-members', 'group-rebalances', 'memory', 'promised'].map(
    (name) => `test/rows/${name}.test.ts`,
  ),
];
const LIMITS = {
  pool: 'forks',
  execArgv: ['--import', new URL('./test/kit/stripped/hook.mjs', import.meta.url).href],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  teardownTimeout: 5_000,
};

export default defineConfig({
  test: {
    // Much of a test is waiting: even on two cores two files at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
