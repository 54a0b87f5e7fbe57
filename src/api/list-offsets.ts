/** ListOffsets: the offset of a moment, or of the ends of the log, from the owners of the partitions. */
import { assert } from '../base/assert.ts';
import { ERROR } from '../wire/errors.ts';
import { LIST_OFFSETS_TIMESTAMP, type ListOffsets } from '../wire/messages/list-offsets.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ApiCall, Floor, Operation } from './floor.ts';

type Request = RequestOf<typeof ListOffsets>;
type Response = ResponseInput<typeof ListOffsets>;

interface PartitionAnswer {
  partitionIndex: number;
  errorCode: number;
  timestamp: number;
  offset: number;
  leaderEpoch: number;
}

/** Special timestamps came one by one: below its version each is an error. */
const SINCE: ReadonlyMap<number, number> = new Map([
  [LIST_OFFSETS_TIMESTAMP.LATEST, 1],
  [LIST_OFFSETS_TIMESTAMP.EARLIEST, 1],
  [LIST_OFFSETS_TIMESTAMP.MAX_TIMESTAMP, 7],
  [LIST_OFFSETS_TIMESTAMP.EARLIEST_LOCAL, 8],
  [LIST_OFFSETS_TIMESTAMP.LATEST_TIERED, 9],
  [LIST_OFFSETS_TIMESTAMP.EARLIEST_PENDING_UPLOAD, 11],
]);

/** The version from which on an answer carries the leader epoch. */
const EPOCH_SINCE = 4;

class ListOffsetsOperation implements Operation {
  readonly #call: ApiCall;
  readonly #request: Request;
  readonly #floor: Floor;
  readonly #parts: PartitionAnswer[] = [];
  readonly #id: number;
  #open = 1;

  constructor(call: ApiCall, request: Request, floor: Floor) {
    this.#call = call;
    this.#request = request;
    this.#floor = floor;
    this.#id = floor.open(this);
  }

  start(): void {
    const named = new Map<string, number>();
    for (const { name, partitions } of this.#request.topics) {
      for (const { partitionIndex } of partitions) {
        const key = `${name}\0${partitionIndex}`;
        named.set(key, (named.get(key) ?? 0) + 1);
      }
    }
    for (const { name, partitions } of this.#request.topics) {
      const route = this.#floor.route(name);
      for (const { partitionIndex, currentLeaderEpoch, timestamp } of partitions) {
        const slot = route?.slots[partitionIndex] ?? -1;
        const part = this.#parts.length;
        const answer = { partitionIndex, errorCode: ERROR.NONE as number, timestamp: -1, offset: -1, leaderEpoch: -1 };
        this.#parts.push(answer);
        if ((named.get(`${name}\0${partitionIndex}`) ?? 0) > 1) answer.errorCode = ERROR.INVALID_REQUEST;
        else if (timestamp < 0 && this.#call.version < (SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
          answer.errorCode = ERROR.UNSUPPORTED_VERSION;
        } else if (slot < 0) answer.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else {
          this.#open += 1;
          this.#floor.listOffset(this.#id, part, slot, this.#request.isolationLevel, currentLeaderEpoch, timestamp);
        }
      }
    }
    this.#answered();
  }

  offsetListed(part: number, error: number, leaderEpoch: number, timestamp: number, offset: number): void {
    const answer = this.#parts[part];
    assert(answer !== undefined, 'an owner answers a part that was asked', { part });
    answer.errorCode = error;
    answer.leaderEpoch = this.#call.version < EPOCH_SINCE ? -1 : leaderEpoch;
    answer.timestamp = timestamp;
    answer.offset = offset;
    this.#answered();
  }

  #answered(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#floor.close(this.#id);
    let part = 0;
    const topics = this.#request.topics.map(({ name, partitions }) => {
      const answers = this.#parts.slice(part, part + partitions.length);
      part += partitions.length;
      return { name, partitions: answers };
    });
    this.#call.answer({ throttleTimeMs: 0, topics } satisfies Response);
  }
}

export function listOffsets(call: ApiCall, request: Request, floor: Floor): void {
  new ListOffsetsOperation(call, request, floor).start();
}
