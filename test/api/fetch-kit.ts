/** Fetch requests in few words, and their answers in few more. */
import { expect } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import type { Fetch } from '../../src/wire/messages/fetch.ts';
import type { RequestOf } from '../../src/wire/schema.ts';
import type { FakeCall } from './floor.ts';

export type Request = RequestOf<typeof Fetch>;
/** topic, partition, fetch offset, bytes at most, leader epoch */
export type Wanted = readonly [topic: string, partition: number, offset: number, bytesMax?: number, epoch?: number];

interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  /** Where its records come from, null for none. */
  readonly range: {
    readonly slot: number;
    readonly position: number;
    readonly length: number;
    readonly warm: boolean;
  } | null;
}

const INT_MAX = 0x7fffffff;

export function request(wanted: readonly Wanted[], more: Partial<Request> = {}, byId = false): Request {
  const topics = wanted.map(
    ([topic, partition, fetchOffset, partitionMaxBytes = 1_000_000, currentLeaderEpoch = -1]) => ({
      topic: byId ? '' : topic,
      topicId: byId ? topic.padEnd(16, '#') : ZERO_UUID,
      partitions: [
        {
          partition,
          currentLeaderEpoch,
          fetchOffset,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: 0,
        },
      ],
    }),
  );
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: INT_MAX,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics,
    forgottenTopicsData: [],
    rackId: '',
    ...more,
  };
}

export interface Answer {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly parts: Part[];
}

export function answerOf(call: FakeCall): Answer {
  expect(call.end).toBe('answered');
  const body = call.body as {
    errorCode: number;
    sessionId: number;
    responses: {
      topic: string;
      topicId: string;
      partitions: {
        partitionIndex: number;
        errorCode: number;
        highWatermark: number;
        records: Part['range'] | Uint8Array;
      }[];
    }[];
  };
  const parts = body.responses.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, highWatermark, records }) => ({
      topic: topic === '' ? topicId.replaceAll('#', '') : topic,
      partition: partitionIndex,
      error: errorCode,
      highWatermark,
      range: records instanceof Uint8Array ? null : records,
    })),
  );
  expect(parts.flatMap(({ range }) => range ?? [])).toEqual(call.ranges);
  return { errorCode: body.errorCode, sessionId: body.sessionId, parts };
}
