/** A lane that writes: requests of one batch each, to its partitions in turn, never more in flight than allowed. */

import { ZERO_UUID } from '../base/uuid.ts';
import { ERROR, errorName, errorOf } from '../wire/errors.ts';
import { Produce } from '../wire/messages/produce.ts';
import type { ResponseOf } from '../wire/schema.ts';
import { type Frame, requestFrame } from './connection.ts';
import type { Lane } from './lanes.ts';
import { EXIT_REFUSED, PerfProblem } from './problem.ts';
import type { PumpedLane } from './pump.ts';

/** Topics by name. */
const VERSION_MOST = 12;
const TIMEOUT_MS = 30_000;

export interface Producing {
  readonly topic: string;
  readonly acks: -1 | 0 | 1;
  readonly inFlight: number;
  readonly batchBytes: number;
  /** The batch of a request that was due then. */
  batch(dueMs: number): Uint8Array;
  sent(dueMs: number): void;
  answered(dueMs: number): void;
  failed(problem: Error): void;
  /** There is room for another request. */
  ready(): void;
}

export class ProducingLane implements PumpedLane {
  readonly #lane: Lane;
  readonly #load: Producing;
  readonly #version: number;
  readonly #frames: readonly Frame[];
  #turn = 0;
  #outstanding = 0;

  constructor(lane: Lane, load: Producing) {
    this.#lane = lane;
    this.#load = load;
    this.#version = lane.connection.version(Produce, VERSION_MOST);
    this.#frames = lane.partitions.map((index) =>
      requestFrame(Produce, this.#version, {
        transactionalId: null,
        acks: load.acks,
        timeoutMs: TIMEOUT_MS,
        topicData: [
          {
            name: load.topic,
            topicId: ZERO_UUID,
            partitionData: [{ index, records: { length: load.batchBytes } }],
          },
        ],
      }),
    );
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  fill(next: () => number): void {
    while (this.#outstanding < this.#load.inFlight) {
      const dueMs = next();
      if (Number.isNaN(dueMs)) return;
      this.#start(dueMs);
    }
  }

  #start(dueMs: number): void {
    const { connection } = this.#lane;
    const { head, tail } = this.#frames[this.#turn] as Frame;
    this.#turn = (this.#turn + 1) % this.#frames.length;
    this.#outstanding += 1;
    const done = (): void => {
      this.#outstanding -= 1;
      this.#load.answered(dueMs);
      this.#load.ready();
    };
    const batch = this.#load.batch(dueMs);
    if (this.#load.acks === 0) connection.sendUnanswered(head, batch, tail, done);
    else {
      connection.send(
        head,
        batch,
        tail,
        Produce,
        this.#version,
        ({ body }) => {
          expectAccepted(body);
          done();
        },
        (problem) => this.#load.failed(problem),
      );
    }
    this.#load.sent(dueMs);
  }
}

function expectAccepted({ responses }: ResponseOf<typeof Produce>): void {
  const answer = responses[0]?.partitionResponses[0];
  const code = answer?.errorCode ?? ERROR.UNKNOWN_SERVER_ERROR;
  if (code === ERROR.NONE) return;
  const text = answer?.errorMessage ?? errorOf(code)?.text ?? '';
  throw new PerfProblem(EXIT_REFUSED, `Partition ${answer?.index ?? '?'} refused records: ${errorName(code)}. ${text}`);
}
