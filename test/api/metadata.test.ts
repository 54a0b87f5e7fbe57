/** Metadata: who is asked for what in which version, addresses of the listener that was used, and topics made on the way. */
import { beforeEach, describe, expect, test } from 'vitest';
import { AUTO_CREATE } from '../../src/api/floor.ts';
import { metadata } from '../../src/api/metadata.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { apply } from '../../src/cluster/changes.ts';
import { emptyImage, NO_CONFIGS, NO_LEADER, type PartitionImage } from '../../src/cluster/image.ts';
import { ERROR } from '../../src/wire/errors.ts';
import type { Metadata } from '../../src/wire/messages/metadata.ts';
import type { RequestOf } from '../../src/wire/schema.ts';
import { FakeCall, FakeFloor } from './floor.ts';

type Request = RequestOf<typeof Metadata>;

interface Answer {
  readonly brokers: { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly clusterId: string;
  readonly controllerId: number;
  readonly topics: {
    readonly errorCode: number;
    readonly name: string | null;
    readonly topicId: string;
    readonly isInternal: boolean;
    readonly partitions: {
      readonly errorCode: number;
      readonly leaderId: number;
      readonly offlineReplicas: number[];
    }[];
  }[];
}

const ID_A = 'a'.padEnd(16, '#');
const ID_NONE = 'n'.padEnd(16, '#');

let floor: FakeFloor;
beforeEach(() => {
  floor = new FakeFloor();
  const endpoint = (listener: string, port: number) => ({
    listener,
    protocol: 'PLAINTEXT',
    host: `${listener}.host`,
    port,
  });
  const partition = (leader: number, replicas: number[]): PartitionImage => ({
    leader,
    leaderEpoch: 3,
    partitionEpoch: 1,
    replicas,
    isr: replicas,
  });
  floor.image = apply(emptyImage('the-cluster'), [
    { kind: 'controllerChanged', id: 1, epoch: 1 },
    {
      kind: 'brokerRegistered',
      broker: {
        id: 1,
        epoch: 1,
        endpoints: [endpoint('PLAINTEXT', 11), endpoint('OTHER', 12)],
        rack: 'r',
        fenced: false,
      },
    },
    {
      kind: 'brokerRegistered',
      broker: { id: 2, epoch: 1, endpoints: [endpoint('PLAINTEXT', 21)], rack: null, fenced: false },
    },
    {
      kind: 'brokerRegistered',
      broker: { id: 3, epoch: 1, endpoints: [endpoint('PLAINTEXT', 31)], rack: null, fenced: true },
    },
    {
      kind: 'topicCreated',
      topic: {
        name: 'a',
        id: ID_A,
        partitions: [partition(1, [1, 3]), partition(NO_LEADER, [3])],
        configs: NO_CONFIGS,
      },
    },
    {
      kind: 'topicCreated',
      topic: { name: '__consumer_offsets', id: 'o'.repeat(16), partitions: [], configs: NO_CONFIGS },
    },
  ]);
});

function ask(topics: Request['topics'], version = 12, more: Partial<Request> = {}, listener = 0): FakeCall {
  const call = new FakeCall(version, 1, listener);
  metadata(
    call,
    {
      topics,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
      ...more,
    },
    floor,
  );
  return call;
}

function answerOf(call: FakeCall): Answer {
  expect(call.end).toBe('answered');
  return call.body as Answer;
}

const named = (...names: (string | null)[]): Request['topics'] => names.map((name) => ({ name, topicId: ZERO_UUID }));
const said = (call: FakeCall): unknown => answerOf(call).topics.map(({ name, errorCode }) => [name, errorCode]);

describe('metadata', () => {
  test('names live brokers by the listener that was asked', () => {
    const first = answerOf(ask([]));
    expect(first.brokers).toEqual([
      { nodeId: 1, host: 'PLAINTEXT.host', port: 11, rack: 'r' },
      { nodeId: 2, host: 'PLAINTEXT.host', port: 21, rack: null },
    ]);
    expect([first.clusterId, first.controllerId]).toEqual(['the-cluster', 1]);
    expect(answerOf(ask([], 12, {}, 1)).brokers).toEqual([{ nodeId: 1, host: 'OTHER.host', port: 12, rack: 'r' }]);
  });

  test('no list is all topics, an empty one none, and all in version 0', () => {
    const all = [
      ['a', ERROR.NONE],
      ['__consumer_offsets', ERROR.NONE],
    ];
    expect(said(ask(null))).toEqual(all);
    expect(said(ask(null, 1))).toEqual(all);
    expect(said(ask([], 1))).toEqual([]);
    expect(said(ask([], 0))).toEqual(all);
    expect(said(ask(named('a'), 0))).toEqual([['a', ERROR.NONE]]);
    expect(answerOf(ask(null)).topics.map(({ isInternal }) => isInternal)).toEqual([false, true]);
  });

  test('says who leads, who does not, and which replicas are away', () => {
    const [topic] = answerOf(ask(named('a'))).topics;
    expect(topic?.partitions).toEqual([
      {
        errorCode: 0,
        partitionIndex: 0,
        leaderId: 1,
        leaderEpoch: 3,
        replicaNodes: [1, 3],
        isrNodes: [1, 3],
        offlineReplicas: [3],
      },
      {
        errorCode: ERROR.LEADER_NOT_AVAILABLE,
        partitionIndex: 1,
        leaderId: -1,
        leaderEpoch: 3,
        replicaNodes: [3],
        isrNodes: [3],
        offlineReplicas: [3],
      },
    ]);
  });

  test('finds by id, says each once, and names what it does not have', () => {
    const call = ask([
      { name: null, topicId: ID_A },
      { name: null, topicId: ID_NONE },
      ...(named('a', 'x', 'x', 'bad name') as NonNullable<Request['topics']>),
    ]);
    expect(answerOf(call).topics.map(({ name, topicId, errorCode }) => [name, topicId, errorCode])).toEqual([
      ['a', ID_A, ERROR.NONE],
      [null, ID_NONE, ERROR.UNKNOWN_TOPIC_ID],
      ['a', ID_A, ERROR.NONE],
      ['x', ZERO_UUID, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      ['bad name', ZERO_UUID, ERROR.INVALID_TOPIC_EXCEPTION],
    ]);
  });

  test('makes what is missing when both sides allow it, and answers when that is done', () => {
    const more = { allowAutoTopicCreation: true };
    floor.limits = { ...floor.limits, autoCreateTopics: false };
    expect(said(ask(named('x'), 12, more))).toEqual([['x', ERROR.UNKNOWN_TOPIC_OR_PARTITION]]);
    floor.limits = { ...floor.limits, autoCreateTopics: true };
    expect(said(ask(named('x'), 12))).toEqual([['x', ERROR.UNKNOWN_TOPIC_OR_PARTITION]]);
    expect(said(ask(named('a'), 12, more)), 'nothing is missing').toEqual([['a', ERROR.NONE]]);
    expect(said(ask([{ name: 'y', topicId: ID_NONE }], 12, more)), 'an id makes no topic').toEqual([
      [null, ERROR.UNKNOWN_TOPIC_ID],
    ]);
    expect(floor.controller).toEqual([]);

    const call = ask(named('x', 'a', 'bad name', 'slow'), 12, more);
    expect(call.end).toBe('');
    const [question] = floor.controller;
    expect([question?.api, question?.request]).toEqual([AUTO_CREATE, { names: ['x', 'bad name', 'slow'] }]);
    floor.image = apply(floor.image, [
      { kind: 'topicCreated', topic: { name: 'x', id: ID_NONE, partitions: [], configs: NO_CONFIGS } },
    ]);
    question?.then?.({
      topics: [
        { name: 'x', errorCode: ERROR.NONE },
        { name: 'bad name', errorCode: ERROR.INVALID_TOPIC_EXCEPTION },
        { name: 'slow', errorCode: ERROR.NONE },
      ],
    });
    expect(said(call)).toEqual([
      ['x', ERROR.NONE],
      ['a', ERROR.NONE],
      ['bad name', ERROR.INVALID_TOPIC_EXCEPTION],
      ['slow', ERROR.LEADER_NOT_AVAILABLE],
    ]);
  });
});
