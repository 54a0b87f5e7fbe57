/**
 * Topics that come, grow, change and go while the broker is killed, and what it has acknowledged of them. Of the one change
 * that was under way at the kill either all has happened or nothing; everything before it stands.
 */
import { expect } from 'vitest';
import type { Random } from '../../src/base/random.ts';
import { ERROR } from '../../src/wire/errors.ts';
import type { Metadata } from '../../src/wire/messages/metadata.ts';
import type { ResponseOf } from '../../src/wire/schema.ts';
import type { RawClient } from '../kit/client.ts';
import { change, SET, settingOf, TOPIC } from '../kit/configs.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { metadata, produce, readAll } from '../kit/requests.ts';
import { createTopics, deleteByName, grow, newTopic } from '../kit/topics.ts';
import { Refused } from './refused.ts';
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
      if (this.#underWay !== null) await this.#settle(client);
      await this.#change(client);
      told();
    });
  }

  async #change(client: RawClient): Promise<void> {
    const name = `changing-${this.#random.below(NAMES)}`;
    const before = this.#states.get(name) ?? null;
    const { after, ask } = this.#next(client, name, before);
    this.#underWay = { name, after };
    const errorCode = await ask();
    if (errorCode !== ERROR.NONE) throw new Refused(`changing ${name}`, errorCode);
    this.#states.set(name, after);
    this.#underWay = null;
  }

  #next(client: RawClient, name: string, before: State): { after: State; ask: () => Promise<number> } {
    const retentionMs = String(86_400_000 + this.#random.below(1_000_000));
    if (before === null) {
      const after = { partitions: 1 + this.#random.below(PARTITIONS_MAX), retentionMs };
      const configs = [{ name: RETENTION, value: retentionMs }];
      const topic = newTopic(name, { numPartitions: after.partitions, configs });
      return { after, ask: async () => codeOf((await createTopics(client, [topic]))[0]) };
    }
    const dice = this.#random.below(4);
    if (dice === 0 && before.partitions < PARTITIONS_MAX) {
      const count = before.partitions + 1;
      const ask = async () => codeOf({ errorCode: (await grow(client, [{ name, count }]))[0]?.[1] });
      return { after: { ...before, partitions: count }, ask };
    }
    if (dice === 1) {
      const ask = async () => (await change(client, TOPIC, name, [[RETENTION, SET, retentionMs]]))[0];
      return { after: { ...before, retentionMs }, ask };
    }
    return { after: null, ask: async () => codeOf((await deleteByName(client, [name]))[0]) };
  }

  /** After a start. */
  async check(client: RawClient): Promise<void> {
    this.#lives += 1;
    for (const topic of await this.#settle(client)) {
      if (!this.#states.has(topic.name ?? '')) continue;
      await this.#checkUsable(client, topic.name as string, topic.topicId, topic.partitions.length);
    }
  }

  /** What is found of the change that was under way counts from here on. */
  async #settle(client: RawClient): Promise<ResponseOf<typeof Metadata>['topics']> {
    const { topics } = await metadata(client, null);
    for (const [name, acknowledged] of this.#states) {
      const partitions = topics.find((topic) => topic.name === name)?.partitions.length ?? 0;
      const found = partitions === 0 ? null : { partitions, retentionMs: await retentionOf(client, name) };
      const allowed = this.#underWay?.name === name ? [acknowledged, this.#underWay.after] : [acknowledged];
      expect(allowed, name).toContainEqual(found);
      this.#states.set(name, found);
    }
    this.#underWay = null;
    return topics;
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

function codeOf(answer: { readonly errorCode?: number | undefined } | undefined): number {
  if (answer?.errorCode === undefined) throw new Error('an answer without its topic');
  return answer.errorCode;
}

async function retentionOf(client: RawClient, name: string): Promise<string> {
  return `${(await settingOf(client, TOPIC, name, RETENTION)).value}`;
}
