/**
 * A handler's coordinators by its rings: they load from the log, answer by letter when what they wrote is in the log, go with
 * their partition, and come back from the log with all that was acknowledged.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { memoryOver } from '../../../src/base/memory.ts';
import { ZERO_UUID } from '../../../src/base/uuid.ts';
import type { Change } from '../../../src/cluster/changes.ts';
import { GROUP_LOG } from '../../../src/cluster/internal-topics.ts';
import { Rebalances } from '../../../src/coordinator/group/rebalances.ts';
import { GroupShard } from '../../../src/coordinator/group/shard.ts';
import type { FrozenPartition } from '../../../src/runtime/control.ts';
import { GroupJournal } from '../../../src/runtime/handler/group-journal.ts';
import { LetterReader } from '../../../src/runtime/rings/letters.ts';
import { BLOCKED_DONE, COORDINATE, COORDINATED, SYNC, TAKEN } from '../../../src/runtime/rings/messages.ts';
import { requestWriter, responseReader } from '../../../src/wire/compiler.ts';
import { ERROR } from '../../../src/wire/errors.ts';
import { writeRequestHeader } from '../../../src/wire/headers.ts';
import { DescribeGroups } from '../../../src/wire/messages/describe-groups.ts';
import { JoinGroup } from '../../../src/wire/messages/join-group.ts';
import { OffsetCommit } from '../../../src/wire/messages/offset-commit.ts';
import { OffsetFetch } from '../../../src/wire/messages/offset-fetch.ts';
import { Reader } from '../../../src/wire/reader.ts';
import type { Api, RequestInput, ResponseOf } from '../../../src/wire/schema.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { HandlerBench, type Reported } from './handler-kit.ts';

afterEach(() => vi.restoreAllMocks());

const SLOT = 3;
const TICK_MS = 5;

interface Heard {
  readonly kind: 'taken' | 'answered';
  readonly op: number;
  readonly error: number;
  readonly body: Uint8Array;
}

const leader = { leader: 0, leaderEpoch: 0, partitionEpoch: 0, replicas: [0], isr: [0] };
const TOPIC = {
  kind: 'topicCreated',
  topic: { name: 't', id: 'topic-of-16-byte', partitions: [leader], configs: new Map() },
} satisfies Change;

class Coordinating extends HandlerBench {
  readonly #reader = new LetterReader(this.letters);
  #op = 0;
  #serial = 0;

  constructor(options: ConstructorParameters<typeof HandlerBench>[0] = {}) {
    super({ changes: [TOPIC], ...options });
  }

  get place() {
    return {
      ...this.partition(SLOT),
      topicId: 'group-log-16-byt',
      topic: GROUP_LOG,
      directory: `/data/${GROUP_LOG}-${SLOT}`,
    };
  }

  /** Opens its partition and gives it the turns it needs to load. */
  opened(): this {
    expect(this.control({ kind: 'open', partitions: [this.place] })).toEqual([{ value: [], error: null }]);
    for (let turn = 0; turn < 5; turn++) this.turn();
    return this;
  }

  /** As an operation of its own, whose number may have been another's before. */
  send<A extends Api>(api: A, version: number, request: RequestInput<A>, part = 0, op = this.#op + 1): number {
    const writer = new Writer();
    writeRequestHeader(writer, api, version, 1, 'client');
    requestWriter(api, version)(writer, request);
    const bytes = writer.memory.bytes.slice(writer.start, writer.offset);
    this.#op = op;
    this.#serial += 1;
    const at = this.receive(bytes);
    this.toHandler.send(COORDINATE, op, part, SLOT, at, bytes.length, this.#serial, 0, 0x7f000001, -1, -1);
    return op;
  }

  heard(): Heard[] {
    const heard: Heard[] = [];
    const { words } = this.fromHandler;
    for (let at = this.fromHandler.peek(); at >= 0; at = this.fromHandler.peek()) {
      const [type, op, , error] = words.subarray(at, at + 4) as unknown as [number, number, number, number];
      if (type === TAKEN) heard.push({ kind: 'taken', op, error, body: new Uint8Array(0) });
      else {
        expect(type).toBe(COORDINATED);
        const body = this.#reader.take(words, at);
        if (body !== null) heard.push({ kind: 'answered', op, error, body });
      }
      this.fromHandler.next();
    }
    return heard;
  }

  /** The answer to what is asked; a join has one in the turn behind the next tick. */
  ask<A extends Api>(api: A, version: number, request: RequestInput<A>, turns = 1): ResponseOf<A> {
    const op = this.send(api, version, request);
    for (let turn = 0; turn < turns; turn++) {
      if (turn > 0) this.clock.advance(TICK_MS);
      this.turn();
    }
    const heard = this.heard().filter(({ kind }) => kind === 'answered');
    expect(heard.map((one) => [one.kind, one.op, one.error])).toEqual([['answered', op, ERROR.NONE]]);
    return bodyOf(api, version, (heard[0] as Heard).body);
  }
}

