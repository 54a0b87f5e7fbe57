/**
 * The assignor `uniform` where subscriptions differ. Loads end as level as the subscriptions allow: there is no member from
 * which a partition could go to one that owns two less, not even by way of others that pass one on each. What was assigned
 * before moves only where that demands it.
 */
import type { Uuid } from '../../../base/uuid.ts';
import {
  type AssignedGroup,
  type AssignedMember,
  compare,
  type GroupAssignment,
  subscribersByTopic,
} from './assignor.ts';
import { type Holding, Holdings } from './holdings.ts';

/** Of two loads that one partition brings nearer to each other. */
const GAP_MIN = 2;
const NEXT_GAP = 0.75;

interface Topic {
  readonly topicId: Uuid;
  /** Who may own its partitions. */
  readonly takers: readonly Holding[];
}

export function assignMixed(group: AssignedGroup, members: readonly AssignedMember[]): GroupAssignment {
  const subscribers = subscribersByTopic(group, members);
  const holdings = new Holdings(group, members, subscribers.keys());
  const byMember = new Map(holdings.all.map((holding) => [holding.memberId, holding]));
  const topics = Array.from(subscribers, ([topicId, of]): Topic => {
    return { topicId, takers: of.map(({ memberId }) => byMember.get(memberId) as Holding) };
  });
  // What the fewest may own goes first: it has the least choice.
  topics.sort(
    (left, right) =>
      left.takers.length - right.takers.length ||
      group.partitionsOf(right.topicId) - group.partitionsOf(left.topicId) ||
      compare(left.topicId, right.topicId),
  );
  for (const { topicId, takers } of topics) pour(topicId, holdings.free(topicId), takers);
  for (const onlyTaken of [true, false]) {
    do levelAll(topics, holdings, onlyTaken);
    while (passOn(topics, holdings, onlyTaken));
  }
  return holdings.assignment();
}

/** Like water: the lowest are filled until they stand as high as the next one. */
function pour(topicId: Uuid, free: readonly number[], takers: readonly Holding[]): void {
  const sorted = takers.toSorted((left, right) => left.load - right.load);
  let height = sorted[0]?.load ?? 0;
  let wet = 0;
  let next = 0;
  for (const partition of free) {
    if (next === wet) {
      next = 0;
      if (wet > 0) height += 1;
      while (wet < sorted.length && (sorted[wet] as Holding).load <= height) wet += 1;
    }
    (sorted[next] as Holding).take(topicId, partition);
    next += 1;
  }
}

/** The widest gaps first, over all topics: whoever gives early on then need not take again later. */
function levelAll(topics: readonly Topic[], holdings: Holdings, onlyTaken: boolean): void {
  const loads = holdings.all.map(({ load }) => load);
  let gap = Math.max(...loads) - Math.min(...loads);
  while (gap >= GAP_MIN) {
    let moved = false;
    for (const topic of topics) if (level(topic, gap, onlyTaken)) moved = true;
    if (gap === GAP_MIN && !moved) return;
    gap = Math.max(GAP_MIN, Math.floor(gap * NEXT_GAP));
  }
}

/** Every move brings two loads nearer to each other, so the moves come to an end. */
function level({ topicId, takers }: Topic, gap: number, onlyTaken: boolean): boolean {
  for (let moved = false; ; moved = true) {
    let fullest: Holding | null = null;
    let emptiest: Holding | null = null;
    for (const holding of takers) {
      if (holding.canGive(topicId, onlyTaken) && (fullest === null || holding.load > fullest.load)) fullest = holding;
      if (emptiest === null || holding.load < emptiest.load) emptiest = holding;
    }
    if (fullest === null || emptiest === null || fullest.load - emptiest.load < gap) return moved;
    emptiest.take(topicId, fullest.give(topicId));
  }
}

interface Step {
  readonly from: Holding;
  readonly topicId: Uuid;
}

/**
 * Finds one chain, from the fullest members on, by which loads come nearer to each other, and moves along it. Whoever was
 * reached in vain from a fuller member reaches nobody who matters to a less full one, so each member is looked at once.
 */
function passOn(topics: readonly Topic[], holdings: Holdings, onlyTaken: boolean): boolean {
  const takersOf = new Map(topics.map(({ topicId, takers }) => [topicId, takers]));
  const steps = new Map<Holding, Step | null>();
  for (const start of holdings.all.toSorted((left, right) => right.load - left.load)) {
    if (steps.has(start)) continue;
    steps.set(start, null);
    const reached = [start];
    for (const from of reached) {
      for (const topicId of from.byTopic.keys()) {
        if (!from.canGive(topicId, onlyTaken)) continue;
        for (const taker of takersOf.get(topicId) ?? []) {
          if (steps.has(taker)) continue;
          steps.set(taker, { from, topicId });
          if (start.load - taker.load >= GAP_MIN) {
            moveAlong(taker, steps);
            return true;
          }
          reached.push(taker);
        }
      }
    }
  }
  return false;
}

function moveAlong(end: Holding, steps: ReadonlyMap<Holding, Step | null>): void {
  for (let to = end, step = steps.get(to); step; to = step.from, step = steps.get(to)) {
    to.take(step.topicId, step.from.give(step.topicId));
  }
}
