/**
 * The coordinators of a handler: a shard for each partition of `__consumer_offsets` that it owns. They load from the log when
 * the partition comes, answer what processors ask, write into the log at the end of a turn, and go with the partition.
 */
import { coordinatedApi } from '../../api/coordinated-apis.ts';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Timers } from '../../base/timers.ts';
import { GROUP_LOG } from '../../cluster/internal-topics.ts';
import type { GroupOverrides } from '../../config/group-settings.ts';
import type { GroupSettings } from '../../coordinator/group/desk.ts';
import { decodeGroupRecord } from '../../coordinator/group/record-format.ts';
import { GroupShard } from '../../coordinator/group/shard.ts';
import type { Topics } from '../../coordinator/group/topics.ts';
import type { LogEnvironment } from '../../log/environment.ts';
import type { FileTable } from '../../log/leases.ts';
import type { Partition } from '../../replica/partition.ts';
import { requestReader, responseWriter } from '../../wire/compiler.ts';
import { ERROR } from '../../wire/errors.ts';
import { RequestHeader, readRequestHeader } from '../../wire/headers.ts';
import { Reader } from '../../wire/reader.ts';
import type { Api } from '../../wire/schema.ts';
import { WireError } from '../../wire/wire-error.ts';
import { Writer } from '../../wire/writer.ts';
import type { FromThread } from '../control.ts';
import type { Registry } from '../net/answers.ts';
import { unpackHost } from '../net/peer-address.ts';
import { TAKEN } from '../rings/messages.ts';
import { GroupJournal } from './group-journal.ts';
import type { HandlerLink } from './questions.ts';
import { ShardLoading } from './shard-loading.ts';

export interface CoordinatorsParts {
  /** The handler's name. */
  readonly name: string;
  readonly environment: LogEnvironment;
  readonly files: FileTable;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: GroupSettings;
  readonly overrides: (group: string) => GroupOverrides;
  /** How often what has expired is looked for. */
  readonly expiryCheckMs: number;
  readonly topics: Topics;
  /** Has the partition settle at the end of the round. */
  touch(partition: Partition): void;
  /** Whether the processor at the other end of a link is still there. */
  linked(link: HandlerLink): boolean;
  post(message: FromThread): void;
}

interface Hosted {
  readonly slot: number;
  readonly partition: Partition;
  readonly shard: GroupShard;
  readonly journal: GroupJournal;
  /** Reads the log; null once that is done. */
  loading: ShardLoading | null;
  /** What is asked of it is refused with this: it loads, or could not be loaded. */
  refusal: number;
  expireAt: number;
}

/** A call that was taken in this turn: its frame is let go when it has to wait. */
interface Taken {
  readonly link: HandlerLink;
  readonly op: number;
  readonly part: number;
  answered: boolean;
}

/** Appends of our own carry this in place of a processor's number. */
export const OWN = -1;

const NO_LETTER = new Uint8Array(0);

export class Coordinators {
  readonly #parts: CoordinatorsParts;
  readonly #hosted = new Map<number, Hosted>();
  readonly #loading: Hosted[] = [];
  readonly #wrote = new Set<Hosted>();
  /** Batches under way, by number: their memory and who waits. */
  readonly #batches = new Map<number, (error: number) => void>();
  readonly #taken: Taken[] = [];
  readonly #reader = new Reader();
  readonly #header = new RequestHeader();
  readonly #writer = new Writer();
  /** The request that was read last: its parts come one behind the other. An answered one's number may come again at once. */
  #last: { link: HandlerLink; op: number; serial: number; request: unknown } | null = null;
  readonly #logger: Logger;
  #nextBatch = 1;

