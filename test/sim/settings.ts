/** What a life is played with, drawn from its seed. */
import type { Random } from '../../src/base/random.ts';

export interface Settings {
  readonly seed: number;
  /** When an acknowledged record is durable: when the system likes, at once, or at once with others. */
  readonly flush: 'default' | 'each' | 'group';
  readonly handlers: number;
  readonly processors: number;
  /** All roles on one loop, or each on its own. */
  readonly together: boolean;
  readonly ringSlots: number;
  readonly filesMax: number;
  readonly inFlightMax: number;
  readonly fullValidation: boolean;
  readonly zeroCopyMinBytes: number;
  readonly retention: { readonly retentionMs: number; readonly retentionBytes: number; readonly flushMs: number };
}

export function drawSettings(seed: number, random: Random): Settings {
  const one = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
  return {
    seed,
    flush: one('default', 'each', 'group'),
    handlers: one(1, 2),
    processors: one(1, 2),
    together: one(true, false),
    ringSlots: one(4, 16, 64),
    filesMax: one(3, 8, 40),
    inFlightMax: one(1, 3, 8),
    fullValidation: one(true, false, false),
    zeroCopyMinBytes: one(1, 1_000, 16_384),
    retention: {
      retentionMs: one(-1, 200_000),
      retentionBytes: one(-1, -1, 15_000),
      flushMs: one(1_000, Number.MAX_SAFE_INTEGER),
    },
  };
}
