/** Several ways measured by turns: every round goes once through all of them, each time beginning with another; the first is thrown away, but in a quick run. */
import { setImmediate } from 'node:timers/promises';
import { ratios, type Spread, spread } from './statistics.ts';
import type { SuiteOptions } from './suite.ts';

/** What one way gives in one round, by the name of the figure. */
export type Round = Readonly<Record<string, number>>;

export interface Way {
  readonly name: string;
  round(number: number): Round | Promise<Round>;
}

/** Every round's figures, by the name of the way. */
export class Rounds {
  readonly #rounds = new Map<string, Round[]>();

  add(way: string, round: Round): void {
    const list = this.#rounds.get(way);
    if (list === undefined) this.#rounds.set(way, [round]);
    else list.push(round);
  }

  values(way: string, figure: string): number[] {
    const rounds = this.#rounds.get(way) ?? [];
    return rounds.map((round) => {
      const value = round[figure];
      if (value === undefined) throw new Error(`${way} gave no ${figure}`);
      return value;
    });
  }

  spread(way: string, figure: string): Spread {
    return spread(this.values(way, figure));
  }

  /** Of each round's own pair. */
  ratio(way: string, reference: string, figure: string): Spread {
    return spread(ratios(this.values(way, figure), this.values(reference, figure)));
  }
}

export async function byTurns(ways: readonly Way[], rounds: number, options: SuiteOptions): Promise<Rounds> {
  const measured = new Rounds();
  const first = options.quick ? 1 : 0;
  for (let number = first; number <= rounds; number++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(turn + number) % ways.length] as Way;
      const round = await way.round(number);
      // A round may never wait; an interrupt is heard between two.
      await setImmediate();
      options.progress(`${way.name}, round ${number}${number === 0 ? ' (thrown away)' : ''}: ${JSON.stringify(round)}`);
      if (number > 0) measured.add(way.name, round);
    }
  }
  return measured;
}
