/** A shard of the group coordinator in a world of its own: virtual time, seeded dice, a log in memory, topics by count. */
import { assert } from '../../src/base/assert.ts';
import type { Logger } from '../../src/base/logger.ts';
import { SILENT } from '../../src/base/logger.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { Timers } from '../../src/base/timers.ts';
import { randomUuid, type Uuid } from '../../src/base/uuid.ts';
import type { GroupSettings } from '../../src/coordinator/group/desk.ts';
import type { Caller } from '../../src/coordinator/group/messages.ts';
import { decodeGroupRecord, encodeGroupRecord } from '../../src/coordinator/group/record-format.ts';
import type { GroupRecord } from '../../src/coordinator/group/records.ts';
import { GroupShard } from '../../src/coordinator/group/shard.ts';
import type { Topics } from '../../src/coordinator/group/topics.ts';
import { responseWriter } from '../../src/wire/compiler.ts';
import type { Api, ResponseInput } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { HandClock } from '../kit/hand-clock.ts';
import { MemoryJournal } from './memory-journal.ts';

export const SETTINGS: GroupSettings = {
  groupConsumerAssignors: ['uniform', 'range'],
  groupConsumerHeartbeatIntervalMs: 5000,
  groupConsumerMaxHeartbeatIntervalMs: 15_000,
  groupConsumerMaxSessionTimeoutMs: 60_000,
  groupConsumerMaxSize: 2_147_483_647,
  groupConsumerMigrationPolicy: 'bidirectional',
  groupConsumerMinHeartbeatIntervalMs: 100,
  groupConsumerMinSessionTimeoutMs: 100,
  groupConsumerSessionTimeoutMs: 45_000,
  groupInitialRebalanceDelayMs: 0,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupMaxSize: 2_147_483_647,
  groupMinSessionTimeoutMs: 6000,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMinutes: 10_080,
};

export class TopicsByCount implements Topics {
  readonly #topics = new Map<string, { id: Uuid; partitions: number }>();
  version = 1;

  put(name: string, partitions: number, random: SeededRandom): void {
    this.#topics.set(name, { id: randomUuid(random), partitions });
    this.version += 1;
  }

  grow(name: string, partitions: number): void {
    const id = this.idOf(name);
    assert(id !== null, 'only what is there grows', { name });
    this.#topics.set(name, { id, partitions });
    this.version += 1;
  }

  drop(name: string): void {
    this.#topics.delete(name);
    this.version += 1;
  }

  names(): Iterable<string> {
    return this.#topics.keys();
  }

  partitionsOf(id: Uuid): number {
    const name = this.nameOf(id);
    return name === null ? 0 : (this.#topics.get(name)?.partitions ?? 0);
  }

  idOf(name: string): Uuid | null {
    return this.#topics.get(name)?.id ?? null;
  }

  nameOf(id: Uuid): string | null {
    for (const [name, topic] of this.#topics) if (topic.id === id) return name;
    return null;
  }

  hasPartition(name: string, partition: number): boolean {
    return partition >= 0 && partition < (this.#topics.get(name)?.partitions ?? 0);
  }
}

export class World {
  readonly clock = new HandClock();
  readonly timers = new Timers(this.clock.monotonic());
  readonly random: SeededRandom;
  readonly topics = new TopicsByCount();
  readonly settings: { -readonly [K in keyof GroupSettings]: GroupSettings[K] } = { ...SETTINGS };
  /** What groups have for themselves. */
  readonly overrides = new Map<string, ReadonlyMap<string, string>>();
  readonly #logger: Logger;
  journal = new MemoryJournal<GroupRecord>();
  shard: GroupShard;

  constructor(seed = 1, logger: Logger = SILENT) {
    this.random = new SeededRandom(seed);
    this.#logger = logger;
    this.topics.put('t', 4, this.random);
    this.topics.put('u', 4, this.random);
    this.shard = this.#newShard();
    this.shard.loaded();
  }

  /** Time passes, and whatever is due meanwhile happens at its time. */
  pass(ms: number): void {
    const end = this.clock.monotonic() + ms;
    for (let next = this.timers.next(); next <= end; next = this.timers.next()) {
      this.clock.advance(Math.max(next - this.clock.monotonic(), 0));
      this.timers.advance(this.clock.monotonic());
    }
    this.clock.advance(end - this.clock.monotonic());
    this.timers.advance(end);
  }

  /** Another owner of the same log: writes that were not told of are lost but for the first few. */
  reload(kept = 0): void {
    this.unload();
    this.journal.cut(kept);
    this.load();
  }

  unload(): void {
    this.shard.unload();
    assert(this.timers.count === 0, 'no timer is left', { timers: this.timers.count });
  }

  load(): void {
    const journal = new MemoryJournal<GroupRecord>();
    journal.log.push(...this.journal.log);
    this.journal = journal;
    this.shard = this.#newShard();
    this.#replay(this.shard);
    this.shard.loaded();
  }

  /** Another shard that has loaded the same log and is not asked for anything; its writes go nowhere. */
  successor(): GroupShard {
    const shard = this.#newShard(new MemoryJournal());
    this.#replay(shard);
    return shard;
  }

  /** As bytes of the log, there and back. */
  #replay(shard: GroupShard): void {
    for (const record of this.journal.log) {
      const { key, value } = encodeGroupRecord(record);
      const read = decodeGroupRecord(key, value);
      assert(read !== null, 'what was written can be read', { kind: record.kind });
      shard.replay(read);
    }
  }

  #newShard(journal: MemoryJournal<GroupRecord> = this.journal): GroupShard {
    return new GroupShard({
      journal,
      timers: this.timers,
      clock: this.clock,
      random: this.random,
      settings: this.settings,
      overrides: (group) => this.overrides.get(group) ?? new Map(),
      topics: this.topics,
      logger: this.#logger,
    });
  }
}

export function caller(version: number, clientId = 'client'): Caller {
  return { version, clientId, clientHost: '/127.0.0.1' };
}

/** Fails when that version of the API cannot carry the answer. */
export function expectWritable<A extends Api>(api: A, version: number, body: ResponseInput<A>): void {
  responseWriter(api, version)(new Writer(), body);
}

const utf8 = new TextEncoder();

export const bytesOf = (text: string): Uint8Array => utf8.encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a consumer says when it joins: version 0 of its subscription, or version 1 with what it owns. */
export function subscription(
  topics: readonly string[],
  owned: readonly { topic: string; partitions: readonly number[] }[] | null = null,
): Uint8Array {
  const bytes: number[] = [];
  const int16 = (value: number) => bytes.push((value >> 8) & 0xff, value & 0xff);
  const int32 = (value: number) => {
    int16(value >> 16);
    int16(value);
  };
  const text = (value: string) => {
    const encoded = bytesOf(value);
    int16(encoded.length);
    bytes.push(...encoded);
  };
  int16(owned === null ? 0 : 1);
  int32(topics.length);
  topics.forEach(text);
  int32(-1);
  if (owned !== null) {
    int32(owned.length);
    for (const { topic, partitions } of owned) {
      text(topic);
      int32(partitions.length);
      partitions.forEach(int32);
    }
  }
  return Uint8Array.from(bytes);
}
