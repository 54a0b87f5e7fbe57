/**
 * What becomes of the groups of the consumer protocol of a shard: what they came to is written, and counts from then on. It is here
 * that a group becomes one of the other kind; whoever waits for a turn in the former one goes on in the latter.
 */
import { ERROR } from '../../../wire/errors.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { Desk } from '../desk.ts';
import type { Groups } from '../groups.ts';
import type { Rebalances } from '../rebalances.ts';
import { type Downgrade, downgraded, isDowngraded } from './downgrade.ts';
import { removal } from './leaving.ts';
import type { LiveConsumerGroup } from './live-group.ts';
import type { ConsumerMember } from './member.ts';
import type { Turn } from './turns.ts';
import { consumerWorld } from './worlds.ts';

type Done = (error: number) => void;

/** A static member of the classic protocol that takes the place of one of this protocol. */
export interface Replacement {
  readonly member: ConsumerMember;
  readonly replaced: ConsumerMember;
  /** The epoch that the group comes to with it. */
  readonly epoch: number;
}

export class Transitions {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #rebalances: Rebalances;

  constructor(desk: Desk, groups: Groups, rebalances: Rebalances) {
    this.#desk = desk;
    this.#groups = groups;
    this.#rebalances = rebalances;
  }

  /** What a group came to in its turn. The first that is written puts it in the place of the classic one that it displaces. */
  write(group: LiveConsumerGroup, records: readonly ConsumerGroupRecord[], done: Done): void {
    if (records.length === 0) return done(ERROR.NONE);
    const { displaced } = group;
    if (displaced !== null) displaced.suspend(ERROR.REBALANCE_IN_PROGRESS);
    if (this.#groups.get(group.id) !== group) this.#groups.put(group);
    const before = displaced === null ? [] : [...displaced.tombstones(), ...group.prelude];
    const left = staying(group, records);
    if (left !== null) group.reduce(left);
    this.#desk.writes.write([...before, ...records], (error) => {
      group.reduced();
      if (error !== ERROR.NONE) {
        this.#desk.logger.warn('group was not stored', { group: group.id, error });
        const waiting = group.isVoid ? this.#withdrawn(group) : [];
        done(error);
        for (const turn of waiting) turn.again();
        return;
      }
      group.displaced = null;
      group.apply(records);
      if (displaced !== null) for (const memberId of group.state.members.keys()) group.heardOf(memberId);
      done(error);
    });
  }

  /** These members are in the group no more. */
  depart(group: LiveConsumerGroup, gone: readonly ConsumerMember[], done: Done): void {
    const world = consumerWorld(this.#desk, group.id);
    const left = [...group.state.members.values()].filter((member) => !gone.includes(member));
    if (!isDowngraded(left, world.settings)) return this.write(group, removal(group.state, gone, world), done);
    this.#downgrade(group, left, { epoch: group.state.epoch, planOf: null }, done);
  }

  /** False when the group stays what it is. */
  replace(group: LiveConsumerGroup, { member, replaced, epoch }: Replacement, done: Done): boolean {
    if (replaced.classicMemberMetadata !== null) return false;
    const members = [...group.state.members.values()].map((one) => (one === replaced ? member : one));
    if (!isDowngraded(members, consumerWorld(this.#desk, group.id).settings)) return false;
    const planOf = (id: string) => group.state.targetOf(id === member.memberId ? replaced.memberId : id);
    // With the plan of a group that is not at rest some member may get what another one still reads.
    const isAtRest = epoch === group.state.epoch && members.every((one) => one.memberEpoch === epoch);
    this.#downgrade(group, members, { epoch, planOf: isAtRest ? planOf : null }, done);
    return true;
  }

  #downgrade(group: LiveConsumerGroup, members: readonly ConsumerMember[], from: Downgrade, done: Done): void {
    const { clock, topics, writes, logger } = this.#desk;
    const classic = this.#groups.unplacedClassic(group.id);
    const record = downgraded(from, members, classic, topics, clock.now());
    group.reduce(members);
    writes.write([...group.tombstones(), record], (error) => {
      group.reduced();
      if (error !== ERROR.NONE) {
        logger.warn('group was not given back', { group: group.id, error });
        return done(error);
      }
      const waiting = group.turns.leave();
      group.stop();
      this.#groups.put(classic);
      for (const member of classic.roster.members()) this.#rebalances.heardOf(member);
      if (from.planOf === null) this.#rebalances.begin(classic, 'its last member of the consumer protocol has gone');
      done(error);
      for (const turn of waiting) turn.again();
    });
  }

  /** Nothing of it is in the log: it is what it was before, or is not there. Gives those who waited for it. */
  #withdrawn(group: LiveConsumerGroup): readonly Turn[] {
    const waiting = group.turns.leave();
    const { displaced } = group;
    if (displaced === null) this.#groups.remove(group.id, ERROR.NOT_COORDINATOR);
    else {
      group.stop();
      this.#groups.put(displaced);
      this.#rebalances.revive(displaced);
    }
    return waiting;
  }
}

/** Of the members and of those that come: who will be in the group once the log has these records. Null when nobody goes. */
function staying({ state }: LiveConsumerGroup, records: readonly ConsumerGroupRecord[]) {
  const changed = records.filter((record) => record.kind === 'consumer-group-member-metadata');
  if (changed.every(({ value }) => value !== null)) return null;
  const all = new Map<string, { readonly memberId: string; readonly instanceId: string | null }>(state.members);
  for (const { memberId, value } of changed) {
    if (value === null) all.delete(memberId);
    else all.set(memberId, { memberId, instanceId: value.instanceId });
  }
  return [...all.values()];
}
