/** A lane that reads: one fetch at a time for all its partitions, from offset to offset, as a consumer does. */

import type { Memory } from '../base/memory.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import * as batch from '../wire/batch.ts';
import { ERROR, errorName, errorOf } from '../wire/errors.ts';
import { Fetch } from '../wire/messages/fetch.ts';
import type { ResponseOf } from '../wire/schema.ts';
import { type Answer, requestFrame } from './connection.ts';
import type { Lane } from './lanes.ts';
import { EXIT_REFUSED, PerfProblem } from './problem.ts';

/** Topics by name. */
const VERSION_MOST = 12;
const MAX_WAIT_MS = 500;

export interface Fetching {
  readonly topic: string;
  readonly fetchBytes: number;
  /** Every whole batch, with how many of its records are new to the reader. */
  batch(memory: Memory, at: number, records: number): void;
  /** An answer has been read; false ends the lane. */
  answered(sentMs: number, records: number, bytes: number): boolean;
  failed(problem: Error): void;
}

export class FetchingLane {
  readonly #lane: Lane;
  readonly #load: Fetching;
  readonly #version: number;
  readonly #positions: Map<number, number>;
  /** The partition that is asked for first: each in turn, so that none starves behind others. */
  #first = 0;
  /** Of whole batches so far: what was cut off comes again. */
  #batchBytes = 0;

  /** `offsets` are where its partitions begin, in their order. */
  constructor(lane: Lane, offsets: readonly number[], load: Fetching) {
    this.#lane = lane;
    this.#load = load;
    this.#version = lane.connection.version(Fetch, VERSION_MOST);
    this.#positions = new Map(lane.partitions.map((partition, at) => [partition, offsets[at] as number]));
  }

  position(partition: number): number {
    return this.#positions.get(partition) as number;
  }

  get partitions(): readonly number[] {
    return this.#lane.partitions;
  }

  ask(): void {
    const { topic, fetchBytes } = this.#load;
    const { partitions } = this.#lane;
    this.#first = (this.#first + 1) % partitions.length;
    const inTurn = [...partitions.slice(this.#first), ...partitions.slice(0, this.#first)];
    const { head, tail } = requestFrame(Fetch, this.#version, {
      replicaId: -1,
      maxWaitMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: fetchBytes,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic,
          topicId: ZERO_UUID,
          partitions: inTurn.map((partition) => ({
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: this.position(partition),
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: fetchBytes,
          })),
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    });
    const sentMs = performance.now();
    this.#lane.connection.send(
      head,
      null,
      tail,
      Fetch,
      this.#version,
      (answer) => this.#take(answer, sentMs),
      (problem) => this.#load.failed(problem),
    );
  }

  #take({ body, memory }: Answer<ResponseOf<typeof Fetch>>, sentMs: number): void {
    let records = 0;
    let bytes = 0;
    expectNoError('fetch', body.errorCode);
    for (const { partitionIndex, errorCode, records: view } of body.responses.flatMap(({ partitions }) => partitions)) {
      expectNoError(`partition ${partitionIndex}`, errorCode);
      if (view === null || view.length === 0) continue;
      const from = this.#batchBytes;
      records += this.#read(memory, partitionIndex, view.offset, view.offset + view.length);
      bytes += this.#batchBytes - from;
    }
    if (this.#load.answered(sentMs, records, bytes)) this.ask();
  }

  /** Whole batches; the last may be cut off. Gives the number of records. */
  #read(memory: Memory, partition: number, from: number, end: number): number {
    const { view } = memory;
    const position = this.position(partition);
    let records = 0;
    let next = position;
    for (let at = from; end - at >= batch.HEADER_BYTES; ) {
      const size = batch.sizeInBytes(view, at);
      if (size < batch.HEADER_BYTES)
        throw new PerfProblem(EXIT_REFUSED, `A batch of ${size} bytes came from partition ${partition}.`);
      if (size > end - at) break;
      // An answer begins with the batch that holds the offset: what lies before it was there already.
      const known = Math.max(0, position - batch.baseOffset(view, at));
      const added = Math.max(0, batch.recordsCount(view, at) - known);
      this.#load.batch(memory, at, added);
      records += added;
      this.#batchBytes += size;
      next = batch.nextOffset(view, at);
      at += size;
    }
    if (next <= position)
      throw new PerfProblem(
        EXIT_REFUSED,
        `An answer for offset ${position} of partition ${partition} has no whole batch.`,
      );
    this.#positions.set(partition, next);
    return records;
  }
}

function expectNoError(what: string, code: number): void {
  if (code === ERROR.NONE) return;
  throw new PerfProblem(EXIT_REFUSED, `${what} was refused: ${errorName(code)}. ${errorOf(code)?.text ?? ''}`);
}
