/**
 * A request of groups on the thread of its connection: asks the shards that it is for and answers when all have answered.
 * Bytes of the request stay where they were received until every shard has read them. A connection that must move does not
 * wait for a rebalance: what is open is answered as if its coordinator were loading, and the client asks again.
 */

import { memoryOver } from '../base/memory.ts';
import { GROUP_LOG } from '../cluster/internal-topics.ts';
import { coordinatorPartition } from '../coordinator/partitioning.ts';
import { responseReader } from '../wire/compiler.ts';
import { ERROR } from '../wire/errors.ts';
import { Reader } from '../wire/reader.ts';
import type { AnyCoordinated } from './coordinated.ts';
import type { ApiCall, Floor, Operation } from './floor.ts';

const reader = new Reader();

class CoordinatedOperation implements Operation {
  readonly call: ApiCall;
  readonly #entry: AnyCoordinated;
  readonly #request: object;
  readonly #floor: Floor;
  readonly #id: number;
  /** By part; null while it is not answered. */
  readonly #answers: (object | null)[] = [];
  /** Parts that may still read the request, and whoever asks. */
  #reading = 1;
  /** Parts that are not answered, and whoever asks. */
  #open = 1;
  #answered = false;

  constructor(call: ApiCall, entry: AnyCoordinated, request: object, floor: Floor) {
    this.call = call;
    this.#entry = entry;
    this.#request = request;
    this.#floor = floor;
    this.#id = floor.open(this);
  }

  start(): void {
    const call = this.call;
    call.alone = true;
    this.#floor.holdPayload(this.#id);
    for (const slot of this.#slots()) {
      const part = this.#answers.push(null) - 1;
      if (slot < 0) {
        this.#answers[part] = this.#refusal(part, ERROR.NOT_COORDINATOR);
        continue;
      }
      this.#reading += 1;
      this.#open += 1;
      this.#floor.coordinate(this.#id, part, slot, call);
    }
    call.onHurry = () => this.#hurry();
    this.#read();
    this.#done();
  }

  taken(): void {
    this.#read();
  }

  coordinated(part: number, error: number, body: Uint8Array, wasTaken: boolean): void {
    if (!wasTaken) this.#read();
    if (!this.#answered) this.#answers[part] = error === ERROR.NONE ? this.#body(body) : this.#refusal(part, error);
    this.#done();
  }

  /** Where the shards of the request's parts live; -1 where no coordinator is. */
  #slots(): readonly number[] {
    const slots = this.#floor.route(GROUP_LOG)?.slots ?? [];
    const groups = this.#entry.groups(this.#request as never, this.call.version);
    if (groups === null) return slots;
    return groups.map((group) => slots[coordinatorPartition(group, slots.length)] ?? -1);
  }

  #body(bytes: Uint8Array): object {
    const memory = memoryOver(bytes);
    reader.reset(memory, 0, bytes.length);
    return responseReader(this.#entry.api, this.call.version)(reader) as object;
  }

  #refusal(part: number, error: number): object {
    return this.#entry.refusal(this.#request as never, part, error, this.call.version);
  }

  /** Parts that are answered later find nobody any more. */
  #hurry(): void {
    if (this.#answered) return;
    for (const [part, answer] of this.#answers.entries()) {
      this.#answers[part] = answer ?? this.#refusal(part, ERROR.COORDINATOR_LOAD_IN_PROGRESS);
    }
    this.#answer();
  }

  #read(): void {
    this.#reading -= 1;
    if (this.#reading === 0) this.#floor.releasePayload(this.#id);
  }

  #done(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#floor.close(this.#id);
    if (!this.#answered) this.#answer();
  }

  #answer(): void {
    this.#answered = true;
    const { together } = this.#entry;
    const answers = this.#answers as object[];
    this.call.answer(together === undefined ? answers[0] : together(answers as never));
  }
}

export function coordinate(call: ApiCall, entry: AnyCoordinated, request: object, floor: Floor): void {
  new CoordinatedOperation(call, entry, request, floor).start();
}
