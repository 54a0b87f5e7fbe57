/** Readings that betray themselves when two of them are mixed. */
import type { PartitionView } from '../../src/replica/published.ts';

export function viewOf(n: number): PartitionView {
  return {
    leaderEpoch: n,
    logStartOffset: n * 3,
    highWatermark: n * 1e9 + 1,
    lastStableOffset: n * 1e9,
    logEndOffset: n * 1e9 + 7,
    durableEndOffset: n + 0.5,
    visibleBytes: n * 4_096,
  };
}
