/**
 * Who leads a partition, and what a broker's coming and going does to it. Pure: each function gives the partition's next
 * state, or null when nothing changes. Whoever becomes leader does so in a new leader epoch, also the same broker again.
 */
import type { PartitionImage } from './image.ts';
import { NO_LEADER } from './image.ts';

export type IsLive = (brokerId: number) => boolean;

/** The first replica in assignment order that is alive and in sync. The order of the ISR says nothing about progress. */
export function electLeader(replicas: readonly number[], isr: readonly number[], isLive: IsLive): number {
  for (const id of replicas) if (isr.includes(id) && isLive(id)) return id;
  return NO_LEADER;
}

/**
 * `brokerId` has (re)started and is alive; `isLive` says so too. Its log may have lost what was not on the disk, so it stays
 * in the ISR only where nobody else is left, and leads there in a new epoch: that is how everybody learns of the loss.
 */
export function afterRegistration(was: PartitionImage, brokerId: number, isLive: IsLive): PartitionImage | null {
  if (!was.replicas.includes(brokerId)) return null;
  const others = was.isr.filter((id) => id !== brokerId && isLive(id));
  if (others.length > 0) {
    const leader = others.includes(was.leader) ? was.leader : electLeader(was.replicas, others, isLive);
    return next(was, leader, others, leader !== was.leader);
  }
  if (was.isr.includes(brokerId)) return next(was, brokerId, [brokerId], true);
  return next(was, NO_LEADER, was.isr, was.leader !== NO_LEADER);
}

/** `brokerId` counts as dead: it leaves the ISR, unless it is the last one that knows everything. */
export function afterLoss(was: PartitionImage, brokerId: number, isLive: IsLive): PartitionImage | null {
  if (!was.isr.includes(brokerId)) return null;
  const others = was.isr.filter((id) => id !== brokerId);
  const isr = others.length === 0 ? was.isr : others;
  const leader = was.leader === brokerId ? electLeader(was.replicas, isr, isLive) : was.leader;
  return next(was, leader, isr, leader !== was.leader);
}

function next(was: PartitionImage, leader: number, isr: readonly number[], newReign: boolean): PartitionImage | null {
  if (!newReign && isr.length === was.isr.length) return null;
  const leaderEpoch = newReign ? was.leaderEpoch + 1 : was.leaderEpoch;
  return { leader, leaderEpoch, partitionEpoch: was.partitionEpoch + 1, replicas: was.replicas, isr };
}
