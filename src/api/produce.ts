/**
 * Produce: hands each partition's records to its owner and answers when all have answered. Records stay where they were
 * received. acks=0 gets no answer; an error there closes the connection, the only sign that is left.
 */
import { assert } from '../base/assert.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { ERROR } from '../wire/errors.ts';
import type { Produce } from '../wire/messages/produce.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { type ApiCall, FLAG_ACKS_ALL, type Floor, type Operation } from './floor.ts';

type Request = RequestOf<typeof Produce>;
type Response = ResponseInput<typeof Produce>;

interface PartitionAnswer {
  index: number;
  errorCode: number;
  baseOffset: number;
  logAppendTimeMs: number;
  logStartOffset: number;
  recordErrors: [];
  errorMessage: string | null;
}

function answerFor(index: number, errorCode: number): PartitionAnswer {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage: null,
  };
}

class ProduceOperation implements Operation {
  readonly #call: ApiCall;
  readonly #floor: Floor;
  readonly #request: Request;
  readonly #parts: PartitionAnswer[] = [];
  readonly #id: number;
  #open = 1;
  #failed = false;

  constructor(call: ApiCall, request: Request, floor: Floor) {
    this.#call = call;
    this.#floor = floor;
    this.#request = request;
    this.#id = floor.open(this);
  }

  start(): void {
    const { acks, topicData, transactionalId } = this.#request;
    this.#floor.holdPayload(this.#call);
    const refused =
      transactionalId !== null
        ? ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        : acks < -1 || acks > 1
          ? ERROR.INVALID_REQUIRED_ACKS
          : ERROR.NONE;
    const flags = acks === -1 ? FLAG_ACKS_ALL : 0;
    for (const topic of topicData) {
      const byId = this.#call.version >= 13;
      const route = byId ? this.#floor.routeById(topic.topicId) : this.#floor.route(topic.name);
      for (const { index, records } of topic.partitionData) {
        const slot = route?.slots[index] ?? -1;
        if (refused !== ERROR.NONE) this.#refuse(index, refused);
        else if (slot < 0)
          this.#refuse(index, byId && route === null ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION);
        else if (records === null || records.length === 0) this.#refuse(index, ERROR.INVALID_RECORD);
        else {
          this.#open += 1;
          const part = this.#parts.push(answerFor(index, ERROR.NONE)) - 1;
          this.#floor.append(this.#id, part, slot, records.offset, records.length, flags);
        }
      }
    }
    this.#answered();
  }

  appended(part: number, error: number, baseOffset: number, appendTime: number, logStart: number): void {
    const answer = this.#parts[part];
    assert(answer !== undefined, 'an owner answers a part that was asked', { part });
    answer.errorCode = error;
    answer.baseOffset = baseOffset;
    answer.logAppendTimeMs = appendTime;
    answer.logStartOffset = logStart;
    if (error !== ERROR.NONE) this.#failed = true;
    this.#answered();
  }

  #refuse(index: number, error: number): void {
    this.#failed = true;
    this.#parts.push(answerFor(index, error));
  }

  #answered(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#floor.close(this.#id);
    this.#floor.releasePayload(this.#call);
    if (this.#request.acks !== 0) this.#call.answer(this.#response());
    else if (this.#failed) this.#call.close('a produce request with acks=0 failed');
    else this.#call.answerNothing();
  }

  #response(): Response {
    let part = 0;
    const responses = this.#request.topicData.map((topic) => {
      const partitionResponses = this.#parts.slice(part, part + topic.partitionData.length);
      part += topic.partitionData.length;
      return { name: topic.name ?? '', topicId: topic.topicId ?? ZERO_UUID, partitionResponses };
    });
    return { responses, throttleTimeMs: 0 };
  }
}

export function produce(call: ApiCall, request: Request, floor: Floor): void {
  new ProduceOperation(call, request, floor).start();
}