function bodyOf<A extends Api>(api: A, version: number, bytes: Uint8Array): ResponseOf<A> {
  const reader = new Reader();
  reader.reset(memoryOver(bytes), 0, bytes.length);
  return responseReader(api, version)(reader);
}

const simple = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null };

function commit(committedOffset: number, groupId = 'g'): RequestInput<typeof OffsetCommit> {
  const partitions = [{ partitionIndex: 0, committedOffset, committedLeaderEpoch: 4, committedMetadata: 'so far' }];
  return { ...simple, groupId, retentionTimeMs: -1, topics: [{ name: 't', topicId: ZERO_UUID, partitions }] };
}

function committed(bench: Coordinating, groupId = 'g'): unknown[] {
  const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }];
  const { groups: answered } = bench.ask(OffsetFetch, 8, { groupId: '', topics: [], groups, requireStable: false });
  return (answered[0] as (typeof answered)[0]).topics.flatMap(({ partitions }) =>
    partitions.map(({ committedOffset, committedLeaderEpoch, metadata }) => [
      committedOffset,
      committedLeaderEpoch,
      metadata,
    ]),
  );
}

function join(memberId: string): RequestInput<typeof JoinGroup> {
  return {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array([1, 2, 3]) }],
    reason: null,
  };
}

/** The second of two members: it waits until the first one joins again. */
function joining(bench: Coordinating): number {
  const { memberId } = bench.ask(JoinGroup, 4, join(''));
  bench.ask(JoinGroup, 4, join(memberId), 2);
  const { memberId: second } = bench.ask(JoinGroup, 4, join(''));
  const waiting = bench.send(JoinGroup, 4, join(second));
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'taken', op: waiting }]);
  return waiting;
}

test('a commit is answered in the turn it is written in, and is there after the next start', () => {
  const bench = new Coordinating().opened();
  expect(committed(bench)).toEqual([]);
  for (let offset = 1; offset <= 40; offset++) {
    const { topics } = bench.ask(OffsetCommit, 8, commit(offset));
    expect(topics[0]?.partitions).toEqual([{ partitionIndex: 0, errorCode: ERROR.NONE }]);
  }
  expect(committed(bench)).toEqual([[40, 4, 'so far']]);
  expect(bench.control({ kind: 'close' })).toHaveLength(1);
  expect(committed(new Coordinating({ disk: bench.disk }).opened())).toEqual([[40, 4, 'so far']]);
});

test('while it loads it says so', () => {
  const bench = new Coordinating();
  bench.control({ kind: 'open', partitions: [bench.place] });
  const op = bench.send(OffsetCommit, 8, commit(1));
  bench.handler.drain(0);
  expect(bench.heard()).toMatchObject([{ kind: 'answered', op, error: ERROR.COORDINATOR_LOAD_IN_PROGRESS }]);
});

test('what comes in the same turn under the number of an answered operation is a request of its own', () => {
  const bench = new Coordinating().opened();
  const op = bench.send(DescribeGroups, 0, { groups: ['g'], includeAuthorizedOperations: false });
  bench.send(JoinGroup, 4, join(''), 0, op);
  bench.turn();
  const [described, joined] = bench.heard() as [Heard, Heard];
  expect(bodyOf(DescribeGroups, 0, described.body).groups).toMatchObject([{ groupId: 'g', groupState: 'Dead' }]);
  expect(bodyOf(JoinGroup, 4, joined.body)).toMatchObject({ errorCode: ERROR.MEMBER_ID_REQUIRED });
});

