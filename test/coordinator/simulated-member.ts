/**
 * A consumer of the simulation: joins, syncs, beats, commits, leaves, or is gone without a word, as its dice say. Has one request
 * under way; one it has given up may still be answered, which it does not hear.
 */
import type { SeededRandom } from '../../src/base/random.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import type { JoinResponse, SyncResponse } from '../../src/coordinator/group/messages.ts';
import type { GroupShard } from '../../src/coordinator/group/shard.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { JoinGroup } from '../../src/wire/messages/join-group.ts';
import type { GroupFacts } from './group-facts.ts';
import { bytesOf, caller, expectWritable, subscription, textOf } from './world.ts';

export const PARTITIONS = 4;
const TOPIC = 't';
const SESSION_MS = 10_000;
const REBALANCE_MS = 20_000;

/** What carries a request to whichever shard there is then, and answers back; late, or not at all. */
export interface Network {
  send(deliver: (shard: GroupShard) => void): void;
  reply(deliver: () => void): void;
}

type Phase = 'out' | 'joined' | 'in';

export class SimulatedMember {
  readonly name: string;
  readonly group: string;
  readonly #instance: string | null;
  readonly #version: number;
  readonly #random: SeededRandom;
  readonly #network: Network;
  readonly #facts: GroupFacts;
  #phase: Phase = 'out';
  #id = '';
  #generation = -1;
  #told: JoinResponse | null = null;
  /** Number of the request under way, 0 for none. */
  #asked = 0;
  #requests = 0;
  #protocols = ['range'];
  #isCalm = false;
  isGone = false;

  constructor(
    name: string,
    group: string,
    isStatic: boolean,
    random: SeededRandom,
    network: Network,
    facts: GroupFacts,
  ) {
    this.name = name;
    this.group = group;
    this.#instance = isStatic ? `instance-${name}` : null;
    this.#version = isStatic ? 5 + random.below(5) : random.below(10);
    this.#random = random;
    this.#network = network;
    this.#facts = facts;
  }

