/**
 * Random runs of the classic group protocol. ODRADEK_GROUP_SEEDS is how many seeds are run, ODRADEK_GROUP_SEED runs a single one:
 * a run that fails says its seed, and fails in the same way with it.
 */
import { expect, test } from 'vitest';
import { Simulation } from './simulation.ts';

const SEEDS = Number(process.env.ODRADEK_GROUP_SEEDS ?? 400);
const ONLY = process.env.ODRADEK_GROUP_SEED;
const COMMAND = 'npx vitest run --project native test/coordinator/simulation.test.ts';
const FULL_TIMEOUT_MS = 3_600_000;

function run(seed: number): Simulation {
  const simulation = new Simulation(seed);
  try {
    simulation.run();
  } catch (problem) {
    throw new Error(`seed ${seed} fails; ODRADEK_GROUP_SEED=${seed} ${COMMAND}`, { cause: problem });
  }
  return simulation;
}

test('groups keep their promises whatever is lost, late or loaded anew', { timeout: FULL_TIMEOUT_MS }, () => {
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)];
  const all = { answers: 0, plans: 0, commits: 0 };
  for (const seed of seeds) {
    const { answers, plans, commits } = run(seed).facts.counts;
    all.answers += answers;
    all.plans += plans;
    all.commits += commits;
  }
  // A simulation in which nothing comes to pass finds nothing.
  expect(all.answers / seeds.length).toBeGreaterThan(100);
  expect(all.plans / seeds.length).toBeGreaterThan(5);
  expect(all.commits / seeds.length).toBeGreaterThan(ONLY === undefined ? 1 : -1);
});
