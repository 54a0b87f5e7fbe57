/** Requests of groups in few words, and a member of the classic protocol that does nothing by itself. */
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { ConsumerGroupDescribe } from '../../src/wire/messages/consumer-group-describe.ts';
import { DeleteGroups } from '../../src/wire/messages/delete-groups.ts';
import { DescribeGroups } from '../../src/wire/messages/describe-groups.ts';
import { FindCoordinator } from '../../src/wire/messages/find-coordinator.ts';
import { Heartbeat } from '../../src/wire/messages/heartbeat.ts';
import { JoinGroup } from '../../src/wire/messages/join-group.ts';
import { LeaveGroup } from '../../src/wire/messages/leave-group.ts';
import { ListGroups } from '../../src/wire/messages/list-groups.ts';
import { OffsetCommit } from '../../src/wire/messages/offset-commit.ts';
import { OffsetFetch } from '../../src/wire/messages/offset-fetch.ts';
import { SyncGroup } from '../../src/wire/messages/sync-group.ts';
import type { ResponseOf } from '../../src/wire/schema.ts';
import { RawClient } from './client.ts';
import { eventually } from './eventually.ts';
import { utf8 } from './records.ts';

export const GROUP_LOG = '__consumer_offsets';
const MEMBER_ID_REQUIRED_ROUNDS = 2;

export type Joined = ResponseOf<typeof JoinGroup>;
export type Synced = ResponseOf<typeof SyncGroup>;
export type Found = ResponseOf<typeof FindCoordinator>['coordinators'][number];
export type DescribedConsumerGroup = ResponseOf<typeof ConsumerGroupDescribe>['groups'][number];
export type Described = ResponseOf<typeof DescribeGroups>['groups'][number];

export async function findCoordinators(client: RawClient, groups: readonly string[]): Promise<Found[]> {
  const { coordinators } = await client.call(FindCoordinator, 4, { key: '', keyType: 0, coordinatorKeys: [...groups] });
  return coordinators;
}

/** Has the group log made, and waits until the group's shard has loaded. */
export async function coordinated(client: RawClient, group: string): Promise<void> {
  await findCoordinators(client, [group]);
  const { errorCode } = await eventually(
    () => describeGroup(client, group),
    (now) => now.errorCode !== ERROR.COORDINATOR_LOAD_IN_PROGRESS && now.errorCode !== ERROR.NOT_COORDINATOR,
  );
  if (errorCode !== ERROR.NONE) throw new Error(`${group} has no coordinator: error ${errorCode}`);
}

export interface CommitOptions {
  readonly partition?: number;
  readonly metadata?: string | null;
  readonly leaderEpoch?: number;
  readonly generation?: number;
  readonly memberId?: string;
  readonly instanceId?: string | null;
  readonly version?: number;
}

/** The code of its only partition. */
export async function commit(
  client: RawClient,
  group: string,
  topic: string,
  offset: number,
  options: CommitOptions = {},
): Promise<number> {
  const { partition = 0, metadata = '', leaderEpoch = -1, generation = -1 } = options;
  const { memberId = '', instanceId = null, version = 9 } = options;
  const { topics } = await client.call(OffsetCommit, version, {
    groupId: group,
    generationIdOrMemberEpoch: generation,
    memberId,
    groupInstanceId: instanceId,
    retentionTimeMs: -1,
    topics: [
      {
        name: topic,
        topicId: ZERO_UUID,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch,
            committedMetadata: metadata,
          },
        ],
      },
    ],
  });
  return topics[0]?.partitions[0]?.errorCode as number;
}

export interface Committed {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string | null;
  readonly errorCode: number;
}

/** Of one topic, in the order of its partitions. Throws what is said of the group as a whole. */
export async function committed(
  client: RawClient,
  group: string,
  topic: string,
  partitions: readonly number[] = [0],
): Promise<Committed[]> {
  const body = await client.call(OffsetFetch, 8, {
    groupId: '',
    topics: [],
    groups: [
      {
        groupId: group,
        memberId: null,
        memberEpoch: -1,
        topics: [{ name: topic, topicId: ZERO_UUID, partitionIndexes: [...partitions] }],
      },
    ],
    requireStable: false,
  });
  const [of] = body.groups;
  if (of?.errorCode !== ERROR.NONE) throw new Error(`offsets of ${group}: error ${of?.errorCode}`);
  return of.topics[0]?.partitions ?? [];
}

export async function committedOffset(client: RawClient, group: string, topic: string, partition = 0): Promise<number> {
  return (await committed(client, group, topic, [partition]))[0]?.committedOffset as number;
}

/** In the words of v5: a group that nobody knows is Dead. */
export async function describeGroup(client: RawClient, group: string): Promise<Described> {
  const { groups } = await client.call(DescribeGroups, 5, { groups: [group], includeAuthorizedOperations: false });
  return groups[0] as Described;
}

export async function describeConsumerGroup(client: RawClient, group: string): Promise<DescribedConsumerGroup> {
  const { groups } = await client.call(ConsumerGroupDescribe, 1, {
    groupIds: [group],
    includeAuthorizedOperations: false,
  });
  return groups[0] as DescribedConsumerGroup;
}

export async function listedGroups(client: RawClient): Promise<ResponseOf<typeof ListGroups>['groups']> {
  const { groups, errorCode } = await client.call(ListGroups, 5, { statesFilter: [], typesFilter: [] });
  if (errorCode !== ERROR.NONE) throw new Error(`ListGroups: error ${errorCode}`);
  return groups;
}

export async function deleteGroup(client: RawClient, group: string): Promise<number> {
  const { results } = await client.call(DeleteGroups, 2, { groupsNames: [group] });
  return results[0]?.errorCode as number;
}

