/**
 * DeleteRecords: moves the starts of logs, by asking the owners of the partitions. A partition that is named more than once
 * counts once, with what was said of it last.
 */
import { isInternal } from '../cluster/internal-topics.ts';
import { ERROR } from '../wire/errors.ts';
import type { DeleteRecords } from '../wire/messages/delete-records.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ApiCall, Floor, Operation } from './floor.ts';
import { Gathering } from './gathering.ts';

type Request = RequestOf<typeof DeleteRecords>;
type Response = ResponseInput<typeof DeleteRecords>;

interface PartitionAnswer {
  partitionIndex: number;
  lowWatermark: number;
  errorCode: number;
}

class DeleteRecordsOperation implements Operation {
  readonly call: ApiCall;
  readonly #floor: Floor;
  readonly #topics: { name: string; partitions: PartitionAnswer[] }[] = [];
  readonly #gathering: Gathering<PartitionAnswer>;

  constructor(call: ApiCall, floor: Floor) {
    this.call = call;
    this.#floor = floor;
    this.#gathering = new Gathering(floor, this, () => this.#complete());
  }

  start(request: Request): void {
    const wanted = new Map<string, Map<number, number>>();
    for (const { name, partitions } of request.topics) {
      const offsets = wanted.get(name) ?? new Map<number, number>();
      wanted.set(name, offsets);
      for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, offset);
    }
    for (const [name, offsets] of wanted) {
      const route = this.#floor.route(name);
      const partitions: PartitionAnswer[] = [];
      this.#topics.push({ name, partitions });
      for (const [partitionIndex, offset] of offsets) {
        const slot = route?.slots[partitionIndex] ?? -1;
        const answer = { partitionIndex, lowWatermark: -1, errorCode: ERROR.NONE as number };
        partitions.push(answer);
        if (slot < 0) answer.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else if (isInternal(name)) answer.errorCode = ERROR.INVALID_TOPIC_EXCEPTION;
        else this.#floor.deleteRecords(this.#gathering.id, this.#gathering.ask(answer), slot, offset);
      }
    }
    this.#gathering.done();
  }

  recordsDeleted(part: number, error: number, lowWatermark: number): void {
    const answer = this.#gathering.part(part);
    answer.errorCode = error;
    answer.lowWatermark = lowWatermark;
    this.#gathering.done();
  }

  #complete(): void {
    this.call.answer({ throttleTimeMs: 0, topics: this.#topics } satisfies Response);
  }
}

export function deleteRecords(call: ApiCall, request: Request, floor: Floor): void {
  new DeleteRecordsOperation(call, floor).start(request);
}