  constructor(parts: CoordinatorsParts) {
    this.#parts = parts;
    const line = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, values?: Record<string, unknown>) =>
      parts.post({ kind: 'log', level, event, ...(values === undefined ? {} : { values }) });
    this.#logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  /** A partition has come. */
  opened(slot: number, topic: string, partition: Partition): void {
    if (topic !== GROUP_LOG) return;
    const { clock, timers, random, settings, overrides, topics, environment, files, registry } = this.#parts;
    const journal = new GroupJournal({
      batchBytesMax: () => Math.min(partition.log.config.maxMessageBytes, partition.log.config.segmentBytes),
      now: () => clock.now(),
      append: (batch, done) => this.#append(hosted, batch, done),
      wrote: () => this.#wrote.add(hosted),
    });
    const shard = new GroupShard({
      journal,
      timers: timers.guarded((problem) => this.#fault(hosted, problem)),
      random,
      clock,
      settings,
      overrides,
      topics,
      logger: this.#logger,
    });
    let skipped = 0;
    const loading = new ShardLoading({
      partition,
      environment,
      files,
      registry,
      record: (key, value, offset) => {
        const record = key === null ? null : decodeGroupRecord(key, value);
        if (record !== null) return shard.replay(record);
        skipped += 1;
        if (skipped === 1) this.#logger.warn('group.record.unknown', { slot, offset });
      },
    });
    const hosted: Hosted = {
      slot,
      partition,
      shard,
      journal,
      loading,
      refusal: ERROR.COORDINATOR_LOAD_IN_PROGRESS,
      expireAt: 0,
    };
    this.#hosted.set(slot, hosted);
    this.#loading.push(hosted);
  }

  /** A partition goes: to another handler, or with its topic. Whoever waits looks for the coordinator anew. */
  closed(slot: number): void {
    const hosted = this.#hosted.get(slot);
    if (hosted === undefined) return;
    this.#hosted.delete(slot);
    this.#wrote.delete(hosted);
    const at = this.#loading.indexOf(hosted);
    if (at >= 0) this.#loading.splice(at, 1);
    this.#safely(hosted, () => hosted.journal.drop(ERROR.NOT_COORDINATOR));
    if (hosted.loading === null) this.#safely(hosted, () => hosted.shard.unload(ERROR.NOT_COORDINATOR));
  }

  /** Nothing that it wrote is on its way into the log. */
  quiet(slot: number): boolean {
    const hosted = this.#hosted.get(slot);
    return hosted === undefined || !this.#wrote.has(hosted);
  }

  get pending(): boolean {
    return this.#loading.length > 0 || this.#wrote.size > 0;
  }

  /** A processor's question: a request as it lies in its intake, and which part of it is asked here. */
  take(link: HandlerLink, at: number, absent: (slot: number) => number): void {
    const { words, floats } = link.inbox;
    const op = words[at + 1] as number;
    const part = words[at + 2] as number;
    const slot = words[at + 3] as number;
    const hosted = this.#hosted.get(slot);
    const refusal = hosted === undefined ? coordinatorError(absent(slot)) : hosted.refusal;
    if (hosted === undefined || refusal !== ERROR.NONE) return this.#refuse(link, op, part, refusal);
    const header = this.#header;
    const request = this.#read(link, at);
    const { api, apiVersion, clientId } = header;
    assert(api !== null, 'a request that is passed on has an API', { key: header.apiKey });
    const half = at >> 1;
    const clientHost = `/${unpackHost(floats[half + 4] as number, floats[half + 5] as number, floats[half + 6] as number)}`;
    const taken: Taken = { link, op, part, answered: false };
    this.#taken.push(taken);
    const context = { version: apiVersion, clientId: clientId ?? '', clientHost };
    const answer = (error: number, body: Uint8Array): void => {
      assert(!taken.answered, 'a part is answered once', { api: api.name, op, part });
      taken.answered = true;
      // Its processor may be gone by now, and another one may have its number.
      if (this.#parts.linked(link)) link.letters?.send(op, part, error, body);
    };
    try {
      coordinatedApi(api.key).handle(hosted.shard, request as never, part, context, (body) => {
        const bytes = this.#encoded(api, apiVersion, body);
        if (bytes === null) answer(ERROR.UNKNOWN_SERVER_ERROR, NO_LETTER);
        else answer(ERROR.NONE, bytes);
      });
    } catch (problem) {
      this.#fault(hosted, problem);
      if (!taken.answered) answer(ERROR.COORDINATOR_NOT_AVAILABLE, NO_LETTER);
    }
  }

  /** Null when it cannot be written. */
  #encoded(api: Api, version: number, body: unknown): Uint8Array | null {
    const writer = this.#writer;
    writer.reset();
    try {
      responseWriter(api, version)(writer, body as never);
      return writer.memory.bytes.slice(writer.start, writer.offset);
    } catch (problem) {
      if (!(problem instanceof WireError)) throw problem;
      this.#logger.error('answer.unwritable', { api: api.key, version, why: problem.message });
      return null;
    }
  }

  /** Before the partitions write: what shards wrote goes to them, and what loads goes on a little. */
  settle(): void {
    if (this.#loading.length > 0) this.#load(this.#loading[0] as Hosted);
    if (this.#wrote.size === 0) return;
    const wrote = Array.from(this.#wrote);
    this.#wrote.clear();
    for (const hosted of wrote) this.#safely(hosted, () => hosted.journal.flush());
  }

  /** After the partitions wrote: whoever is not answered yet waits, without its frame. */
  settled(): void {
    this.#last = null;
    for (const { link, op, part, answered } of this.#taken) {
      if (!answered && this.#parts.linked(link)) link.outbox.send(TAKEN, op, part, 0, 0, 0, 0, 0);
    }
    this.#taken.length = 0;
  }

  /** A batch of ours is in the log, or is not. */
  appended(batch: number, error: number): void {
    const done = this.#batches.get(batch);
    assert(done !== undefined, 'a batch of a shard is answered once', { batch });
    this.#batches.delete(batch);
    done(error);
  }

  /** What groups committed for topics that are no more is forgotten. */
  topicsDeleted(names: readonly string[]): void {
    for (const hosted of this.#hosted.values()) {
      if (hosted.refusal !== ERROR.NONE) continue;
      this.#safely(hosted, () => {
        for (const name of names) hosted.shard.topicDeleted(name);
      });
    }
  }

  /** Once a second: offsets and groups that nobody has used for long go. */
  look(now: number): void {
    for (const hosted of this.#hosted.values()) {
      if (hosted.refusal !== ERROR.NONE || now < hosted.expireAt) continue;
      hosted.expireAt = now + this.#parts.expiryCheckMs;
      this.#safely(hosted, () => hosted.shard.expire(now));
    }
  }

  #safely(hosted: Hosted, work: () => void): void {
    try {
      work();
    } catch (problem) {
      this.#fault(hosted, problem);
    }
  }

  /** A fault of ours. What the shard holds may be wrong from here on: it goes with its partition, and whoever waits hears of it. */
  #fault({ slot, partition }: Hosted, problem: unknown): void {
    const { message, stack } = problem as Error;
    if (partition.log.broken === null) partition.fail(problem as Error);
    else this.#logger.error('coordinator.fault', { slot, why: message, stack });
  }

  #append(hosted: Hosted, bytes: Uint8Array, done: (error: number) => void): void {
    const { partition } = hosted;
    const { registry, clock, touch } = this.#parts;
    const memory = registry.register(bytes);
    const batch = this.#nextBatch;
    this.#nextBatch = batch === 0x7fffffff ? 1 : batch + 1;
    this.#batches.set(batch, (error) => {
      registry.unregister(memory);
      this.#safely(hosted, () => done(error));
    });
    touch(partition);
    partition.appendOwn(memory, clock.now(), OWN, batch);
  }

  #load(hosted: Hosted): void {
    try {
      if (!hosted.loading?.step()) return;
      hosted.refusal = ERROR.NONE;
      hosted.shard.loaded();
      hosted.expireAt = this.#parts.clock.now() + this.#parts.expiryCheckMs;
    } catch (problem) {
      // Its log cannot be read: what it says is not known, and nobody is told something else.
      hosted.refusal = ERROR.COORDINATOR_NOT_AVAILABLE;
      this.#logger.error('coordinator.not.loaded', { slot: hosted.slot, why: (problem as Error).message });
    }
    hosted.loading = null;
    this.#loading.shift();
  }

  #read(link: HandlerLink, at: number): unknown {
    const { words } = link.inbox;
    const op = words[at + 1] as number;
    const serial = words[at + 6] as number;
    const last = this.#last;
    if (last?.link === link && last.op === op && last.serial === serial) return last.request;
    const offset = words[at + 4] as number;
    const length = words[at + 5] as number;
    this.#reader.reset(link.memory, offset, offset + length);
    readRequestHeader(this.#reader, this.#header);
    const { api, apiVersion } = this.#header;
    assert(api !== null, 'a request that is passed on has an API', { key: this.#header.apiKey });
    const request = requestReader(api, apiVersion)(this.#reader);
    this.#last = { link, op, serial, request };
    return request;
  }

  #refuse(link: HandlerLink, op: number, part: number, error: number): void {
    link.letters?.send(op, part, error, NO_LETTER);
  }
}

/** What a partition's error is to whoever asks its coordinator. */
function coordinatorError(error: number): number {
  switch (error) {
    case ERROR.NOT_LEADER_OR_FOLLOWER:
    case ERROR.UNKNOWN_TOPIC_OR_PARTITION:
      return ERROR.NOT_COORDINATOR;
    case ERROR.KAFKA_STORAGE_ERROR:
      return ERROR.COORDINATOR_NOT_AVAILABLE;
    default:
      return error;
  }
}
