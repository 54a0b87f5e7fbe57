/** Results as benches would write them, with figures made up: for tests of what is done with results. */
import { resultOf, type SuiteResult } from '../../bench/kit/result.ts';
import { Rounds } from '../../bench/kit/rounds.ts';
import { spread } from '../../bench/kit/statistics.ts';
import { Account, OURS, PEER } from '../../bench/peers/account.ts';
import { LIFE_ABOUT, LIFE_FIGURES } from '../../bench/peers/life.ts';
import { MEASURES } from '../../bench/peers/measures.ts';
import { SWEEPS } from '../../bench/peers/sweeps.ts';

const THREE = [0.9, 1, 1.2];

/** Every measure of the peers bench; of each figure ours is `ratio` times Kafka's. */
export function peersResult(ratio: number): SuiteResult {
  const account = new Account(() => {});
  const all = [...MEASURES, { about: LIFE_ABOUT, figures: LIFE_FIGURES, isTable: true }];
  for (const { about, figures, isTable } of all) {
    const rounds = new Rounds();
    for (const factor of THREE) {
      const round = Object.fromEntries(figures.map(({ key }) => [key, 10 * factor]));
      rounds.add(PEER, round);
      rounds.add(OURS, Object.fromEntries(Object.entries(round).map(([key, value]) => [key, value * ratio])));
    }
    account.add(about, figures, rounds, isTable ?? false, about === LIFE_ABOUT);
  }
  for (const sweep of SWEEPS) {
    const rounds = new Rounds();
    for (const factor of THREE)
      for (const [at, count] of sweep.counts.entries()) {
        rounds.add(`${PEER} ${count}`, { cost: factor * (10 + at) });
        rounds.add(`${OURS} ${count}`, { cost: factor * ratio * (10 + at) });
      }
    account.addSweep(sweep, sweep.counts, rounds);
  }
  return resultOf('peers', 'quick', account.tables);
}

export function figure(value: number): ReturnType<typeof spread> {
  return spread(THREE.map((factor) => factor * value));
}
