/** Requests of groups on the thread of their connection: who is asked, when the bytes are let go, how answers become one. */
import { beforeEach, expect, test } from 'vitest';
import { coordinate } from '../../src/api/coordinate.ts';
import { coordinatedApi } from '../../src/api/coordinated-apis.ts';
import { coordinatorPartition } from '../../src/coordinator/partitioning.ts';
import { responseWriter } from '../../src/wire/compiler.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { DeleteGroups } from '../../src/wire/messages/delete-groups.ts';
import { DescribeGroups } from '../../src/wire/messages/describe-groups.ts';
import { Heartbeat } from '../../src/wire/messages/heartbeat.ts';
import { ListGroups } from '../../src/wire/messages/list-groups.ts';
import { OffsetFetch } from '../../src/wire/messages/offset-fetch.ts';
import { SyncGroup } from '../../src/wire/messages/sync-group.ts';
import type { Api, RequestInput, ResponseInput } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { type Asked, FakeCall, FakeFloor } from './floor.ts';

const SHARDS = 4;

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
  floor.topic('others', 3);
});

function withShards(): void {
  floor.topic('__consumer_offsets', SHARDS);
}

function ask<A extends Api>(api: A, version: number, request: RequestInput<A>): FakeCall {
  const call = new FakeCall(version);
  coordinate(call, coordinatedApi(api.key), request as object, floor);
  return call;
}

function bytesOf<A extends Api>(api: A, version: number, body: ResponseInput<A>): Uint8Array {
  const writer = new Writer();
  responseWriter(api, version)(writer, body);
  return writer.memory.bytes.slice(writer.start, writer.offset);
}

/** A shard's answer to what was asked first, or an error in its place. */
function answer(error: number, body: Uint8Array = new Uint8Array(0), wasTaken = false): void {
  const [{ operation, part }] = floor.asked.splice(0, 1) as [Asked];
  floor.operations.get(operation)?.coordinated?.(part, error, body, wasTaken);
}

function take(which = 0): void {
  const { operation } = floor.asked[which] as Asked;
  floor.operations.get(operation)?.taken?.();
}

const sync = {
  groupId: 'g',
  generationId: 1,
  memberId: 'm',
  groupInstanceId: null,
  protocolType: null,
  protocolName: null,
  assignments: [],
};
const beat = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null };

test('the shard is the one that the name hashes to', () => {
  withShards();
  for (const groupId of ['g', 'another', '']) {
    const call = ask(Heartbeat, 4, { ...beat, groupId });
    expect(floor.asked[0]?.slot).toBe(3 + coordinatorPartition(groupId, SHARDS));
    expect(call.alone).toBe(true);
    answer(ERROR.NONE, bytesOf(Heartbeat, 4, { throttleTimeMs: 0, errorCode: ERROR.REBALANCE_IN_PROGRESS }));
    expect(call.body).toMatchObject({ errorCode: ERROR.REBALANCE_IN_PROGRESS });
  }
  floor.expectRest();
});

test('where there is no group log nobody coordinates', () => {
  expect(ask(Heartbeat, 4, beat).body).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
  expect(ask(ListGroups, 5, { statesFilter: [], typesFilter: [] }).body).toMatchObject({
    errorCode: ERROR.NONE,
    groups: [],
  });
  floor.expectRest();
});

test('the bytes are let go when all who read them have, the answer goes when all have answered', () => {
  withShards();
  const groups = ['a', 'b', 'c'];
  const call = ask(DescribeGroups, 6, { groups, includeAuthorizedOperations: false });
  const described = (groupId: string) =>
    bytesOf(DescribeGroups, 6, {
      throttleTimeMs: 0,
      groups: [
        {
          errorCode: ERROR.NONE,
          errorMessage: null,
          groupId,
          groupState: 'Stable',
          protocolType: '',
          protocolData: '',
          members: [],
          authorizedOperations: 0,
        },
      ],
    });
  take(0);
  take(2);
  expect(floor.payloads.size).toBe(1);
  const [first, second] = floor.asked as [Asked, Asked];
  floor.operations.get(second.operation)?.coordinated?.(second.part, ERROR.NONE, described('b'), false);
  floor.asked.splice(1, 1);
  expect(floor.payloads.size).toBe(0);
  expect([first.part, call.end]).toEqual([0, '']);
  answer(ERROR.NONE, described('a'), true);
  answer(ERROR.NOT_COORDINATOR, undefined, true);
  const body = call.body as ResponseInput<typeof DescribeGroups>;
  expect(body.groups.map(({ groupId, errorCode, groupState }) => [groupId, errorCode, groupState])).toEqual([
    ['a', ERROR.NONE, 'Stable'],
    ['b', ERROR.NONE, 'Stable'],
    ['c', ERROR.NOT_COORDINATOR, ''],
  ]);
  floor.expectRest();
});

