/**
 * What a run has found so far: printed as it comes, kept as tables. One kind of figure is one table, with a line for each
 * measure, so that one picture shows them side by side; a goal is held against the ratio of each round.
 */
import { type Goal, goalTables, goalText, keeps, type Measured } from '../kit/goals.ts';
import type { Rounds } from '../kit/rounds.ts';
import { type Spread, spreadText } from '../kit/statistics.ts';
import { type Line, type Table, tableOf } from '../kit/table.ts';
import type { FigureKind } from './figure-kind.ts';
import type { Sweep } from './sweeps.ts';

export const OURS = 'Odradek';
export const PEER = 'Apache Kafka';

interface Growing {
  readonly title: string;
  readonly unit: string;
  readonly lines: Line[];
}

function verdict(goal: Goal | undefined, ratio: Spread): string {
  return goal === undefined ? '' : `  goal ${goalText(goal)}${keeps(goal, ratio) ? '' : '  NOT KEPT'}`;
}

export class Account {
  readonly #tables: Growing[] = [];
  readonly #sweeps: Table[] = [];
  readonly #againstPeer: Measured[] = [];
  readonly #growth: Measured[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** `isTable`: its figures stand in a table of their own. `isWhole`: their names say all without what it is about. */
  add(about: string, figures: readonly FigureKind[], rounds: Rounds, isTable: boolean, isWhole = false): void {
    this.#say(about);
    for (const { key, name, unit, goal } of figures) {
      const [ours, peers] = [rounds.spread(OURS, key), rounds.spread(PEER, key)];
      const ratio = rounds.ratio(OURS, PEER, key);
      const both = `${OURS} ${spreadText(ours)}  ${PEER} ${spreadText(peers)} ${unit}`;
      this.#say(`  ${name}: ${both}  × ${spreadText(ratio)}${verdict(goal, ratio)}`);
      if (goal !== undefined) this.#againstPeer.push({ name: isWhole ? name : `${about}: ${name}`, ratio, goal });
      const [title, line] = isTable ? [about, name] : [name, about];
      this.#table(title, unit).lines.push({ name: line, values: [ours, peers, ratio] });
    }
  }

  /** Rounds of ways that are called by broker and count, each with its `cost`. */
  addSweep({ name, about, unit, goal, goalCount }: Sweep, counts: readonly number[], rounds: Rounds): void {
    this.#say(about);
    const first = counts[0] as number;
    const way = (broker: string, count: number): string => `${broker} ${count}`;
    const lines = counts.map((count) => {
      const [ours, peers] = [OURS, PEER].map((broker) => rounds.spread(way(broker, count), 'cost')) as [Spread, Spread];
      const ratio = rounds.ratio(way(OURS, count), way(PEER, count), 'cost');
      const [growth, peerGrowth] = [OURS, PEER].map((broker) =>
        rounds.ratio(way(broker, count), way(broker, first), 'cost'),
      ) as [Spread, Spread];
      const isGoal = count === goalCount;
      this.#say(
        `  ${count} ${name}: ${OURS} ${spreadText(ours)}  ${PEER} ${spreadText(peers)} ${unit}  × ${spreadText(ratio)}` +
          `  grown × ${spreadText(growth)}, Kafka × ${spreadText(peerGrowth)}${isGoal ? verdict(goal, growth) : ''}`,
      );
      if (isGoal)
        this.#growth.push({ name: `cost of a record from ${first} to ${count} ${name}`, ratio: growth, goal });
      return { name: `${name} ${count}`, values: [ours, peers, ratio, growth, peerGrowth] };
    });
    const columns = [
      { name: OURS, unit },
      { name: PEER, unit },
      { name: `${OURS} ÷ ${PEER}`, unit: '' },
      { name: `${OURS} ÷ its first`, unit: '' },
      { name: `${PEER} ÷ its first`, unit: '' },
    ];
    this.#sweeps.push(tableOf(about, columns, lines));
  }

  /** Goals first. */
  get tables(): Table[] {
    const figures = this.#tables.map(({ title, unit, lines }) =>
      tableOf(
        title,
        [
          { name: OURS, unit },
          { name: PEER, unit },
          { name: `${OURS} ÷ ${PEER}`, unit: '' },
        ],
        lines,
      ),
    );
    return [...this.#goals(), ...figures, ...this.#sweeps];
  }

  sayGoals(): void {
    const all = [...this.#againstPeer, ...this.#growth];
    if (all.length === 0) return;
    const kept = all.filter(({ goal, ratio }) => keeps(goal, ratio)).length;
    this.#say(`${kept} of ${all.length} goals are kept`);
  }

  #goals(): Table[] {
    return [...goalTables(PEER, this.#againstPeer), ...goalTables('growth', this.#growth)];
  }

  #table(title: string, unit: string): Growing {
    const found = this.#tables.find((table) => table.title === title && table.unit === unit);
    if (found !== undefined) return found;
    const table: Growing = { title, unit, lines: [] };
    this.#tables.push(table);
    return table;
  }
}
