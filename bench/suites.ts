/** The suites by name, each loaded when it is asked for. */
import type { Suite } from './kit/suite.ts';

export const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  'zero-copy': () => import('./zero-copy.ts'),
  'seq-vs-random': () => import('./seq-vs-random.ts'),
  ring: () => import('./ring.ts'),
  'index-search': () => import('./index-search.ts'),
  'index-interval': () => import('./index-interval.ts'),
  append: () => import('./append.ts'),
  crc: () => import('./crc.ts'),
  codec: () => import('./codec.ts'),
  'group-commit': () => import('./group-commit.ts'),
  timers: () => import('./timers.ts'),
  partitions: () => import('./partitions.ts'),
  'many-partitions': () => import('./many-partitions.ts'),
  'roll-jitter': () => import('./roll-jitter.ts'),
  loops: () => import('./loops.ts'),
  pools: () => import('./pools.ts'),
  waiting: () => import('./waiting.ts'),
  kept: () => import('./kept.ts'),
  idle: () => import('./idle.ts'),
  rude: () => import('./rude.ts'),
  recovery: () => import('./recovery.ts'),
  groups: () => import('./groups.ts'),
  gap: () => import('./gap.ts'),
  members: () => import('./members.ts'),
};
