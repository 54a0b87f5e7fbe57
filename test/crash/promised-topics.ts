/**
 * Topics that come, grow, change and go while the broker is killed, and what it has acknowledged of them. Of the one change
 * that was under way at the kill either all has happened or nothing; everything before it stands.
 */
import { expect } from 'vitest';
import type { Random } from '../../src/base/random.ts';
import type { RawClient } from '../kit/client.ts';
import { change, DONE, SET, settingOf, TOPIC } from '../kit/configs.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, metadata, produce, readAll } from '../kit/requests.ts';
import { deleteByName, grow } from '../kit/topics.ts';
import { untilBroken } from './until-broken.ts';

const NAMES = 3;
const PARTITIONS_MAX = 4;
const RETENTION = 'retention.ms';

interface Topic {
  readonly partitions: number;
  readonly retentionMs: string;
}

type State = Topic | null;

export class PromisedTopics {
  readonly #random: Random;
  readonly #states = new Map<string, State>();
  #underWay: { readonly name: string; readonly after: State } | null = null;
  #lives = 0;

  constructor(random: Random) {
    this.#random = random;
    for (let index = 0; index < NAMES; index++) this.#states.set(`changing-${index}`, null);
  }

  /** One change after the other, until the connection breaks. */
  async write(port: number, told: () => void): Promise<void> {
    await untilBroken(port, async (client) => {
      await this.#change(client);
      told();
    });
  }

  async #change(client: RawClient): Promise<void> {
    const name = `changing-${this.#random.below(NAMES)}`;
    const before = this.#states.get(name) ?? null;
    const retentionMs = String(86_400_000 + this.#random.below(1_000_000));
    const dice = this.#random.below(4);
    if (before === null) {
      const after = { partitions: 1 + this.#random.below(PARTITIONS_MAX), retentionMs };
      this.#underWay = { name, after };
      await createTopic(client, { name, partitions: after.partitions, configs: { [RETENTION]: retentionMs } });
    } else if (dice === 0 && before.partitions < PARTITIONS_MAX) {
      const after = { ...before, partitions: before.partitions + 1 };
      this.#underWay = { name, after };
      expect(await grow(client, [{ name, count: after.partitions }])).toEqual([[name, 0]]);
    } else if (dice === 1) {
      this.#underWay = { name, after: { ...before, retentionMs } };
      expect(await change(client, TOPIC, name, [[RETENTION, SET, retentionMs]])).toEqual(DONE);
    } else {
      this.#underWay = { name, after: null };
      const [deleted] = await deleteByName(client, [name]);
      expect(deleted?.errorCode).toBe(0);
    }
    this.#states.set(name, this.#underWay.after);
    this.#underWay = null;
  }

  /** After a start. What is found of the change under way counts from here on. */
  async check(client: RawClient): Promise<void> {
    const { topics } = await metadata(client, null);
    this.#lives += 1;
    for (const [name, acknowledged] of this.#states) {
      const topic = topics.find((one) => one.name === name);
      const retentionMs = topic === undefined ? '' : (await settingOf(client, TOPIC, name, RETENTION)).value;
      const found: State =
        topic === undefined ? null : { partitions: topic.partitions.length, retentionMs: `${retentionMs}` };
      const allowed = this.#underWay?.name === name ? [acknowledged, this.#underWay.after] : [acknowledged];
      expect(allowed, name).toContainEqual(found);
      this.#states.set(name, found);
      if (topic !== undefined) await this.#checkUsable(client, name, topic.topicId, topic.partitions.length);
    }
    this.#underWay = null;
  }

  /** Each partition takes a record; those of an earlier topic of this name are not in it. */
  async #checkUsable(client: RawClient, name: string, topicId: string, partitions: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const { errorCode } = await produce(client, name, batchOf([`${topicId} ${this.#lives}`]), { partition });
      expect([name, partition, errorCode]).toEqual([name, partition, 0]);
      const values = (await readAll(client, name, { partition })).map(({ records }) =>
        textOf(records[0]?.value ?? null),
      );
      expect(values.filter((value) => !value?.startsWith(topicId))).toEqual([]);
      expect(new Set(values).size).toBe(values.length);
      expect(values.at(-1)).toBe(`${topicId} ${this.#lives}`);
    }
  }
}
