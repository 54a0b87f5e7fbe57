/**
 * Produce: hands each partition's records to its owner and answers when all have answered. Records stay where they were
 * received. acks=0 gets no answer; an error there closes the connection, the only sign that is left.
 */
import { assert } from '../base/assert.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { isInternal } from '../cluster/internal-topics.ts';
import { RECORD_FAULT } from '../log/record-faults.ts';
import { ERROR } from '../wire/errors.ts';
import { Produce } from '../wire/messages/produce.ts';
import { isServed, type RequestOf, type ResponseInput } from '../wire/schema.ts';
import { type ApiCall, FLAG_ACKS_ALL, FLAG_NO_ZSTD, type Floor, type Operation } from './floor.ts';

/** Kafka's name for the client that may write to internal topics. */
const ADMIN_CLIENT = '__admin_client';

type Request = RequestOf<typeof Produce>;
type Response = ResponseInput<typeof Produce>;

/** The first version of Produce that may carry zstd. */
const ZSTD_SINCE = 7;

interface RecordError {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string;
}

interface PartitionAnswer {
  index: number;
  errorCode: number;
  baseOffset: number;
  logAppendTimeMs: number;
  logStartOffset: number;
  recordErrors: readonly RecordError[];
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

const FAULTS: Readonly<Record<number, string>> = {
  [RECORD_FAULT.NO_KEY]: 'A compacted topic takes no record without a key.',
  [RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE]:
    "The record's timestamp is further from the broker's clock than the topic allows.",
  [RECORD_FAULT.TIMESTAMP_TYPE]: 'The record says that the broker has stamped it, which only the broker may say.',
};

/** Names the record that the batch was refused for, where it is known. */
function blame(answer: PartitionAnswer, fault: number, record: number): void {
  const sentence = FAULTS[fault];
  assert(sentence !== undefined, 'every fault of a record has its sentence', { fault });
  answer.errorMessage = `The batch was refused because of its records. ${sentence}`;
  if (record >= 0) answer.recordErrors = [{ batchIndex: record, batchIndexErrorMessage: sentence }];
}

class ProduceOperation implements Operation {
  readonly call: ApiCall;
  readonly #floor: Floor;
  readonly #request: Request;
  readonly #parts: PartitionAnswer[] = [];
  readonly #id: number;
  #open = 1;
  #failed = false;

  constructor(call: ApiCall, request: Request, floor: Floor) {
    this.call = call;
    this.#floor = floor;
    this.#request = request;
    this.#id = floor.open(this);
  }

  start(): void {
    const { acks, topicData, transactionalId } = this.#request;
    this.#floor.holdPayload(this.#id);
    const refused = !isServed(Produce, this.call.version)
      ? ERROR.UNSUPPORTED_VERSION
      : transactionalId !== null
        ? ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        : acks < -1 || acks > 1
          ? ERROR.INVALID_REQUIRED_ACKS
          : ERROR.NONE;
    const flags = (acks === -1 ? FLAG_ACKS_ALL : 0) | (this.call.version < ZSTD_SINCE ? FLAG_NO_ZSTD : 0);
    for (const topic of topicData) {
      const byId = this.call.version >= 13;
      const route = byId ? this.#floor.routeById(topic.topicId) : this.#floor.route(topic.name);
      const forbidden = route !== null && isInternal(route.name) && this.call.clientId !== ADMIN_CLIENT;
      for (const { index, records } of topic.partitionData) {
        const slot = route?.slots[index] ?? -1;
        if (refused !== ERROR.NONE) this.#refuse(index, refused);
        else if (slot < 0)
          this.#refuse(index, byId && route === null ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION);
        else if (forbidden) this.#refuse(index, ERROR.INVALID_TOPIC_EXCEPTION);
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

  appended(
    part: number,
    error: number,
    baseOffset: number,
    appendTime: number,
    logStart: number,
    fault: number,
    record: number,
  ): void {
    const answer = this.#parts[part];
    assert(answer !== undefined, 'an owner answers a part that was asked', { part });
    answer.errorCode = error;
    answer.baseOffset = baseOffset;
    answer.logAppendTimeMs = appendTime;
    answer.logStartOffset = logStart;
    if (error !== ERROR.NONE) this.#failed = true;
    if (fault !== RECORD_FAULT.NONE) blame(answer, fault, record);
    this.#answered();
  }

  #refuse(index: number, error: number): void {
    this.#failed = true;
    this.#parts.push(answerFor(index, error));
  }

  #answered(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#floor.releasePayload(this.#id);
    this.#floor.close(this.#id);
    if (this.#request.acks !== 0) this.call.answer(this.#response());
    else if (this.#failed) this.call.close('a produce request with acks=0 failed');
    else this.call.answerNothing();
  }

  #response(): Response {
    let part = 0;
    const { topicData } = this.#request;
    const responses = topicData.map((topic) => {
      const partitionResponses =
        topicData.length === 1 ? this.#parts : this.#parts.slice(part, part + topic.partitionData.length);
      part += topic.partitionData.length;
      return { name: topic.name ?? '', topicId: topic.topicId ?? ZERO_UUID, partitionResponses };
    });
    return { responses, throttleTimeMs: 0 };
  }
}

export function produce(call: ApiCall, request: Request, floor: Floor): void {
  new ProduceOperation(call, request, floor).start();
}
