/**
 * ConsumerGroupHeartbeat on a shard: the group that is meant, its turn, the log, the answer. A group changes when what a heartbeat
 * came to is in the log, and is answered then; what the log loses has not happened.
 */
import type { Deadlines } from '../../../base/timers.ts';
import { formatUuid, randomUuid } from '../../../base/uuid.ts';
import { ERROR } from '../../../wire/errors.ts';
import type { Assignor } from '../assignors/assignor.ts';
import { RANGE } from '../assignors/range.ts';
import { UNIFORM } from '../assignors/uniform.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { Desk } from '../desk.ts';
import type { Groups } from '../groups.ts';
import type { Caller, Respond } from '../messages.ts';
import type { Topics } from '../topics.ts';
import { groupWriteError } from '../write-errors.ts';
import { consumerHeartbeat } from './heartbeat.ts';
import { removal } from './leaving.ts';
import { type ConsumerAlarms, LiveConsumerGroup, type Watch } from './live-group.ts';
import { type ConsumerMember, JOINS } from './member.ts';
import { requestProblem } from './validity.ts';
import { type ConsumerWorld, type HeartbeatRequest, type HeartbeatResponse, type Refusal, refused } from './world.ts';

const ASSIGNORS: readonly Assignor[] = [UNIFORM, RANGE];
/** After the log has not taken that a member is gone. */
const RETRY_MS = 500;

export class Heartbeats implements ConsumerAlarms {
  readonly #desk: Desk;
  readonly #groups: Groups;

  constructor(desk: Desk, groups: Groups) {
    this.#desk = desk;
    this.#groups = groups;
  }

  get timers(): Deadlines {
    return this.#desk.timers;
  }

  get topics(): Topics {
    return this.#desk.topics;
  }

  get sessionTimeoutMs(): number {
    return this.#desk.settings.groupConsumerSessionTimeoutMs;
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
    });
  }

  sessionIsOver(group: LiveConsumerGroup, memberId: string): void {
    this.#end(group, memberId, 'session', () => group.silent(memberId));
  }

  revocationIsOver(group: LiveConsumerGroup, memberId: string): void {
    this.#end(group, memberId, 'revocation', () => group.lingering(memberId));
  }

  /** Whoever joins makes the group, in the place of a classic one that is empty. */
  #groupOf(request: HeartbeatRequest, { version }: Caller): LiveConsumerGroup | Refusal {
    const { groupId, memberEpoch } = request;
    const there = this.#groups.get(groupId);
    if (there?.stateName === 'Dead') return refused(ERROR.COORDINATOR_NOT_AVAILABLE, 'the group is being removed');
    if (there?.kind === 'consumer') return there;
    const problem = requestProblem(request, version, this.#world());
    if (problem !== null) return problem;
    if (there === undefined) {
      if (memberEpoch === JOINS) return new LiveConsumerGroup(groupId, this);
      return refused(ERROR.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`);
    }
    if (memberEpoch === JOINS && there.isEmpty && !there.isBusy) return new LiveConsumerGroup(groupId, this, there);
    return refused(ERROR.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a consumer group.`);
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
    const outcome = consumerHeartbeat(group.state, request, from, this.#world());
    if ('errorCode' in outcome) {
      respond(refusedHeartbeat(outcome));
      return this.#leave(group, done);
    }
    const { records, response } = outcome;
    this.#write(group, records, (error) => {
      if (error === ERROR.NONE) {
        if (request.memberEpoch >= JOINS) group.heardOf(response.memberId as string);
        respond(response);
      } else respond(refusedHeartbeat(refused(groupWriteError(error), 'the coordinator could not write')));
      this.#leave(group, done);
    });
  }

  /** `due` says whom, when its turn has come: meanwhile it may have been heard of. */
  #end(group: LiveConsumerGroup, memberId: string, time: keyof Watch, due: () => ConsumerMember | null): void {
    const run = (done: () => void) => {
      const member = due();
      if (member === null) return done();
      this.#desk.logger.info('member has failed', { group: group.id, member: memberId, time });
      this.#write(group, removal(group.state, [member], this.#world()), (error) => {
        if (error !== ERROR.NONE) group.lookAgain(memberId, time, RETRY_MS);
        done();
      });
    };
    group.turns.take({ run, refuse: () => {} });
  }

  #write(group: LiveConsumerGroup, records: readonly ConsumerGroupRecord[], done: (error: number) => void): void {
    if (records.length === 0) return done(ERROR.NONE);
    if (this.#groups.get(group.id) !== group) this.#groups.put(group);
    const before = group.displaced?.tombstones() ?? [];
    this.#desk.writes.write([...before, ...records], (error) => {
      if (error === ERROR.NONE) {
        group.displaced = null;
        group.apply(records);
      } else this.#desk.logger.warn('group was not stored', { group: group.id, error });
      done(error);
    });
  }

  /** A group of which nothing came into the log is not there, or is what it was before. */
  #leave(group: LiveConsumerGroup, done: () => void): void {
    done();
    if (!group.isVoid || group.turns.isBusy || this.#groups.get(group.id) !== group) return;
    if (group.displaced === null) this.#groups.remove(group.id, ERROR.NOT_COORDINATOR);
    else this.#groups.put(group.displaced);
  }

  #world(): ConsumerWorld {
    const { settings, topics, clock } = this.#desk;
    return {
      topics,
      settings: {
        membersMax: settings.groupConsumerMaxSize,
        heartbeatIntervalMs: settings.groupConsumerHeartbeatIntervalMs,
      },
      assignors: assignorsOf(settings.groupConsumerAssignors),
      now: clock.now(),
    };
  }
}

/** In the order of their names. */
function assignorsOf(names: readonly string[]): Assignor[] {
  return names.flatMap((name) => ASSIGNORS.find((assignor) => assignor.name === name) ?? []);
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
