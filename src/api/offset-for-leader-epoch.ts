/** OffsetForLeaderEpoch: where a leader epoch ends in the log, from the owners of the partitions. */
import { ERROR } from '../wire/errors.ts';
import type { OffsetForLeaderEpoch } from '../wire/messages/offset-for-leader-epoch.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ApiCall, Floor, Operation } from './floor.ts';
import { Gathering } from './gathering.ts';

type Request = RequestOf<typeof OffsetForLeaderEpoch>;
type Response = ResponseInput<typeof OffsetForLeaderEpoch>;

interface PartitionAnswer {
  partition: number;
  errorCode: number;
  leaderEpoch: number;
  endOffset: number;
}

class EpochEndOperation implements Operation {
  readonly call: ApiCall;
  readonly #floor: Floor;
  readonly #topics: { topic: string; partitions: PartitionAnswer[] }[] = [];
  readonly #gathering: Gathering<PartitionAnswer>;

  constructor(call: ApiCall, floor: Floor) {
    this.call = call;
    this.#floor = floor;
    this.#gathering = new Gathering(floor, this, () => this.#complete());
  }

  start({ replicaId, topics }: Request): void {
    // Nobody follows a broker that is alone: a replica id is forged or lost.
    const forged = replicaId >= 0;
    for (const { topic, partitions } of topics) {
      const route = this.#floor.route(topic);
      const answers: PartitionAnswer[] = [];
      this.#topics.push({ topic, partitions: answers });
      for (const { partition, currentLeaderEpoch, leaderEpoch } of partitions) {
        const slot = route?.slots[partition] ?? -1;
        const answer = { partition, errorCode: ERROR.NONE as number, leaderEpoch: -1, endOffset: -1 };
        answers.push(answer);
        if (forged) answer.errorCode = ERROR.CLUSTER_AUTHORIZATION_FAILED;
        else if (slot < 0) answer.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else {
          const part = this.#gathering.ask(answer);
          this.#floor.epochEnd(this.#gathering.id, part, slot, currentLeaderEpoch, leaderEpoch);
        }
      }
    }
    this.#gathering.done();
  }

  epochEndFound(part: number, error: number, leaderEpoch: number, endOffset: number): void {
    const answer = this.#gathering.part(part);
    answer.errorCode = error;
    answer.leaderEpoch = leaderEpoch;
    answer.endOffset = endOffset;
    this.#gathering.done();
  }

  #complete(): void {
    this.call.answer({ throttleTimeMs: 0, topics: this.#topics } satisfies Response);
  }
}

export function offsetForLeaderEpoch(call: ApiCall, request: Request, floor: Floor): void {
  new EpochEndOperation(call, floor).start(request);
}
