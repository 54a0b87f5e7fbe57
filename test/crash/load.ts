/**
 * Everything that is asked of the brokers of one directory, one broker after the other, and all that they promised: producers
 * of several kinds, topics that change, records that are deleted, readers.
 */
import { expect } from 'vitest';
import type { Random } from '../../src/base/random.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { LIST_OFFSETS_TIMESTAMP } from '../../src/wire/messages/list-offsets.ts';
import { RawClient } from '../kit/client.ts';
import { deleteRecords } from '../kit/offsets.ts';
import { createTopic, fetch, listOffset } from '../kit/requests.ts';
import { PromisedRecords } from './promised-records.ts';
import { PromisedTopics } from './promised-topics.ts';
import { Refused } from './refused.ts';
import { untilBroken } from './until-broken.ts';
import { IdempotentWriter, PlainWriter, type Writer } from './writers.ts';

const READ_BYTES = 200_000;

export class Load {
  /** The log that somebody may cut: who writes there keeps no order. */
  readonly torn = new PromisedRecords('torn', 0);
  readonly records: readonly PromisedRecords[];
  readonly #random: Random;
  readonly #trimmed = new PromisedRecords('trimmed', 0);
  readonly #topics: PromisedTopics;
  readonly #writers: readonly Writer[];

  constructor(random: Random) {
    this.#random = random;
    this.#topics = new PromisedTopics(random);
    const [first, second] = [0, 1].map((partition) => new PromisedRecords('kept', partition)) as [
      PromisedRecords,
      PromisedRecords,
    ];
    this.records = [first, second, this.#trimmed, this.torn];
    this.#writers = [
      new PlainWriter('plain-0', first, random),
      new IdempotentWriter('idempotent-0', first, random),
      new IdempotentWriter('idempotent-1', first, random),
      new IdempotentWriter('idempotent-2', second, random),
      new PlainWriter('plain-1', this.#trimmed, random),
      new IdempotentWriter('idempotent-3', this.#trimmed, random),
      new PlainWriter('plain-2', this.torn, random),
      this.#topics,
      { write: (port, told) => this.#trim(port, told) },
      { write: (port) => this.#read(port) },
    ];
  }

  static async begin(port: number, random: Random): Promise<Load> {
    const client = await RawClient.connect(port);
    await createTopic(client, { name: 'kept', partitions: 2 });
    await createTopic(client, { name: 'trimmed' });
    await createTopic(client, { name: 'torn' });
    await client.close();
    return new Load(random);
  }

  /** Each ends when its connection breaks, or fails when it is refused. */
  write(port: number, told: () => void): Promise<void>[] {
    return this.#writers.map((writer) => writer.write(port, told));
  }

  /** All that was promised is there. */
  async check(port: number): Promise<void> {
    const client = await RawClient.connect(port);
    for (const records of this.records) await records.check(client);
    await this.#topics.check(client);
    await client.close();
  }

  /** Deletes what is old, as far as it is acknowledged. */
  #trim(port: number, told: () => void): Promise<void> {
    const trimmed = this.#trimmed;
    return untilBroken(port, async (client) => {
      // After a start under group commit what is not durable is not shown yet, and cannot be deleted.
      const shown = await listOffset(client, trimmed.topic, LIST_OFFSETS_TIMESTAMP.LATEST);
      if (shown.errorCode !== ERROR.NONE) throw new Refused('listing offsets', shown.errorCode);
      expect(shown.offset, 'a log begins at or before what it shows').toBeGreaterThanOrEqual(trimmed.startKept);
      const end = Math.min(trimmed.end, shown.offset);
      const offset = trimmed.startKept + this.#random.below(end - trimmed.startKept + 1);
      trimmed.startAsked = Math.max(trimmed.startAsked, offset);
      const { errorCode, lowWatermark } = await deleteRecords(client, trimmed.topic, offset);
      if (errorCode !== ERROR.NONE) throw new Refused('deleting records', errorCode);
      trimmed.startKept = Math.max(trimmed.startKept, lowWatermark);
      told();
    });
  }

  /** Here and there in what is acknowledged; the checksums of all that comes are looked at. */
  #read(port: number): Promise<void> {
    return untilBroken(port, async (client) => {
      const { topic, partition, startAsked, end } = this.records[this.#random.below(2)] as PromisedRecords;
      const offset = startAsked + this.#random.below(end - startAsked + 1);
      const asked = { partition, offset, maxBytes: READ_BYTES };
      const { errorCode, batches, highWatermark } = await fetch(client, topic, asked);
      if (errorCode !== ERROR.NONE) throw new Refused(`reading ${topic}-${partition}`, errorCode);
      // After a start under group commit what is not durable is not shown yet.
      if (offset < Math.min(end, highWatermark)) expect(batches[0]?.lastOffset).toBeGreaterThanOrEqual(offset);
    });
  }
}