  /** From now on it is there to stay, and can do whatever the others can: a loaded group knows one protocol of each member. */
  calmDown(): void {
    this.#isCalm = true;
    this.#protocols = ['sticky', 'range'];
    if (this.#asked !== 0) this.#giveUp();
  }

  get isIn(): boolean {
    return this.#phase === 'in';
  }

  act(): void {
    if (this.#asked !== 0) {
      if (this.#chance(this.#isCalm ? 0 : 2)) this.#giveUp();
      return;
    }
    if (this.isGone) return;
    if (this.#phase === 'out') this.#join();
    else if (this.#phase === 'joined') this.#sync();
    else this.#live();
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  #giveUp(): void {
    this.#asked = 0;
    if (this.#phase === 'joined' && this.#chance(50)) this.#phase = 'out';
  }

  #live(): void {
    const dice = this.#random.below(this.#isCalm ? 85 : 100);
    if (dice < 50) this.#beat();
    else if (dice < 85) this.#commit();
    else if (dice < 88) this.#leave();
    else if (dice < 91) this.#restart();
    else if (dice < 93) this.#phase = 'out';
    else if (dice < 95) this.#protocols = this.#chance(50) ? ['range'] : ['sticky', 'range'];
  }

  /** Killed and started anew: what it knew is forgotten, nobody is told. */
  #restart(): void {
    this.#asked = 0;
    this.#forgetId();
  }

  #forgetId(): void {
    this.#id = '';
    this.#phase = 'out';
  }

  #ask<Body>(request: (shard: GroupShard, respond: (body: Body) => void) => void, take: (body: Body) => void): void {
    this.#requests += 1;
    const number = this.#requests;
    this.#asked = number;
    this.#network.send((shard) => {
      const respond = this.#facts.expectAnswer(this.name, (body: Body) => {
        this.#network.reply(() => {
          if (this.#asked !== number) return;
          this.#asked = 0;
          take(body);
        });
      });
      request(shard, respond);
    });
  }

  #identity() {
    return { groupId: this.group, memberId: this.#id, groupInstanceId: this.#instance };
  }

  #join(): void {
    const request = {
      ...this.#identity(),
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: this.#protocols.map((name) => ({ name, metadata: subscription([TOPIC]) })),
      reason: null,
    };
    this.#ask<JoinResponse>(
      (shard, respond) =>
        shard.joinGroup(request, caller(this.#version, this.name), (body) => {
          expectWritable(JoinGroup, this.#version, body);
          this.#facts.joined(this, body);
          respond(body);
        }),
      (body) => this.#takeJoin(body),
    );
  }

  #takeJoin(body: JoinResponse): void {
    if (body.errorCode === ERROR.NONE) {
      this.#id = body.memberId;
      this.#generation = body.generationId;
      this.#told = body;
      this.#phase = 'joined';
    } else if (body.errorCode === ERROR.MEMBER_ID_REQUIRED) this.#id = body.memberId;
    else this.#takeError(body.errorCode);
  }

  #sync(): void {
    const told = this.#told;
    const leads = told !== null && told.leader === this.#id && !told.skipAssignment;
    const request = {
      ...this.#identity(),
      generationId: this.#generation,
      protocolType: null,
      protocolName: null,
      assignments: leads ? this.#plan(told) : [],
    };
    this.#ask<SyncResponse>(
      (shard, respond) =>
        shard.syncGroup(request, caller(4), (body) => {
          if (body.errorCode === ERROR.NONE) {
            this.#facts.assigned(this, request.generationId, textOf(body.assignment));
          }
          respond(body);
        }),
      ({ errorCode }) => {
        if (errorCode === ERROR.NONE) this.#phase = 'in';
        else this.#takeError(errorCode);
      },
    );
  }

  #plan({ members }: JoinResponse) {
    const shift = this.#random.below(members.length);
    const shares = members.map(({ memberId }) => ({ memberId, partitions: [] as number[] }));
    for (let partition = 0; partition < PARTITIONS; partition++) {
      shares[(partition + shift) % shares.length]?.partitions.push(partition);
    }
    return shares.map(({ memberId, partitions }) => ({ memberId, assignment: bytesOf(partitions.join(' ')) }));
  }

  #beat(): void {
    const request = { ...this.#identity(), generationId: this.#generation };
    this.#ask<{ errorCode: number }>(
      (shard, respond) => shard.heartbeat(request, caller(4), respond),
      ({ errorCode }) => {
        if (errorCode !== ERROR.NONE) this.#takeError(errorCode);
      },
    );
  }

  #commit(): void {
    const partition = this.#random.below(PARTITIONS);
    this.#ask<number>(
      (shard, respond) => {
        const offset = this.#facts.nextOffset();
        const committed = {
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: -1,
          committedMetadata: '',
        };
        const request = {
          ...this.#identity(),
          generationIdOrMemberEpoch: this.#generation,
          retentionTimeMs: -1,
          topics: [{ name: TOPIC, topicId: ZERO_UUID, partitions: [committed] }],
        };
        const told = this.#facts.committing(this.group, partition, offset);
        shard.offsetCommit(request, caller(9), ({ topics }) => {
          const error = topics[0]?.partitions[0]?.errorCode ?? ERROR.UNKNOWN_SERVER_ERROR;
          told(error);
          respond(error);
        });
      },
      (error) => {
        if (error !== ERROR.NONE) this.#takeError(error);
      },
    );
  }

  #leave(): void {
    const { groupId, memberId, groupInstanceId } = this.#identity();
    const request = { groupId, memberId, members: [{ memberId, groupInstanceId, reason: null }] };
    this.#forgetId();
    this.#ask<unknown>(
      (shard, respond) => shard.leaveGroup(request, caller(5), respond),
      () => {},
    );
  }

  #takeError(error: number): void {
    if (error === ERROR.UNKNOWN_MEMBER_ID || error === ERROR.FENCED_INSTANCE_ID) this.#forgetId();
    else this.#phase = 'out';
  }
}
