/**
 * What an API may ask of the thread it runs on: the metadata it has, the partitions' owners (asked by message, answered
 * later), timers, and the controller on the main thread. The processor implements it.
 */
import type { Timers } from '../base/timers.ts';
import type { Uuid } from '../base/uuid.ts';
import type { MetadataImage } from '../cluster/image.ts';
import type { FetchSessions } from '../replica/fetch-session.ts';
import type { PublishedPartitions } from '../replica/published.ts';

/** A range of a log file under lease, as part of an answer. */
export interface LeasedRange {
  readonly slot: number;
  readonly position: number;
  readonly length: number;
  /** Its pages were written a short while ago. */
  readonly warm: boolean;
}

/** The request, as its API sees it. Exactly one of the answers is given, once. */
export interface ApiCall {
  readonly apiKey: number;
  /** Of the request; the answer is written in it, unless the API changes it. */
  version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly connection: number;
  readonly listener: number;
  alone: boolean;
  waits: boolean;
  /** Its connection has gone: nobody waits for the answer. */
  readonly abandoned: boolean;
  onAbandon: (() => void) | null;
  /** Its client has closed its sending side, or is gone: what waits for data is answered with what there is. */
  readonly hurried: boolean;
  onHurry: (() => void) | null;
  answer(body: unknown, ranges?: readonly LeasedRange[]): void;
  answerNothing(): void;
  close(why: string): void;
}

/** Where a topic's partitions are: their slots of shared memory, by index. */
export interface Route {
  readonly name: string;
  readonly id: Uuid;
  readonly slots: readonly number[];
}

/** Answers of partition owners to one operation. `part` is the number that the question carried. */
export interface Operation {
  /** Whose it is: what goes wrong with it costs this call's connection. */
  readonly call: ApiCall;
  /** Of a refused batch `fault` (RECORD_FAULT) says what is wrong with its record of number `record`, where it is one. */
  appended?(
    part: number,
    error: number,
    baseOffset: number,
    appendTime: number,
    logStart: number,
    fault: number,
    record: number,
  ): void;
  located?(part: number, error: number, located: Located): void;
  offsetListed?(part: number, error: number, leaderEpoch: number, timestamp: number, offset: number): void;
  recordsDeleted?(part: number, error: number, lowWatermark: number): void;
  epochEndFound?(part: number, error: number, leaderEpoch: number, endOffset: number): void;
  /** The coordinator of a part has read the request: its bytes are not needed for it any more. Only of what waits. */
  taken?(): void;
  /** The answer of a part as bytes, or why there is none. */
  coordinated?(part: number, error: number, body: Uint8Array, wasTaken: boolean): void;
}

/** What the owner found for a fetch: valid during the call, the lease is the receiver's. */
export interface Located {
  slot: number;
  length: number;
  firstBatchBytes: number;
  warm: boolean;
  /** Of a segment that is full: it does not pay to wait for more of it. */
  inOlder: boolean;
  position: number;
  highWatermark: number;
  logStartOffset: number;
  lastStableOffset: number;
}

/** Somebody who wants to know when one of some partitions has advanced. */
export interface Watcher {
  readonly call: ApiCall;
  advanced(slot: number): void;
}

export interface Floor {
  readonly image: MetadataImage;
  readonly published: PublishedPartitions;
  readonly sessions: FetchSessions;
  readonly timers: Timers;
  readonly limits: FloorLimits;
  monotonic(): number;
  /** Grows when topics are deleted: slots that were looked up before may be another topic's. */
  readonly deletions: number;
  route(topic: string): Route | null;
  routeById(id: Uuid): Route | null;
  /** Registers an operation and gives its number; `close` forgets it once all its parts are answered. */
  open(operation: Operation): number;
  close(operation: number): void;
  append(operation: number, part: number, slot: number, offset: number, length: number, flags: number): void;
  locate(
    operation: number,
    part: number,
    slot: number,
    bytesMax: number,
    flags: number,
    leaderEpoch: number,
    offset: number,
  ): void;
  listOffset(
    operation: number,
    part: number,
    slot: number,
    isolation: number,
    leaderEpoch: number,
    timestamp: number,
  ): void;
  /** Asks for the log to start at `offset`, or at its high watermark (-1). */
  deleteRecords(operation: number, part: number, slot: number, offset: number): void;
  /** Asks where `epoch` ends in the log; `leaderEpoch` is the current one as the asker knows it, or -1. */
  epochEnd(operation: number, part: number, slot: number, leaderEpoch: number, epoch: number): void;
  /**
   * Passes the request on, as it was received, to the coordinator that lives with a partition; only while it is being started.
   * Its bytes must be held until the answer, or until it is taken.
   */
  coordinate(operation: number, part: number, slot: number, call: ApiCall): void;
  /** Keeps the request's bytes in place until they are released; only while the request is being started. */
  holdPayload(operation: number): void;
  releasePayload(operation: number): void;
  releaseLease(slot: number): void;
  watch(slot: number, watcher: Watcher): void;
  unwatch(slot: number, watcher: Watcher): void;
  /** For work that no message of an owner begins: what it throws costs the call's connection, and nobody else's. */
  attempt(call: ApiCall, work: () => void): void;
  /** Hands a request to the controller; its answer is the call's, unless `then` takes it. */
  askController(call: ApiCall, api: number, request: unknown, then?: ((body: unknown) => void) | null): void;
}

/** What the controller is asked besides the APIs that are its own: to create topics on the way. */
export const AUTO_CREATE = -1;

export interface AutoCreateAnswer {
  readonly topics: readonly { readonly name: string; readonly errorCode: number }[];
}

export interface FloorLimits {
  /** Names of the listeners by the number that connections carry. */
  readonly listeners: readonly string[];
  readonly fetchBytesMax: number;
  readonly autoCreateTopics: boolean;
  /** Partitions in one answer of DescribeTopicPartitions. */
  readonly describedPartitionsMax: number;
  readonly nodeId: number;
}

/** Of an append: acks=all, so the topic's min.insync.replicas must be met. */
export const FLAG_ACKS_ALL = 1;
/** Of an append: the version of the request is older than zstd. */
export const FLAG_NO_ZSTD = 2;
/** Of a locate: at least one whole batch, however large. */
export const FLAG_FIRST_BATCH = 1;
/** Of a locate: nothing of an open transaction. */
export const FLAG_COMMITTED = 2;