export interface MemberOptions {
  readonly sessionMs?: number;
  readonly rebalanceMs?: number;
  readonly instanceId?: string | null;
  readonly protocolType?: string;
  readonly protocols?: readonly (readonly [string, Uint8Array])[];
}

/** A member on a connection of its own; what it was told last is what it says of itself. */
export class RawMember {
  readonly client: RawClient;
  readonly group: string;
  readonly #options: MemberOptions;
  id = '';
  generation = -1;
  /** What the members have agreed on. */
  #agreed: Pick<Joined, 'protocolType' | 'protocolName'> = { protocolType: 'consumer', protocolName: 'range' };

  constructor(client: RawClient, group: string, options: MemberOptions = {}) {
    this.client = client;
    this.group = group;
    this.#options = options;
  }

  static async connect(port: number, group: string, options: MemberOptions = {}): Promise<RawMember> {
    return new RawMember(await RawClient.connect(port), group, options);
  }

  /** One JoinGroup. */
  async joinOnce(more: MemberOptions = {}, version = 9): Promise<Joined> {
    const { sessionMs = 10_000, rebalanceMs = 10_000, instanceId = null, ...of } = { ...this.#options, ...more };
    const { protocolType = 'consumer', protocols = [['range', utf8('what it can') as Uint8Array]] } = of;
    const joined = await this.client.call(JoinGroup, version, {
      groupId: this.group,
      sessionTimeoutMs: sessionMs,
      rebalanceTimeoutMs: rebalanceMs,
      memberId: this.id,
      groupInstanceId: instanceId,
      protocolType,
      protocols: protocols.map(([name, metadata]) => ({ name, metadata })),
      reason: null,
    });
    if (joined.errorCode === ERROR.MEMBER_ID_REQUIRED || joined.errorCode === ERROR.NONE) this.id = joined.memberId;
    if (joined.errorCode !== ERROR.NONE) return joined;
    this.generation = joined.generationId;
    // Before v7 the type is not told.
    this.#agreed = { protocolType: joined.protocolType ?? protocolType, protocolName: joined.protocolName };
    return joined;
  }

  /** Comes back with the id that it is given. */
  async join(more: MemberOptions = {}): Promise<Joined> {
    let joined = await this.joinOnce(more);
    for (let round = 1; round < MEMBER_ID_REQUIRED_ROUNDS; round++) {
      if (joined.errorCode !== ERROR.MEMBER_ID_REQUIRED) break;
      joined = await this.joinOnce(more);
    }
    return joined;
  }

  sync(plan: Readonly<Record<string, Uint8Array>> = {}): Promise<Synced> {
    return this.client.call(SyncGroup, 5, {
      groupId: this.group,
      generationId: this.generation,
      memberId: this.id,
      groupInstanceId: this.#options.instanceId ?? null,
      ...this.#agreed,
      assignments: Object.entries(plan).map(([memberId, assignment]) => ({ memberId, assignment })),
    });
  }

  async beat(generation = this.generation): Promise<number> {
    const { errorCode } = await this.client.call(Heartbeat, 4, {
      groupId: this.group,
      generationId: generation,
      memberId: this.id,
      groupInstanceId: this.#options.instanceId ?? null,
    });
    return errorCode;
  }

  commit(topic: string, offset: number, options: CommitOptions = {}): Promise<number> {
    const { id: memberId, generation } = this;
    const instanceId = this.#options.instanceId ?? null;
    return commit(this.client, this.group, topic, offset, { memberId, generation, instanceId, ...options });
  }

  async leave(): Promise<number> {
    const { errorCode, members } = await this.client.call(LeaveGroup, 5, {
      groupId: this.group,
      memberId: '',
      members: [{ memberId: this.id, groupInstanceId: null, reason: null }],
    });
    return errorCode === ERROR.NONE ? (members[0]?.errorCode as number) : errorCode;
  }

  /** Goes without a word. */
  close(): Promise<void> {
    return this.client.close();
  }
}

const JOIN_ROUNDS_MAX = 10;

/** All join, the leader gives each member the bytes that `plan` says, everybody asks for them: a stable group. */
export async function formGroup(
  members: readonly RawMember[],
  plan: (member: RawMember, at: number) => Uint8Array = (_, at) => utf8(`share ${at}`) as Uint8Array,
): Promise<{ joined: Joined[]; synced: Synced[] }> {
  const told = new Map<RawMember, Joined>();
  const agree = () => {
    const generations = new Set(Array.from(told.values(), ({ generationId }) => generationId));
    return told.size === members.length && generations.size === 1;
  };
  // Whoever joins later begins another generation: those who were told of the one before come back.
  const joins = members.map(async (member) => {
    for (let round = 0; round < JOIN_ROUNDS_MAX; round++) {
      told.delete(member);
      const joined = await member.join();
      if (joined.errorCode !== ERROR.NONE) throw new Error(`a join was refused: error ${joined.errorCode}`);
      told.set(member, joined);
      await eventually(
        () => (agree() ? ERROR.REBALANCE_IN_PROGRESS : member.beat()),
        (error) => error !== ERROR.NONE,
      );
      if (agree()) return;
    }
    throw new Error('the members do not come together');
  });
  await Promise.all(joins);
  const joined = members.map((member) => told.get(member) as Joined);
  const shares = Object.fromEntries(members.map((member, at) => [member.id, plan(member, at)]));
  const synced = await Promise.all(
    members.map((member, at) => member.sync(joined[at]?.leader === member.id ? shares : {})),
  );
  return { joined, synced };
}
