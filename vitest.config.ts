/** Tests run the sources, each file in a process of its own: a broker that leaks threads then ends with its process. */
import { defineConfig } from 'vitest/config';

const CI = process.env.CI === 'true';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 5_000,
    reporters: CI ? ['default', 'json'] : ['default'],
    outputFile: { json: 'build/vitest.json' },
  },
});
