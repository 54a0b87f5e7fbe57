/** A member of the consumer protocol that heartbeats when it is told to, and takes and gives up at once what it is answered. */
import { randomUUID } from 'node:crypto';
import { ERROR } from '../../src/wire/errors.ts';
import { ConsumerGroupHeartbeat } from '../../src/wire/messages/consumer-group-heartbeat.ts';
import { RawClient } from './client.ts';
import { eventually } from './eventually.ts';

export interface Wishes {
  readonly names?: readonly string[];
  readonly pattern?: string;
}

/** As long as a coordinator is not found or has not loaded. */
const ASK_AGAIN: readonly number[] = [ERROR.COORDINATOR_LOAD_IN_PROGRESS, ERROR.NOT_COORDINATOR];

export class BeatingMember {
  readonly id: string = randomUUID();
  readonly #group: string;
  readonly #wishes: Wishes;
  #client: RawClient;
  epoch = 0;
  /** As it was told last. */
  intervalMs = 0;
  /** How often it was out and joined again. */
  lost = 0;
  /** By topic id. */
  #owned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[] = [];

  private constructor(client: RawClient, group: string, wishes: Wishes) {
    this.#client = client;
    this.#group = group;
    this.#wishes = wishes;
  }

  static async join(port: number, group: string, wishes: Wishes): Promise<BeatingMember> {
    const member = new BeatingMember(await RawClient.connect(port), group, wishes);
    await member.beat();
    return member;
  }

  /** How many partitions it has, of all topics. */
  get size(): number {
    return this.#owned.reduce((sum, { partitions }) => sum + partitions.length, 0);
  }

  /** The partitions of the topic; it may own others. */
  of(topicId: string): number[] {
    return this.#owned.filter((one) => one.topicId === topicId).flatMap(({ partitions }) => [...partitions]);
  }

  /** To a broker that has started anew, with what it knew. */
  async comeBack(port: number): Promise<void> {
    await this.#client.close();
    this.#client = await RawClient.connect(port);
  }

  /** Says all that it owns, so that what it has given up is known at once. Gives what a coordinator said. */
  async beat(): Promise<number> {
    const { errorCode } = await eventually(
      () => this.#say(this.epoch),
      (answer) => !ASK_AGAIN.includes(answer.errorCode),
    );
    return errorCode;
  }

  async #say(memberEpoch: number) {
    const answer = await this.#client.call(ConsumerGroupHeartbeat, 1, {
      groupId: this.#group,
      memberId: this.id,
      memberEpoch,
      instanceId: null,
      rackId: null,
      serverAssignor: null,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: [...(this.#wishes.names ?? [])],
      subscribedTopicRegex: this.#wishes.pattern ?? '',
      topicPartitions: this.#owned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })),
    });
    if (answer.errorCode === ERROR.NONE) {
      this.epoch = answer.memberEpoch;
      this.intervalMs = answer.heartbeatIntervalMs;
      if (answer.assignment !== null) this.#owned = answer.assignment.topicPartitions;
    } else if (!ASK_AGAIN.includes(answer.errorCode)) {
      this.lost += 1;
      this.epoch = 0;
      this.#owned = [];
    }
    return answer;
  }

  async leave(): Promise<number> {
    const { errorCode } = await this.#say(-1);
    await this.close();
    return errorCode;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** All of them heartbeat until it pleases; false when it does not in time. */
export async function beating(members: readonly BeatingMember[], pleases: () => boolean): Promise<boolean> {
  return eventually(async () => {
    for (const member of members) await member.beat();
    return pleases();
  }, Boolean);
}
