/**
 * Commands of scripts for members of the consumer protocol, and the words for its records: `poll` is a heartbeat of a client that
 * takes and gives up at once what it is answered, unless `owns=` says what it still has; `consumers` describes the group.
 */
import type { ConsumerGroupRecord, TopicPartitions } from '../../src/coordinator/group/consumer-records.ts';
import { ERROR, errorName } from '../../src/wire/errors.ts';
import { ConsumerGroupDescribe } from '../../src/wire/messages/consumer-group-describe.ts';
import { ConsumerGroupHeartbeat } from '../../src/wire/messages/consumer-group-heartbeat.ts';
import { NOTHING_SAID } from './consumer-world.ts';
import type { Words } from './words.ts';
import { caller, expectWritable, type World } from './world.ts';

interface Consumer {
  epoch: number;
  owned: readonly TopicPartitions[];
}

export type Say = (line: () => string) => void;

/** `t/0+u/3`, by topic. */
export function placesOf(word: string): { topic: string; partitions: number[] }[] {
  const places = new Map<string, number[]>();
  for (const place of word.split('+').filter((one) => one !== '')) {
    const [topic = '', partition] = place.split('/');
    places.set(topic, [...(places.get(topic) ?? []), Number(partition)]);
  }
  return Array.from(places, ([topic, partitions]) => ({ topic, partitions }));
}

export function placesText(places: readonly { topic: string; partitions: readonly number[] }[]): string {
  const all = places.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}/${partition}`));
  return all.length === 0 ? 'nothing' : all.toSorted().join(' ');
}

export class ConsumerCommands {
  readonly #world: World;
  readonly #say: Say;
  readonly #shown: (id: string) => string;
  readonly #members = new Map<string, Consumer>();

  constructor(world: World, say: Say, shown: (id: string) => string) {
    this.#world = world;
    this.#say = say;
    this.#shown = shown;
  }

  poll(words: Words, groupId: string, memberId: string): void {
    const key = `${groupId} ${memberId}`;
    const member = this.#members.get(key) ?? { epoch: 0, owned: [] };
    this.#members.set(key, member);
    const owns = words.option('owns');
    const memberEpoch = words.number('epoch', member.epoch);
    const owned = memberEpoch === 0 ? [] : owns === null ? member.owned : this.#withIds(owns);
    const request = {
      ...NOTHING_SAID,
      groupId,
      memberId,
      memberEpoch,
      instanceId: words.option('as'),
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: (words.option('topics') ?? 't').split('+').filter((name) => name !== ''),
      topicPartitions: owned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })),
    };
    this.#world.shard.consumerGroupHeartbeat(request, caller(1, memberId), (body) => {
      expectWritable(ConsumerGroupHeartbeat, 1, body);
      const { errorCode, memberEpoch: epoch, assignment } = body;
      if (errorCode === ERROR.NONE) {
        member.epoch = Math.max(epoch, 0);
        if (assignment !== null) member.owned = assignment?.topicPartitions ?? [];
      }
      const told = errorCode === ERROR.NONE ? `epoch ${epoch}: ${this.#named(member.owned)}` : errorName(errorCode);
      this.#say(() => `${this.#shown(memberId)} polled: ${told}`);
    });
  }

  describe(groupId: string): void {
    const group = this.#world.shard.describeConsumerGroup(groupId);
    expectWritable(ConsumerGroupDescribe, 1, { throttleTimeMs: 0, groups: [group] });
    const { errorCode, groupState, groupEpoch, assignmentEpoch, members } = group;
    if (errorCode !== ERROR.NONE) return this.#say(() => `${groupId}: ${errorName(errorCode)}`);
    this.#say(() => `${groupId}: ${groupState}, epoch ${groupEpoch}, target of ${assignmentEpoch}`);
    for (const { memberId, memberEpoch, memberType, assignment, targetAssignment } of members) {
      const kind = memberType === 0 ? 'classic' : 'consumer';
      const [has, wants] = [assignment, targetAssignment].map(({ topicPartitions }) => this.#named(topicPartitions));
      this.#say(() => `  ${this.#shown(memberId)} ${kind} in ${memberEpoch} has ${has}, is to have ${wants}`);
    }
  }

  recordText(record: ConsumerGroupRecord): string {
    const of = 'memberId' in record ? `${record.group} ${this.#shown(record.memberId)}` : record.group;
    if (record.value === null) return `${record.kind.replace('consumer-group-', '')} ${of} gone`;
    switch (record.kind) {
      case 'consumer-group-metadata':
        return `epoch ${of} ${record.value.epoch}`;
      case 'consumer-group-member-metadata': {
        const { subscribedTopicNames, classicMemberMetadata: classic, instanceId } = record.value;
        const protocols = classic?.supportedProtocols.map(({ name }) => name).join('+');
        const kind = classic === null ? 'consumer' : `classic ${protocols} session ${classic.sessionTimeoutMs}`;
        return `member ${of}${instanceId === null ? '' : ` as ${instanceId}`} ${kind} of ${subscribedTopicNames.join('+')}`;
      }
      case 'consumer-group-target-assignment-metadata':
        return `target ${of} of epoch ${record.value.assignmentEpoch}`;
      case 'consumer-group-target-assignment-member':
        return `target ${of} ${this.#named(record.value.topicPartitions)}`;
      case 'consumer-group-current-member-assignment': {
        const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } =
          record.value;
        const gives = this.#named(partitionsPendingRevocation);
        const has = `has ${this.#named(assignedPartitions)}${gives === 'nothing' ? '' : `, gives up ${gives}`}`;
        return `current ${of} epoch ${memberEpoch} after ${previousMemberEpoch} state ${state} ${has}`;
      }
      default:
        throw new Error(`no words for ${record.kind}`);
    }
  }

  #withIds(owns: string): TopicPartitions[] {
    return placesOf(owns).map(({ topic, partitions }) => {
      return { topicId: this.#world.topics.idOf(topic) as string, partitions };
    });
  }

  #named(owned: readonly TopicPartitions[]): string {
    return placesText(
      owned.map(({ topicId, partitions }) => ({ topic: this.#world.topics.nameOf(topicId) ?? '?', partitions })),
    );
  }
}
