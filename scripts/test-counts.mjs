/**
 * Reads vitest's JSON report and prints `N passed, N failed`. Fails when a test failed, was skipped, or none ran at all.
 */
import { existsSync, readFileSync } from 'node:fs';

const [, , file] = process.argv;
if (!existsSync(file)) fail('0 passed, 0 failed: the tests did not run');

const report = JSON.parse(readFileSync(file, 'utf8'));
const tests = report.testResults.flatMap((result) => result.assertionResults);
const names = (status) => tests.filter((test) => status.includes(test.status)).map((test) => test.fullName);
const passed = names(['passed']);
const failed = names(['failed']);
const skipped = names(['skipped', 'pending', 'todo', 'disabled']);
// A file that could not be loaded has no tests to count.
const unloaded = report.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);

for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
for (const { name } of unloaded) process.stdout.write(`did not load: ${name}\n`);
process.stdout.write(`${passed.length} passed, ${failed.length + unloaded.length} failed\n`);
if (failed.length + unloaded.length > 0) process.exitCode = 1;
else if (skipped.length > 0) fail(`${skipped.length} skipped, and in CI nothing is skipped`);
else if (passed.length === 0) fail('no test ran');

function fail(reason) {
  process.stdout.write(`${reason}\n`);
  process.exit(1);
}
