/**
 * Lives of a broker, seed after seed, until enough crash states are checked. ODRADEK_CRASH_STATES says how many those are,
 * ODRADEK_SIM_FROM with which seed they begin; ODRADEK_SIM_SEED and ODRADEK_SIM_STEPS play one life again.
 */
import { expect, test } from 'vitest';
import { CrashStates } from './crash-states.ts';
import { Life } from './life.ts';

const STATES = Number(process.env.ODRADEK_CRASH_STATES ?? 2_000);
const STEPS = Number(process.env.ODRADEK_SIM_STEPS ?? 400);
const ONLY = process.env.ODRADEK_SIM_SEED;
const FIRST = Number(ONLY ?? process.env.ODRADEK_SIM_FROM ?? 1);
/** Of a run of any size. */
const TIMEOUT_MS = 3_600_000;

/** A life that is played again tells all of it. */
const TOLD_MAX = ONLY === undefined ? 40 : Number.POSITIVE_INFINITY;

/** What a failed life says of itself. */
function say(seed: number, life: Life | null): string {
  const step = Math.min(life?.step ?? 1, STEPS);
  const command = `ODRADEK_SIM_SEED=${seed} ODRADEK_SIM_STEPS=${step} npx vitest run --project native test/sim/life.test.ts`;
  return `seed ${seed}, step ${life?.step ?? 0} of ${STEPS}. Again: ${command}\n${life?.trace.slice(-TOLD_MAX).join('\n') ?? ''}`;
}

test(
  'whatever happens, nothing promised is lost and nothing half-written is served',
  () => {
    const states = new CrashStates();
    const happened = new Map<string, number>();
    for (let seed = FIRST; ONLY === undefined ? states.checked < STATES : seed === FIRST; seed++) {
      let life: Life | null = null;
      try {
        life = new Life(seed, states);
        life.run(STEPS);
      } catch (problem) {
        throw new Error(`${(problem as Error).message}\n${say(seed, life)}`, { cause: problem });
      }
      for (const [what, count] of life.happened) happened.set(what, (happened.get(what) ?? 0) + count);
    }
    if (ONLY === undefined)
      for (const what of ['kill', 'power', 'clean', 'fault', 'move'])
        expect(happened.get(what), what).toBeGreaterThan(20);
  },
  TIMEOUT_MS,
);
