/**
 * The requests of a group's members and administrators, each in any version, with the names of the codes that answer them: of the
 * request as a whole first, and of what it names.
 */
import { ERROR, errorName } from '../../src/wire/errors.ts';
import { Heartbeat } from '../../src/wire/messages/heartbeat.ts';
import { JoinGroup } from '../../src/wire/messages/join-group.ts';
import { LeaveGroup } from '../../src/wire/messages/leave-group.ts';
import { OffsetCommit } from '../../src/wire/messages/offset-commit.ts';
import { OffsetDelete } from '../../src/wire/messages/offset-delete.ts';
import { OffsetFetch } from '../../src/wire/messages/offset-fetch.ts';
import { SyncGroup } from '../../src/wire/messages/sync-group.ts';
import type { RequestInput } from '../../src/wire/schema.ts';
import type { RawClient } from './client.ts';
import type { Beat, GroupScenes, Identity } from './group-scenes.ts';
import { utf8 } from './records.ts';

export interface NamedTopic {
  readonly name: string;
  readonly id: string;
}

export class GroupAsking {
  readonly #scenes: GroupScenes;
  readonly #client: RawClient;
  readonly #topic: NamedTopic;

  constructor(scenes: GroupScenes, topic: NamedTopic) {
    this.#scenes = scenes;
    this.#client = scenes.client;
    this.#topic = topic;
  }

  async heartbeat({ group: groupId, id: memberId, generation: generationId, instanceId }: Identity, version: number) {
    const request = { groupId, memberId, generationId, groupInstanceId: instanceId };
    return errorName((await this.#client.call(Heartbeat, version, request)).errorCode);
  }

  async sync(
    { group: groupId, id: memberId, generation: generationId, instanceId }: Identity,
    version: number,
    more: Partial<RequestInput<typeof SyncGroup>> = {},
  ): Promise<string> {
    const { errorCode } = await this.#client.call(SyncGroup, version, {
      groupId,
      memberId,
      generationId,
      groupInstanceId: instanceId,
      protocolType: version >= 5 ? 'consumer' : null,
      protocolName: version >= 5 ? 'range' : null,
      assignments: [{ memberId, assignment: utf8('plan') as Uint8Array }],
      ...more,
    });
    return errorName(errorCode);
  }

  async commit(
    { group: groupId, id: memberId, generation, instanceId }: Identity,
    version: number,
    { name = this.#topic.name, id = this.#topic.id, partition = 0, metadata = '' as string | null } = {},
  ): Promise<string> {
    const place = {
      partitionIndex: partition,
      committedOffset: 3,
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    };
    const { topics } = await this.#client.call(OffsetCommit, version, {
      groupId,
      memberId,
      generationIdOrMemberEpoch: generation,
      groupInstanceId: instanceId,
      retentionTimeMs: -1,
      topics: [{ name, topicId: id, partitions: [place] }],
    });
    return errorName(topics[0]?.partitions[0]?.errorCode as number);
  }

  async fetch(
    { group: groupId, id, generation }: Identity,
    version: number,
    { name = this.#topic.name, topicId = this.#topic.id } = {},
  ): Promise<string> {
    const topics = [{ name, topicId, partitionIndexes: [0] }];
    if (version < 8) {
      const body = await this.#client.call(OffsetFetch, version, { groupId, topics, groups: [], requireStable: false });
      const [place] = body.topics[0]?.partitions ?? [];
      return `${errorName(body.errorCode)}/${errorName(place?.errorCode ?? 0)} ${place?.committedOffset}`;
    }
    const groups = [{ groupId, memberId: id === '' && generation < 0 ? null : id, memberEpoch: generation, topics }];
    const body = await this.#client.call(OffsetFetch, version, {
      groupId: '',
      topics: [],
      groups,
      requireStable: false,
    });
    const [answer] = body.groups;
    const code = answer?.topics[0]?.partitions[0]?.errorCode ?? ERROR.NONE;
    return `${errorName(answer?.errorCode as number)}${code === ERROR.NONE ? '' : `/${errorName(code)}`}`;
  }

  async leave({ group: groupId, id: memberId, instanceId }: Identity, version: number): Promise<string> {
    const members = version < 3 ? [] : [{ memberId, groupInstanceId: instanceId, reason: null }];
    const body = await this.#client.call(LeaveGroup, version, {
      groupId,
      memberId: version < 3 ? memberId : '',
      members,
    });
    const told = [body.errorCode, ...(version < 3 ? [] : body.members.map(({ errorCode }) => errorCode))];
    return told.map(errorName).join('/');
  }

  async beat(it: Identity, more: Partial<Beat>, version = 1): Promise<string> {
    const { errorCode } = await this.#scenes.beat(it, more, version);
    return errorName(errorCode);
  }

  async join(it: Identity, version: number, more: Partial<RequestInput<typeof JoinGroup>> = {}): Promise<string> {
    const { errorCode } = await this.#client.call(JoinGroup, version, {
      groupId: it.group,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: it.id,
      groupInstanceId: it.instanceId,
      protocolType: 'consumer',
      protocols: this.#scenes.protocols.map(([name, metadata]) => ({ name, metadata })),
      reason: null,
      ...more,
    });
    return errorName(errorCode);
  }

  async forget(groupId: string, name: string): Promise<string> {
    const topics = [{ name, partitions: [{ partitionIndex: 0 }] }];
    const body = await this.#client.call(OffsetDelete, 0, { groupId, topics });
    const [place] = body.topics[0]?.partitions ?? [];
    return [body.errorCode, ...(place === undefined ? [] : [place.errorCode])].map(errorName).join('/');
  }
}
