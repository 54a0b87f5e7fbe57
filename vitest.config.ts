/**
 * Tests run the sources, each file in a process of its own: a broker that leaks threads then ends with its process. What
 * starts brokers runs a second time on the portable transport; each of its files goes through the layouts itself.
 */
import { defineConfig } from 'vitest/config';

const CI = process.env.CI === 'true';

const WITH_BROKERS = ['test/clients/**/*.test.ts', 'test/broker/**/*.test.ts', 'test/crash/**/*.test.ts'];
const LIMITS = { pool: 'forks', testTimeout: 30_000, hookTimeout: 30_000, teardownTimeout: 5_000 } as const;

export default defineConfig({
  test: {
    reporters: CI ? ['default', 'json'] : ['default'],
    outputFile: { json: 'build/vitest.json' },
    projects: [
      { test: { ...LIMITS, name: 'native', include: ['test/**/*.test.ts'] } },
      {
        test: {
          ...LIMITS,
          name: 'portable',
          include: WITH_BROKERS,
          exclude: ['test/broker/system-calls.test.ts'],
          env: { ODRADEK_TRANSPORT: 'portable' },
        },
      },
    ],
  },
});
