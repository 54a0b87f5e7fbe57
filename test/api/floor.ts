/** A floor without threads: partitions are lists of batches, their owners answer when the test lets them. */

import type { ApiCall, Floor, FloorLimits, LeasedRange, Operation, Route, Watcher } from '../../src/api/floor.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { Timers } from '../../src/base/timers.ts';
import { emptyImage, type MetadataImage } from '../../src/cluster/image.ts';
import { FetchSessions } from '../../src/replica/fetch-session.ts';
import { newPartitionView, OFFLINE, ONLINE, PublishedPartitions, SLOT_BYTES } from '../../src/replica/published.ts';
import { ERROR } from '../../src/wire/errors.ts';

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`broken: ${what}`);
}

/** One record a batch; the place of its bytes in the file follows from the batches before it. */
export interface Batch {
  readonly offset: number;
  readonly records: number;
  readonly bytes: number;
  readonly position: number;
}

export class FakePartition {
  readonly slot: number;
  readonly batches: Batch[] = [];
  readonly #published: PublishedPartitions;
  leaderEpoch = 5;
  warm = false;
  logStartOffset = 0;
  endOffset = 0;
  visibleBytes = 0;
  highWatermark = 0;
  lastStableOffset = 0;

  constructor(slot: number, published: PublishedPartitions) {
    this.slot = slot;
    this.#published = published;
    published.setState(slot, ONLINE);
    this.publish();
  }

  append(bytes: number, records = 1): void {
    this.batches.push({ offset: this.endOffset, records, bytes, position: this.visibleBytes });
    this.endOffset += records;
    this.visibleBytes += bytes;
    this.highWatermark = this.endOffset;
    this.lastStableOffset = this.endOffset;
    this.publish();
  }

  publish(): void {
    this.#published.publish(this.slot, {
      ...newPartitionView(),
      leaderEpoch: this.leaderEpoch,
      logStartOffset: this.logStartOffset,
      highWatermark: this.highWatermark,
      lastStableOffset: this.lastStableOffset,
      logEndOffset: this.endOffset,
      durableEndOffset: this.endOffset,
      visibleBytes: this.visibleBytes,
    });
  }

  goOffline(): void {
    this.#published.setState(this.slot, OFFLINE);
  }

  goOnline(): void {
    this.#published.setState(this.slot, ONLINE);
  }
}

export interface Asked {
  readonly kind: 'append' | 'locate' | 'listOffset' | 'deleteRecords' | 'epochEnd' | 'coordinate';
  readonly operation: number;
  readonly part: number;
  readonly slot: number;
  readonly offset: number;
  readonly length: number;
  readonly flags: number;
  readonly epoch: number;
}

export class FakeCall implements ApiCall {
  readonly apiKey = 1;
  version: number;
  readonly correlationId = 1;
  readonly clientId = 'client';
  readonly connection: number;
  readonly listener: number;
  alone = false;
  waits = false;
  abandoned = false;
  onAbandon: (() => void) | null = null;
  hurried = false;
  onHurry: (() => void) | null = null;
  body: unknown = null;
  ranges: readonly LeasedRange[] = [];
  /** How it ended: '' while it has not. */
  end: '' | 'answered' | 'silent' | 'closed' = '';

  constructor(version: number, connection = 1, listener = 0) {
    this.version = version;
    this.connection = connection;
    this.listener = listener;
  }

  answer(body: unknown, ranges: readonly LeasedRange[] = []): void {
    this.#over('answered');
    this.body = body;
    this.ranges = ranges;
  }

  answerNothing(): void {
    this.#over('silent');
  }

  close(): void {
    this.#over('closed');
  }

  abandon(): void {
    this.abandoned = true;
    this.onAbandon?.();
    this.onAbandon = null;
    this.onHurry = null;
  }

  hurry(): void {
    this.hurried = true;
    this.onHurry?.();
    this.onHurry = null;
  }

  #over(end: 'answered' | 'silent' | 'closed'): void {
    must(this.end === '', 'a call ends once');
    must(!this.waits, 'a call that ends does not wait');
    this.end = end;
    this.onAbandon = null;
    this.onHurry = null;
  }
}

