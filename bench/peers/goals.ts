/** What is asked of the broker against Apache Kafka in the same run, and whether a ratio keeps it. */
import type { Spread } from '../kit/statistics.ts';

export interface Goal {
  /** Of ours to Kafka's. */
  readonly ratio: number;
  /** Better still. */
  readonly stretch?: number;
  /** More is better: throughput. */
  readonly atLeast?: boolean;
}

export interface FigureKind {
  readonly key: string;
  readonly name: string;
  readonly unit: string;
  /** Without one the figure is for information. */
  readonly goal?: Goal;
}

export function keeps({ ratio, atLeast = false }: Goal, measured: Pick<Spread, 'median'>): boolean {
  return atLeast ? measured.median >= ratio : measured.median <= ratio;
}

export function goalText({ ratio, stretch, atLeast = false }: Goal): string {
  const sign = atLeast ? '≥' : '≤';
  return `${sign} ${ratio}${stretch === undefined ? '' : ` (${sign} ${stretch})`}`;
}
