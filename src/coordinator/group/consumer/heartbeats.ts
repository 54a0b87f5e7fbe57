/**
 * ConsumerGroupHeartbeat on a shard: the group that is meant, its turn, the log, the answer. A group changes when what a heartbeat
 * came to is in the log, and is answered then; what the log loses has not happened.
 */
import type { Deadlines } from '../../../base/timers.ts';
import { formatUuid, randomUuid } from '../../../base/uuid.ts';
import { groupTimes } from '../../../config/group-settings.ts';
import { ERROR } from '../../../wire/errors.ts';
import type { Desk } from '../desk.ts';
import type { Groups } from '../groups.ts';
import type { Caller, Respond } from '../messages.ts';
import type { Topics } from '../topics.ts';
import { groupWriteError } from '../write-errors.ts';
import { consumerHeartbeat } from './heartbeat.ts';
import { type ConsumerAlarms, LiveConsumerGroup, type WatchedTime } from './live-group.ts';
import { type ConsumerMember, JOINS } from './member.ts';
import type { Transitions } from './transitions.ts';
import { upgraded } from './upgrade.ts';
import { requestProblem } from './validity.ts';
import { type HeartbeatRequest, type HeartbeatResponse, type Refusal, refused } from './world.ts';
import { consumerWorld } from './worlds.ts';

/** After the log has not taken that a member is gone. */
const RETRY_MS = 500;

export class Heartbeats implements ConsumerAlarms {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #transitions: Transitions;

  constructor(desk: Desk, groups: Groups, transitions: Transitions) {
    this.#desk = desk;
    this.#groups = groups;
    this.#transitions = transitions;
  }

  get timers(): Deadlines {
    return this.#desk.timers;
  }

  get topics(): Topics {
    return this.#desk.topics;
  }

  sessionTimeoutMs(group: string): number {
    const { settings, overrides } = this.#desk;
    return groupTimes(overrides(group), settings).consumerSessionTimeoutMs;
  }

  now(): number {
    return this.#desk.clock.monotonic();
  }

  heartbeat(request: HeartbeatRequest, caller: Caller, respond: Respond<HeartbeatResponse>): void {
    const group = this.#groupOf(request, caller);
    if (!(group instanceof LiveConsumerGroup)) return respond(refusedHeartbeat(group));
    group.turns.take({
      run: (done) => this.#beat(group, request, caller, respond, done),
      refuse: (error) => respond(refusedHeartbeat(refused(error, 'the group is not here any more'))),
      again: () => this.heartbeat(request, caller, respond),
    });
  }

  sessionIsOver(group: LiveConsumerGroup, memberId: string): void {
    this.#end(group, memberId, 'session', () => group.silent(memberId));
  }

  rebalanceIsOver(group: LiveConsumerGroup, memberId: string): void {
    this.#end(group, memberId, 'rebalance', () => group.lingering(memberId));
  }

  /** Whoever joins makes the group, in the place of a classic one that gives it. */
  #groupOf(request: HeartbeatRequest, { version }: Caller): LiveConsumerGroup | Refusal {
    const { groupId, memberEpoch } = request;
    const there = this.#groups.get(groupId);
    if (there?.stateName === 'Dead') return refused(ERROR.COORDINATOR_NOT_AVAILABLE, 'the group is being removed');
    if (there?.kind === 'consumer') return there;
    const world = consumerWorld(this.#desk, groupId);
    const problem = requestProblem(request, version, world);
    if (problem !== null) return problem;
    if (there === undefined) {
      if (memberEpoch === JOINS) return new LiveConsumerGroup(groupId, this);
      return refused(ERROR.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`);
    }
    if (memberEpoch !== JOINS) {
      return refused(ERROR.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a consumer group.`);
    }
    const prelude = there.roster.size === 0 ? [] : upgraded(there, world);
    return 'errorCode' in prelude ? prelude : new LiveConsumerGroup(groupId, this, there, prelude);
  }

  #beat(
    group: LiveConsumerGroup,
    request: HeartbeatRequest,
    { version, clientId, clientHost }: Caller,
    respond: Respond<HeartbeatResponse>,
    done: () => void,
  ): void {
    const newMemberId = () => formatUuid(randomUuid(this.#desk.random));
    const from = { version, clientId, clientHost, newMemberId };
    const outcome = consumerHeartbeat(group.state, request, from, consumerWorld(this.#desk, group.id));
    if ('errorCode' in outcome) {
      respond(refusedHeartbeat(outcome));
      return done();
    }
    const { records, response, gone } = outcome;
    const end = (error: number) => {
      if (error === ERROR.NONE) {
        if (request.memberEpoch >= JOINS) group.heardOf(response.memberId as string);
        respond(response);
      } else respond(refusedHeartbeat(refused(groupWriteError(error), 'the coordinator could not write')));
      done();
    };
    if (gone.length > 0) this.#transitions.depart(group, gone, end);
    else this.#transitions.write(group, records, end);
  }

  /** `due` says whom, when its turn has come: meanwhile it may have been heard of. */
  #end(group: LiveConsumerGroup, memberId: string, time: WatchedTime, due: () => ConsumerMember | null): void {
    const run = (done: () => void) => {
      const member = due();
      if (member === null) return done();
      this.#desk.logger.info('member has failed', { group: group.id, member: memberId, time });
      this.#transitions.depart(group, [member], (error) => {
        if (error !== ERROR.NONE) group.lookAgain(memberId, time, RETRY_MS);
        done();
      });
    };
    group.turns.take({ run, refuse: () => {}, again: () => {} });
  }
}

export function refusedHeartbeat({ errorCode, errorMessage }: Refusal): HeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  };
}
