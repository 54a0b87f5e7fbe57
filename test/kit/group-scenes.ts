/**
 * Groups as a request may find them, each made anew by a client's own requests: what is said of a member there is what the
 * broker told it last, of one whose session is over what it was told first. Joins that wait are on connections of their own.
 */
import { randomUUID } from 'node:crypto';
import { NO_BYTES } from '../../src/coordinator/group/classic-member.ts';
import { writeAssignment } from '../../src/coordinator/group/consumer-protocol.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { ConsumerGroupHeartbeat } from '../../src/wire/messages/consumer-group-heartbeat.ts';
import type { RequestInput } from '../../src/wire/schema.ts';
import { subscription } from '../coordinator/world.ts';
import { RawClient } from './client.ts';
import { change, GROUP, SET } from './configs.ts';
import { eventually } from './eventually.ts';
import { commit, coordinated, describeConsumerGroup, describeGroup, formGroup, RawMember } from './group-calls.ts';

export interface Identity {
  readonly group: string;
  readonly id: string;
  /** Or the epoch of a member of the consumer protocol. */
  readonly generation: number;
  readonly instanceId: string | null;
}

export type Beat = RequestInput<typeof ConsumerGroupHeartbeat>;
/** Where nothing is due within a test. */
const LONG_MS = 60_000;
const SHORT_SESSION_MS = 200;
const SHORT_INTERVAL_MS = 100;

export const SCENE_SETTINGS = {
  'group.min.session.timeout.ms': '100',
  'group.consumer.min.session.timeout.ms': '200',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.max.session.timeout.ms': '1800000',
};

export const INSTANCE = 'instance';

/** Of these nothing is left that a request could take away. */
export const GONE: ReadonlySet<string> = new Set([
  'no group',
  'offsets alone',
  'left',
  'expired',
  'consumer protocol, left',
  'consumer protocol, expired',
]);

export class GroupScenes {
  readonly client: RawClient;
  readonly topic: string;
  readonly #port: number;
  readonly #waiting: RawMember[] = [];

  constructor(client: RawClient, port: number, topic: string) {
    this.client = client;
    this.#port = port;
    this.topic = topic;
  }