test('with group commit the answer waits for the sync, and its frame is let go', () => {
  const bench = new Coordinating({ groupCommit: true }).opened();
  const op = bench.send(OffsetCommit, 8, commit(7));
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'taken', op }]);
  const syncs = bench.received(bench.toBlocker).filter(({ type }) => type === SYNC);
  expect(syncs.length).toBeGreaterThan(0);
  for (const { a, b } of syncs) bench.fromBlocker.send(BLOCKED_DONE, a, b, 0, 0, 0, 0, 0);
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'answered', op, error: ERROR.NONE }]);
});

test('what is written in one turn is one batch', () => {
  const bench = new Coordinating().opened();
  const ops = [1, 2, 3].map((offset) => bench.send(OffsetCommit, 8, commit(offset, `g${offset}`)));
  bench.turn();
  expect(bench.heard().map(({ kind, op }) => [kind, op])).toEqual(ops.map((op) => ['answered', op]));
  const log = bench.disk.readFile(`/data/${GROUP_LOG}-${SLOT}/00000000000000000000.log`) as Uint8Array;
  const { view } = memoryOver(log);
  expect([view.getInt32(8) + 12, view.getInt32(57)]).toEqual([log.length, 3]);
});

test('a member that waits to join is sent to the next coordinator when the partition moves', () => {
  const bench = new Coordinating().opened();
  const { errorCode, memberId } = bench.ask(JoinGroup, 4, join(''));
  expect(errorCode).toBe(ERROR.MEMBER_ID_REQUIRED);
  expect(bench.ask(JoinGroup, 4, join(memberId), 2)).toMatchObject({ errorCode: ERROR.NONE, leader: memberId });
  bench.ask(JoinGroup, 4, join(''));
  const [, second] = [0, bench.ask(JoinGroup, 4, join('')).memberId];
  const waiting = bench.send(JoinGroup, 4, join(second as string));
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'taken', op: waiting }]);
  const [frozen] = bench.control({ kind: 'freeze', slots: [SLOT] });
  const heard = bench.heard();
  expect(heard).toMatchObject([{ kind: 'answered', op: waiting, error: ERROR.NONE }]);
  expect(bodyOf(JoinGroup, 4, (heard[0] as Heard).body).errorCode).toBe(ERROR.NOT_COORDINATOR);
  const late = bench.send(OffsetCommit, 8, commit(1));
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'answered', op: late, error: ERROR.NOT_COORDINATOR }]);
  const other = new Coordinating({ index: 1, disk: bench.disk });
  const [{ bytes }] = (frozen as Reported).value as [FrozenPartition];
  expect(other.control({ kind: 'thaw', partitions: [{ ...other.place, bytes }] })).toHaveLength(1);
  for (let turn = 0; turn < 5; turn++) other.turn();
  expect(other.ask(JoinGroup, 4, join('')).errorCode).toBe(ERROR.MEMBER_ID_REQUIRED);
});

test('an answer for a processor that is gone goes to nobody', () => {
  const bench = new Coordinating().opened();
  joining(bench);
  expect(bench.control({ kind: 'unlink', peer: 'p0' })).toHaveLength(1);
  bench.clock.advance(60_000);
  bench.timers.advance(bench.clock.monotonic());
  bench.turn();
  expect(bench.heard()).toEqual([]);
});

test('a disk that fails: commits are not acknowledged, and nobody coordinates', () => {
  const bench = new Coordinating().opened();
  bench.ask(OffsetCommit, 8, commit(1));
  bench.disk.fault = (operation) => (operation === 'write' ? 'EIO' : null);
  const op = bench.send(OffsetCommit, 8, commit(2));
  bench.turn();
  const [answered] = bench.heard() as [Heard];
  expect(answered).toMatchObject({ kind: 'answered', op, error: ERROR.NONE });
  const { topics } = bodyOf(OffsetCommit, 8, answered.body);
  expect(topics[0]?.partitions[0]?.errorCode).toBe(ERROR.NOT_COORDINATOR);
  bench.disk.fault = null;
  const again = bench.send(OffsetCommit, 8, commit(3));
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'answered', op: again, error: ERROR.COORDINATOR_NOT_AVAILABLE }]);
});

