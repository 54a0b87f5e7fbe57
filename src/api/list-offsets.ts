/** ListOffsets: the offset of a moment, or of the ends of the log, from the owners of the partitions. */
import { ERROR } from '../wire/errors.ts';
import { LIST_OFFSETS_TIMESTAMP, type ListOffsets } from '../wire/messages/list-offsets.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ApiCall, Floor, Operation } from './floor.ts';
import { Gathering } from './gathering.ts';

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
  readonly call: ApiCall;
  readonly #floor: Floor;
  readonly #topics: { name: string; partitions: PartitionAnswer[] }[] = [];
  readonly #gathering: Gathering<PartitionAnswer>;

  constructor(call: ApiCall, floor: Floor) {
    this.call = call;
    this.#floor = floor;
    this.#gathering = new Gathering(floor, this, () => this.#complete());
  }

  start({ topics, isolationLevel }: Request): void {
    const named = new Map<string, number>();
    for (const { name, partitions } of topics) {
      for (const { partitionIndex } of partitions) {
        const key = `${name}\0${partitionIndex}`;
        named.set(key, (named.get(key) ?? 0) + 1);
      }
    }
    for (const { name, partitions } of topics) {
      const route = this.#floor.route(name);
      const answers: PartitionAnswer[] = [];
      this.#topics.push({ name, partitions: answers });
      for (const { partitionIndex, currentLeaderEpoch, timestamp } of partitions) {
        const slot = route?.slots[partitionIndex] ?? -1;
        const answer = { partitionIndex, errorCode: ERROR.NONE as number, timestamp: -1, offset: -1, leaderEpoch: -1 };
        answers.push(answer);
        if ((named.get(`${name}\0${partitionIndex}`) ?? 0) > 1) answer.errorCode = ERROR.INVALID_REQUEST;
        else if (timestamp < 0 && this.call.version < (SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
          answer.errorCode = ERROR.UNSUPPORTED_VERSION;
        } else if (slot < 0) answer.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else {
          const part = this.#gathering.ask(answer);
          this.#floor.listOffset(this.#gathering.id, part, slot, isolationLevel, currentLeaderEpoch, timestamp);
        }
      }
    }
    this.#gathering.done();
  }

  offsetListed(part: number, error: number, leaderEpoch: number, timestamp: number, offset: number): void {
    const answer = this.#gathering.part(part);
    answer.errorCode = error;
    answer.leaderEpoch = this.call.version < EPOCH_SINCE ? -1 : leaderEpoch;
    answer.timestamp = timestamp;
    answer.offset = offset;
    this.#gathering.done();
  }

  #complete(): void {
    this.call.answer({ throttleTimeMs: 0, topics: this.#topics } satisfies Response);
  }
}

export function listOffsets(call: ApiCall, request: Request, floor: Floor): void {
  new ListOffsetsOperation(call, floor).start(request);
}