test('every shard lists its groups; one that cannot says so for all', () => {
  withShards();
  const call = ask(ListGroups, 5, { statesFilter: [], typesFilter: [] });
  expect(floor.asked).toHaveLength(SHARDS);
  for (let shard = 0; shard < SHARDS; shard++) {
    const group = { groupId: `g${shard}`, protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' };
    const body = bytesOf(ListGroups, 5, { throttleTimeMs: 0, errorCode: ERROR.NONE, groups: [group] });
    if (shard === 1) answer(ERROR.NOT_COORDINATOR);
    else if (shard === 2) answer(ERROR.COORDINATOR_LOAD_IN_PROGRESS);
    else answer(ERROR.NONE, body);
  }
  const body = call.body as ResponseInput<typeof ListGroups>;
  expect(body.errorCode).toBe(ERROR.COORDINATOR_LOAD_IN_PROGRESS);
  expect(body.groups.map(({ groupId }) => groupId)).toEqual(['g0', 'g3']);
  floor.expectRest();
});

test('a connection that must move, or whose client is gone, does not wait; late answers find nobody', () => {
  withShards();
  const call = ask(SyncGroup, 3, sync);
  take();
  call.hurry();
  expect(call.body).toMatchObject({ errorCode: ERROR.COORDINATOR_LOAD_IN_PROGRESS });
  expect(floor.operations.size).toBe(1);
  answer(ERROR.NOT_COORDINATOR, undefined, true);
  expect(call.body).toMatchObject({ errorCode: ERROR.COORDINATOR_LOAD_IN_PROGRESS });
  floor.expectRest();
});

test('who is asked for a sign of life while nothing is known yet is told that all is well', () => {
  withShards();
  const call = ask(Heartbeat, 4, beat);
  answer(ERROR.COORDINATOR_LOAD_IN_PROGRESS);
  expect(call.body).toMatchObject({ errorCode: ERROR.NONE });
  floor.expectRest();
});

test('offsets are fetched in the old way and the new', () => {
  withShards();
  const topics = [{ name: 't', partitionIndexes: [0, 1] }];
  const old = ask(OffsetFetch, 1, { groupId: 'g', topics, groups: [], requireStable: false });
  answer(ERROR.NOT_COORDINATOR);
  const { topics: answered } = old.body as ResponseInput<typeof OffsetFetch>;
  expect(answered.map(({ name, partitions }) => [name, partitions.map(({ errorCode }) => errorCode)])).toEqual([
    ['t', [ERROR.NOT_COORDINATOR, ERROR.NOT_COORDINATOR]],
  ]);
  const groups = ['g', 'h'].map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }));
  const call = ask(OffsetFetch, 8, { groupId: '', topics: [], groups, requireStable: false });
  answer(ERROR.NOT_COORDINATOR);
  answer(ERROR.COORDINATOR_LOAD_IN_PROGRESS);
  const body = call.body as ResponseInput<typeof OffsetFetch>;
  expect(body.groups.map(({ groupId, errorCode }) => [groupId, errorCode])).toEqual([
    ['g', ERROR.NOT_COORDINATOR],
    ['h', ERROR.COORDINATOR_LOAD_IN_PROGRESS],
  ]);
  floor.expectRest();
});

test('a group that is to be deleted twice is told once, with what came of the first time', () => {
  withShards();
  const call = ask(DeleteGroups, 2, { groupsNames: ['a', 'b', 'a'] });
  for (const [groupId, errorCode] of [
    ['a', ERROR.NONE],
    ['b', ERROR.NON_EMPTY_GROUP],
    ['a', ERROR.GROUP_ID_NOT_FOUND],
  ] as const) {
    answer(ERROR.NONE, bytesOf(DeleteGroups, 2, { throttleTimeMs: 0, results: [{ groupId, errorCode }] }));
  }
  expect(call.body).toMatchObject({
    results: [
      { groupId: 'a', errorCode: ERROR.NONE },
      { groupId: 'b', errorCode: ERROR.NON_EMPTY_GROUP },
    ],
  });
});