  readonly all: Readonly<Record<string, () => Promise<Identity>>> = {
    'no group': async () => ({ group: await this.#name(), id: 'someone', generation: 1, instanceId: null }),
    'offsets alone': async () => {
      const nobody = { group: await this.#name(), id: '', generation: -1, instanceId: null };
      expectNone(await commit(this.client, nobody.group, this.topic, 1));
      return nobody;
    },
    stable: async () => identityOf(await this.#stable()),
    'stable, static': async () => identityOf(await this.#stable(INSTANCE), INSTANCE),
    'static and replaced': async () => {
      const before = await this.#stable(INSTANCE);
      const after = this.#member(before.group, INSTANCE);
      expectNone((await after.join()).errorCode);
      return identityOf(before, INSTANCE);
    },
    'pending member': async () => {
      const member = this.#member(await this.#name());
      await member.joinOnce();
      return identityOf(member);
    },
    gathering: async () => {
      const member = await this.#stable();
      const other = new RawMember(await RawClient.connect(this.#port), member.group, this.#long);
      this.#waiting.push(other);
      // Nobody answers it before the other one joins again, or its connection ends.
      other.join().catch(() => {});
      await eventually(
        () => member.beat(),
        (error) => error === ERROR.REBALANCE_IN_PROGRESS,
      );
      return identityOf(member);
    },
    planning: async () => {
      const member = this.#member(await this.#name());
      expectNone((await member.join()).errorCode);
      return identityOf(member);
    },
    left: async () => {
      const member = await this.#stable();
      const was = identityOf(member);
      expectNone(await member.leave());
      return was;
    },
    expired: async () => {
      const member = await this.#stable();
      const was = identityOf(member);
      // Its session is short from this answer on: nothing before it could come too late.
      expectNone((await member.joinOnce({ sessionMs: SHORT_SESSION_MS })).errorCode);
      await eventually(
        () => describeGroup(this.client, member.group),
        ({ groupState }) => groupState === 'Empty',
      );
      return was;
    },
    'consumer protocol': async () => this.#modern(await this.#name()),
    'consumer protocol, static': async () => this.#modern(await this.#name(), INSTANCE),
    'consumer protocol, away': async () => {
      const member = await this.#modern(await this.#name(), INSTANCE);
      expectNone((await this.beat({ ...member, generation: -2 })).errorCode);
      return member;
    },
    'consumer protocol, left': async () => {
      const member = await this.#modern(await this.#name());
      expectNone((await this.beat({ ...member, generation: -1 })).errorCode);
      return member;
    },
    'consumer protocol, expired': async () => {
      const member = await this.#modern(await this.#name());
      await change(this.client, GROUP, member.group, [
        ['consumer.heartbeat.interval.ms', SET, String(SHORT_INTERVAL_MS)],
        ['consumer.session.timeout.ms', SET, String(SHORT_SESSION_MS)],
      ]);
      // The session goes by what was set when the interval does.
      await eventually(
        () => this.beat(member),
        ({ heartbeatIntervalMs }) => heartbeatIntervalMs === SHORT_INTERVAL_MS,
      );
      await eventually(
        () => describeConsumerGroup(this.client, member.group),
        ({ groupState }) => groupState === 'Empty',
      );
      return member;
    },
  };

  /** A Kafka that cannot read what a member can do never answers its join. */
  get protocols(): [string, Uint8Array][] {
    return [['range', subscription([this.topic])]];
  }

  get #long() {
    return { sessionMs: LONG_MS, rebalanceMs: LONG_MS, protocols: this.protocols };
  }

  /** With what a member says that joins, unless something else is said. */
  beat({ group, id, generation, instanceId }: Identity, more: Partial<Beat> = {}, version = 1) {
    const joins = generation === 0;
    return this.client.call(ConsumerGroupHeartbeat, version, {
      groupId: group,
      memberId: id,
      memberEpoch: generation,
      instanceId,
      rackId: null,
      rebalanceTimeoutMs: joins ? LONG_MS : -1,
      subscribedTopicNames: joins ? [this.topic] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: joins ? [] : null,
      ...more,
    });
  }

  async close(): Promise<void> {
    for (const { client } of this.#waiting.splice(0)) await client.close();
  }

  /** Whose shard is there. */
  async #name(): Promise<string> {
    const group = `scene-${randomUUID()}`;
    await coordinated(this.client, group);
    return group;
  }

  #member(group: string, instanceId: string | null = null): RawMember {
    return new RawMember(this.client, group, { ...this.#long, instanceId });
  }

  async #stable(instanceId: string | null = null): Promise<RawMember> {
    const member = this.#member(await this.#name(), instanceId);
    const { synced } = await formGroup([member], () => planFor(this.topic));
    expectNone(synced[0]?.errorCode);
    return member;
  }

  async #modern(group: string, instanceId: string | null = null): Promise<Identity> {
    const asks = { group, id: randomUUID(), generation: 0, instanceId };
    const joined = await this.#settled(asks, {});
    // A second epoch, so that there is an older one.
    return this.#settled(joined, { subscribedTopicNames: [this.topic, 'other'] });
  }

  /** Once it has what it is to have; assigning may take a moment. */
  async #settled(it: Identity, more: Partial<Beat>): Promise<Identity> {
    let { generation } = it;
    const { groupState } = await eventually(
      async () => {
        const { errorCode, memberEpoch } = await this.beat({ ...it, generation }, generation === 0 ? {} : more);
        expectNone(errorCode);
        generation = memberEpoch;
        return describeConsumerGroup(this.client, it.group);
      },
      (group) => group.groupState === 'Stable' && group.groupEpoch > it.generation && group.groupEpoch === generation,
    );
    if (groupState !== 'Stable') throw new Error(`${it.group} is ${groupState}`);
    return { ...it, generation };
  }
}

/** Plans are the members' own, but a group that goes over to the consumer protocol reads them. */
function planFor(topic: string): Uint8Array {
  return writeAssignment([{ topic, partitions: [0] }], NO_BYTES);
}

function identityOf({ group, id, generation }: RawMember, instanceId: string | null = null): Identity {
  return { group, id, generation, instanceId };
}

function expectNone(error: number | undefined): void {
  if (error !== ERROR.NONE) throw new Error(`a scene was not made: error ${error}`);
}