const PARTITIONS_MAX = 64;

export class FakeFloor implements Floor {
  image: MetadataImage = emptyImage('cluster');
  readonly published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * PARTITIONS_MAX));
  readonly sessions: FetchSessions;
  readonly timers: Timers;
  limits: FloorLimits = {
    listeners: ['PLAINTEXT', 'OTHER'],
    fetchBytesMax: 1_000_000,
    autoCreateTopics: true,
    describedPartitionsMax: 2_000,
    nodeId: 0,
  };
  readonly partitions: FakePartition[] = [];
  readonly asked: Asked[] = [];
  readonly operations = new Map<number, Operation>();
  readonly payloads = new Set<number>();
  readonly watchers = new Map<number, Set<Watcher>>();
  readonly controller: {
    readonly call: ApiCall;
    readonly api: number;
    readonly request: unknown;
    readonly then: ((body: unknown) => void) | null;
  }[] = [];
  /** Called before a watch is set. */
  beforeWatch: ((slot: number) => void) | null = null;
  leases = 0;
  deletions = 0;
  now = 1_000;
  readonly #routes = new Map<string, Route>();
  readonly #routesById = new Map<string, Route>();
  #nextOperation = 7;

  constructor(sessions = new FetchSessions(0, 100, new SeededRandom(3))) {
    this.sessions = sessions;
    this.timers = new Timers(this.now);
  }

  topic(name: string, partitions: number): FakePartition[] {
    const made = Array.from({ length: partitions }, () => {
      const partition = new FakePartition(this.partitions.length, this.published);
      this.partitions.push(partition);
      return partition;
    });
    const route = { name, id: name.padEnd(16, '#'), slots: made.map(({ slot }) => slot) };
    this.#routes.set(name, route);
    this.#routesById.set(route.id, route);
    return made;
  }

  /** Its slots are free for other topics. */
  deleteTopic(name: string): void {
    this.#routesById.delete((this.#routes.get(name) as Route).id);
    this.#routes.delete(name);
    this.deletions += 1;
  }

  // ---- Floor

  monotonic(): number {
    return this.now;
  }

  route(topic: string): Route | null {
    return this.#routes.get(topic) ?? null;
  }

  routeById(id: string): Route | null {
    return this.#routesById.get(id) ?? null;
  }

  open(operation: Operation): number {
    const id = this.#nextOperation++;
    this.operations.set(id, operation);
    return id;
  }

  close(operation: number): void {
    must(this.operations.delete(operation), 'an operation is closed once');
    must(!this.asked.some((one) => one.operation === operation), 'an operation ends when all its parts are answered');
  }

  append(operation: number, part: number, slot: number, offset: number, length: number, flags: number): void {
    this.asked.push({ kind: 'append', operation, part, slot, offset, length, flags, epoch: -1 });
  }

  locate(
    operation: number,
    part: number,
    slot: number,
    bytesMax: number,
    flags: number,
    epoch: number,
    offset: number,
  ): void {
    must(bytesMax >= 0 && (bytesMax | 0) === bytesMax, 'an int32 of bytes');
    this.asked.push({ kind: 'locate', operation, part, slot, offset, length: bytesMax, flags, epoch });
  }

  listOffset(operation: number, part: number, slot: number, isolation: number, epoch: number, timestamp: number): void {
    this.asked.push({
      kind: 'listOffset',
      operation,
      part,
      slot,
      offset: timestamp,
      length: isolation,
      flags: 0,
      epoch,
    });
  }

  attempt(_call: ApiCall, work: () => void): void {
    work();
  }

  deleteRecords(operation: number, part: number, slot: number, offset: number): void {
    this.asked.push({ kind: 'deleteRecords', operation, part, slot, offset, length: 0, flags: 0, epoch: -1 });
  }

  coordinate(operation: number, part: number, slot: number): void {
    this.asked.push({ kind: 'coordinate', operation, part, slot, offset: 0, length: 0, flags: 0, epoch: -1 });
  }

  /** The epoch that is asked for stands in place of the offset. */
  epochEnd(operation: number, part: number, slot: number, leaderEpoch: number, epoch: number): void {
    this.asked.push({
      kind: 'epochEnd',
      operation,
      part,
      slot,
      offset: epoch,
      length: 0,
      flags: 0,
      epoch: leaderEpoch,
    });
  }

  holdPayload(operation: number): void {
    must(!this.payloads.has(operation), 'a payload is held once');
    this.payloads.add(operation);
  }

  releasePayload(operation: number): void {
    must(this.payloads.delete(operation), 'a payload is released once');
  }

  releaseLease(): void {
    this.leases -= 1;
    must(this.leases >= 0, 'a lease is released once');
  }

  watch(slot: number, watcher: Watcher): void {
    this.beforeWatch?.(slot);
    let watchers = this.watchers.get(slot);
    if (watchers === undefined) {
      watchers = new Set();
      this.watchers.set(slot, watchers);
    }
    watchers.add(watcher);
    this.published.watch(slot, 0);
  }

  unwatch(slot: number, watcher: Watcher): void {
    const watchers = this.watchers.get(slot);
    if (watchers?.delete(watcher) && watchers.size === 0) this.watchers.delete(slot);
  }

  askController(call: ApiCall, api: number, request: unknown, then: ((body: unknown) => void) | null = null): void {
    this.controller.push({ call, api, request, then });
  }

  // ---- The world

  /** Owners tell who watches. */
  ring(): void {
    for (const { slot } of this.partitions) {
      if (this.published.takeWatchers(slot) === 0) continue;
      const watchers = this.watchers.get(slot);
      this.watchers.delete(slot);
      for (const watcher of watchers ?? []) watcher.advanced(slot);
    }
  }

  pass(ms: number): void {
    this.now += ms;
    this.timers.advance(this.now);
  }

  /** The owner of the n-th question that waits gives its answer: all of them, or one. */
  answerAll(): void {
    for (let guard = 0; this.asked.length > 0; guard++) {
      must(guard < 10_000, 'questions come to an end');
      this.answerLocate(0);
    }
  }

  answerLocate(index: number): void {
    const [one] = this.asked.splice(index, 1) as [Asked];
    must(one.kind === 'locate', 'a fetch asks where bytes lie');
    const partition = this.partitions[one.slot] as FakePartition;
    const located = {
      slot: -1,
      length: 0,
      firstBatchBytes: 0,
      warm: false,
      inOlder: false,
      position: 0,
      highWatermark: partition.highWatermark,
      logStartOffset: partition.logStartOffset,
      lastStableOffset: partition.lastStableOffset,
    };
    let error: number = ERROR.NONE;
    const end = (one.flags & 2) !== 0 ? partition.lastStableOffset : partition.highWatermark;
    if (!this.published.online(one.slot)) error = ERROR.KAFKA_STORAGE_ERROR;
    else if (one.epoch !== -1 && one.epoch !== partition.leaderEpoch) {
      error = one.epoch < partition.leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH;
    } else if (one.offset < partition.logStartOffset || one.offset > partition.endOffset)
      error = ERROR.OFFSET_OUT_OF_RANGE;
    else {
      const visible = partition.batches.filter(
        ({ offset, records }) => offset + records > one.offset && offset + records <= end,
      );
      const first = visible[0];
      if (first !== undefined) {
        const all = visible.reduce((sum, { bytes }) => sum + bytes, 0);
        this.leases += 1;
        located.slot = one.slot;
        located.warm = partition.warm;
        located.position = first.position;
        located.firstBatchBytes = first.bytes;
        located.length = Math.max(Math.min(all, one.length), (one.flags & 1) !== 0 ? first.bytes : 0);
      }
    }
    const operation = this.operations.get(one.operation);
    must(operation?.located !== undefined, 'the operation is open');
    operation.located(one.part, error, located);
  }

  /** Nothing is open, watched or timed. */
  expectRest(): void {
    must(this.operations.size === 0, 'no operation is open');
    must(this.watchers.size === 0, 'nobody watches');
    must(this.timers.count === 0, 'no timer waits');
    must(this.payloads.size === 0, 'no payload is held');
    must(this.asked.length === 0, 'no question is open');
  }
}