test('a fault of ours costs the coordinator it is found in, and nobody else', () => {
  let armed = false;
  const partitions = new Proxy([leader], {
    get: (list, name, receiver) => {
      if (armed && name === 'length') throw new TypeError('a fault of ours');
      return Reflect.get(list, name, receiver);
    },
  });
  const changes = [{ ...TOPIC, topic: { ...TOPIC.topic, partitions } }];
  const bench = new Coordinating({ changes }).opened();
  const waiting = joining(bench);
  armed = true;
  const op = bench.send(OffsetCommit, 8, commit(1));
  bench.turn();
  const heard = bench.heard().map(({ kind, op: answered, error }) => [kind, answered, error]);
  expect(heard).toEqual([
    ['answered', waiting, ERROR.NONE],
    ['answered', op, ERROR.COORDINATOR_NOT_AVAILABLE],
  ]);
  const offline = bench.posted.find(({ kind }) => kind === 'offline');
  expect(offline).toMatchObject({ slot: SLOT, why: 'a fault of ours' });
  armed = false;
  const again = bench.send(OffsetCommit, 8, commit(1));
  bench.turn();
  expect(bench.heard()).toMatchObject([{ kind: 'answered', op: again, error: ERROR.COORDINATOR_NOT_AVAILABLE }]);
});

const FAULT = 'a fault of ours';

function breaks(prototype: object, method: string): void {
  vi.spyOn(prototype as Record<string, () => void>, method).mockImplementation(() => {
    throw new TypeError(FAULT);
  });
}

for (const [where, shatter, happen] of [
  [
    'a timer',
    () => breaks(Rebalances.prototype, 'sessionIsOver'),
    (bench: Coordinating) => bench.clock.advance(60_000),
  ],
  ['what expires', () => breaks(GroupShard.prototype, 'expire'), (bench: Coordinating) => lookAfter(bench)],
  [
    'a topic that goes',
    () => breaks(GroupShard.prototype, 'topicDeleted'),
    (bench: Coordinating) => {
      const deleted = { kind: 'topicDeleted', topic: 't', id: TOPIC.topic.id } as const;
      expect(bench.control({ kind: 'changes', changes: [deleted], add: [], remove: [] })).toHaveLength(1);
    },
  ],
  [
    'the journal',
    () => breaks(GroupJournal.prototype, 'flush'),
    (bench: Coordinating) => bench.send(OffsetCommit, 8, commit(1, 'another')),
  ],
] as const) {
  test(`a fault in ${where} costs the coordinator it is found in, and nobody else`, () => {
    const bench = new Coordinating().opened();
    const waiting = joining(bench);
    shatter();
    happen(bench);
    bench.turn();
    const answer = bench.heard().find(({ op }) => op === waiting) as Heard;
    expect(bodyOf(JoinGroup, 4, answer.body).errorCode).toBe(ERROR.NOT_COORDINATOR);
    expect(bench.posted.find(({ kind }) => kind === 'offline')).toMatchObject({ slot: SLOT, why: FAULT });
    vi.restoreAllMocks();
    const again = bench.send(OffsetCommit, 8, commit(1));
    bench.turn();
    expect(bench.heard()).toMatchObject([{ kind: 'answered', op: again, error: ERROR.COORDINATOR_NOT_AVAILABLE }]);
  });
}

/** What a thread does once a second, when what has expired is due. */
function lookAfter(bench: Coordinating): void {
  bench.clock.advance(600_000);
  bench.handler.count();
}

test('a coordinator that cannot even be unloaded is said, and goes', () => {
  const bench = new Coordinating().opened();
  joining(bench);
  breaks(Rebalances.prototype, 'sessionIsOver');
  breaks(GroupShard.prototype, 'unload');
  bench.clock.advance(60_000);
  bench.turn();
  expect(bench.posted.filter(({ kind }) => kind === 'offline')).toMatchObject([{ slot: SLOT, why: FAULT }]);
  const said = bench.posted.filter((message) => message.kind === 'log' && message.level === 'error');
  expect(said).toMatchObject([{ event: 'coordinator.fault', values: { slot: SLOT, why: FAULT } }]);
});

test('parts of one request are read together', () => {
  const bench = new Coordinating().opened();
  const request = { groups: ['a', 'b'], includeAuthorizedOperations: false };
  const op = bench.send(DescribeGroups, 5, request, 1);
  bench.turn();
  const [answered] = bench.heard() as [Heard];
  expect(answered.op).toBe(op);
  expect(
    bodyOf(DescribeGroups, 5, answered.body).groups.map(({ groupId, groupState }) => [groupId, groupState]),
  ).toEqual([['b', 'Dead']]);
});
