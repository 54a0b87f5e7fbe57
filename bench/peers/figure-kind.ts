/** A figure that a measure gives for both brokers. */
import type { Goal } from '../kit/goals.ts';

export interface FigureKind {
  readonly key: string;
  readonly name: string;
  readonly unit: string;
  /** Without one the figure is for information. */
  readonly goal?: Goal;
}
