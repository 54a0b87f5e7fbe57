/**
 * Producers that write until their connection breaks, and go on with the next broker where this one left them: a plain one,
 * which sends nothing twice, and an idempotent one, which sends again whatever was not answered, in the same order.
 */
import type { Random } from '../../src/base/random.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import type { RawClient } from '../kit/client.ts';
import { type BatchOptions, batchOf } from '../kit/records.ts';
import { initProducer, type Produced, produce } from '../kit/requests.ts';
import { type PromisedRecords, recordValue } from './promised-records.ts';
import { Refused } from './refused.ts';
import { untilBroken } from './until-broken.ts';

const CODECS = [CODEC.GZIP, CODEC.SNAPPY, CODEC.LZ4, CODEC.ZSTD];
const RECORDS_MAX = 4;
const LARGE_BYTES = 40_000;
/** What the broker remembers of a producer. */
const UNDER_WAY_MAX = 5;

export interface Writer {
  /** Until the connection breaks. Throws at an answer that no broker may give. */
  write(port: number, told: () => void): Promise<void>;
}

/** Half of the batches are compressed. */
function compression(random: Random): BatchOptions {
  return random.below(2) === 0 ? {} : { codec: CODECS[random.below(CODECS.length)] as number };
}

function sizes(random: Random): number[] {
  const bytes = random.below(8) === 0 ? LARGE_BYTES : 20 + random.below(400);
  return Array.from({ length: 1 + random.below(RECORDS_MAX) }, () => bytes);
}

export class PlainWriter implements Writer {
  readonly #name: string;
  readonly #promised: PromisedRecords;
  readonly #random: Random;
  #next = 0;

  constructor(name: string, promised: PromisedRecords, random: Random) {
    this.#name = name;
    this.#promised = promised;
    this.#random = random;
  }

  async write(port: number, told: () => void): Promise<void> {
    const one = async (client: RawClient): Promise<void> => {
      for (;;) {
        const values = sizes(this.#random).map((bytes) => recordValue(this.#name, this.#next++, bytes));
        const bytes = batchOf(values, compression(this.#random));
        const { topic, partition } = this.#promised;
        const { errorCode, baseOffset } = await produce(client, topic, bytes, { partition });
        if (errorCode !== ERROR.NONE) throw new Refused(this.#name, errorCode);
        this.#promised.acknowledged(baseOffset, values);
        told();
      }
    };
    await untilBroken(port, async (client) => {
      await Promise.all([one(client), one(client), one(client)]);
    });
  }
}

interface Unanswered {
  readonly first: number;
  readonly values: readonly string[];
  readonly bytes: Uint8Array;
}

export class IdempotentWriter implements Writer {
  readonly #name: string;
  readonly #promised: PromisedRecords;
  readonly #random: Random;
  #identity: { producerId: number; producerEpoch: number } | null = null;
  #next = 0;
  readonly #unanswered: Unanswered[] = [];

  constructor(name: string, promised: PromisedRecords, random: Random) {
    this.#name = name;
    this.#promised = promised;
    this.#random = random;
  }

  async write(port: number, told: () => void): Promise<void> {
    await untilBroken(port, async (client) => {
      this.#identity ??= await initProducer(client);
      const { topic, partition } = this.#promised;
      const send = ({ bytes }: Unanswered): Promise<Produced> => {
        const sent = produce(client, topic, bytes, { partition });
        // Answers are waited for in order; when one fails nobody listens to those behind it.
        sent.catch(() => {});
        return sent;
      };
      const underWay: Promise<Produced>[] = this.#unanswered.map(send);
      for (;;) {
        while (this.#unanswered.length < UNDER_WAY_MAX) {
          const batch = this.#make();
          this.#unanswered.push(batch);
          underWay.push(send(batch));
        }
        this.#answered(await (underWay.shift() as Promise<Produced>));
        told();
      }
    });
  }

  #make(): Unanswered {
    const first = this.#next;
    const values = sizes(this.#random).map((bytes) => recordValue(this.#name, this.#next++, bytes));
    const identity = { ...this.#identity, baseSequence: first };
    return { first, values, bytes: batchOf(values, { ...identity, ...compression(this.#random) }) };
  }

  /** One that is too old to be told where it lies is in the log all the same. */
  #answered({ errorCode, baseOffset }: Produced): void {
    const { first, values } = this.#unanswered[0] as Unanswered;
    if (errorCode === ERROR.NONE) this.#promised.acknowledged(baseOffset, values);
    else if (errorCode !== ERROR.DUPLICATE_SEQUENCE_NUMBER) {
      throw new Refused(`${this.#name} at sequence ${first}`, errorCode);
    }
    this.#unanswered.shift();
    this.#promised.inOrder(this.#name, first + values.length);
  }
}
