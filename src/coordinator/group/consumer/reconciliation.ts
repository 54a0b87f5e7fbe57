/**
 * How a member comes from what it owns to what it is to own, a heartbeat at a time: it gives up first, then it is let into the
 * epoch of the target, then it gets what is free. So no partition ever has two owners, and what stays is never interrupted.
 *
 *   STABLE ── another target ──▶ something to give up? ── yes ──▶ UNREVOKED_PARTITIONS ── says it is given up ──┐
 *                                        │ no  ◀───────────────────────────────────────────────────────────────┘
 *                                        ▼
 *                    everything free? ── yes ──▶ STABLE
 *                                        │ no ──▶ UNRELEASED_PARTITIONS ── (next heartbeat) asks again
 */
import type { Uuid } from '../../../base/uuid.ts';
import type { MemberAssignment } from '../assignors/assignor.ts';
import type { TopicPartitions } from '../consumer-records.ts';
import { type ConsumerMember, MEMBER_STATE } from './member.ts';
import { NOTHING, type OwnedPartitions, ownsAny } from './owned-partitions.ts';

export interface Target {
  readonly epoch: number;
  readonly assignment: MemberAssignment;
  /** Whether somebody owns the partition, or has not yet given it up. */
  isOwned(topicId: Uuid, partition: number): boolean;
}

/** `said` is what the client says it owns, null when it does not say. The same value when nothing changes. */
export function reconcile(
  member: ConsumerMember,
  target: Target,
  said: readonly TopicPartitions[] | null,
): ConsumerMember {
  switch (member.state) {
    case MEMBER_STATE.UNREVOKED_PARTITIONS:
      if (said === null || ownsAny(said, member.pendingRevocation)) return member;
      // Given up: one epoch on, so that whoever still speaks with the old one is known.
      return next(member, member.memberEpoch + 1, target, said);
    case MEMBER_STATE.UNRELEASED_PARTITIONS:
      return next(member, member.memberEpoch, target, said);
    default:
      return member.memberEpoch === target.epoch ? member : next(member, member.memberEpoch, target, said);
  }
}

function next(
  member: ConsumerMember,
  memberEpoch: number,
  target: Target,
  said: readonly TopicPartitions[] | null,
): ConsumerMember {
  const { stays, goes } = divided(member.assigned, target.assignment);
  if (goes.size > 0 && (said === null || ownsAny(said, goes))) {
    const state = MEMBER_STATE.UNREVOKED_PARTITIONS;
    return inEpoch({ ...member, state, assigned: stays, pendingRevocation: goes }, memberEpoch);
  }
  const { owned, isWhole } = grown(stays, target);
  const state = isWhole ? MEMBER_STATE.STABLE : MEMBER_STATE.UNRELEASED_PARTITIONS;
  const isAsBefore =
    state === member.state && member.memberEpoch === target.epoch && owned === member.assigned && goes.size === 0;
  if (isAsBefore) return member;
  return inEpoch({ ...member, state, assigned: owned, pendingRevocation: NOTHING }, target.epoch);
}

function inEpoch(member: ConsumerMember, memberEpoch: number): ConsumerMember {
  if (memberEpoch === member.memberEpoch) return member;
  return { ...member, memberEpoch, previousMemberEpoch: member.memberEpoch };
}

/** What of the owned is in the target, and what is not. The same value when all of it stays. */
function divided(owned: OwnedPartitions, target: MemberAssignment): { stays: OwnedPartitions; goes: OwnedPartitions } {
  const stays = new Map<Uuid, ReadonlyMap<number, number>>();
  const goes = new Map<Uuid, ReadonlyMap<number, number>>();
  for (const [topicId, epochs] of owned) {
    const wanted = new Set(target.get(topicId));
    const staying = new Map([...epochs].filter(([partition]) => wanted.has(partition)));
    if (staying.size > 0) stays.set(topicId, staying);
    if (staying.size < epochs.size) {
      goes.set(topicId, new Map([...epochs].filter(([partition]) => !wanted.has(partition))));
    }
  }
  return goes.size === 0 ? { stays: owned, goes } : { stays, goes };
}

/** What is owned, and with it what is free of the target; whether that is all of the target. */
function grown(stays: OwnedPartitions, target: Target): { owned: OwnedPartitions; isWhole: boolean } {
  let isWhole = true;
  const owned = new Map(stays);
  let grew = false;
  for (const [topicId, partitions] of target.assignment) {
    const mine = stays.get(topicId);
    const missing = partitions.filter((partition) => !mine?.has(partition));
    const free = missing.filter((partition) => !target.isOwned(topicId, partition));
    if (free.length < missing.length) isWhole = false;
    if (free.length === 0) continue;
    grew = true;
    owned.set(topicId, new Map([...(mine ?? []), ...free.map((partition) => [partition, target.epoch] as const)]));
  }
  return { owned: grew ? owned : stays, isWhole };
}
