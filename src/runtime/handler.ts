/**
 * The IO role: owns a set of partitions. Takes appends, reads and questions from the processors' rings, writes once a
 * round for everything that came, and answers. Blocking calls go to the blocker.
 */
import { FLAG_ACKS_ALL, FLAG_FIRST_BATCH } from '../api/floor.ts';
import { assert, BrokenInvariant } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { type Memory, NO_MEMORY } from '../base/memory.ts';
import type { LogEnvironment } from '../log/environment.ts';
import type { FileCache } from '../log/files.ts';
import type { FileTable } from '../log/leases.ts';
import { PartitionLog, type SyncPlan } from '../log/partition-log.ts';
import type { ReadPlan } from '../log/reading.ts';
import { type Applicant, type ListedOffset, Partition, type PartitionDesk } from '../replica/partition.ts';
import { OFFLINE, type PublishedPartitions } from '../replica/published.ts';
import { ERROR } from '../wire/errors.ts';
import type { ControlMessage, FromThread, FrozenPartition, PartitionMessage } from './control.ts';
import type { Counters } from './counters.ts';
import { Errands } from './errands.ts';
import { ADVANCED, APPEND, APPENDED, BLOCKED_DONE, LIST_OFFSET, LOCATE, LOCATED, OFFSET_LISTED } from './messages.ts';
import type { Inbox, Outbox } from './ring.ts';
import type { Reply, Role } from './role.ts';

export interface HandlerParts {
  readonly name: string;
  readonly index: number;
  readonly groupCommit: boolean;
  readonly fullValidation: boolean;
  readonly retentionCheckMs: number;
  /** What the logs need of the world. */
  readonly environment: LogEnvironment;
  readonly cache: FileCache;
  readonly files: FileTable;
  readonly published: PublishedPartitions;
  readonly clock: Clock;
  readonly counters: Counters;
  post(message: FromThread): void;
}

interface Link {
  readonly peer: string;
  /** Of the processor, or the blocker. */
  readonly index: number;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** The processor's intake; for the blocker nothing. */
  readonly memory: Memory;
}

const RETRY_MS = 1;

/** Ours, not the disk's: it must not pass for a partition that cannot be read. */
function isFault(problem: unknown): boolean {
  return problem instanceof BrokenInvariant || problem instanceof TypeError || problem instanceof ReferenceError;
}

export class Handler implements Role, PartitionDesk {
  readonly name: string;
  readonly published: PublishedPartitions;
  readonly groupCommit: boolean;
  readonly fullValidation: boolean;
  readonly #parts: HandlerParts;
  readonly #partitions: (Partition | undefined)[] = [];
  readonly #dirty: Partition[] = [];
  readonly #links: Link[] = [];
  readonly #processors: (Link | undefined)[] = [];
  readonly #errands: Errands;
  readonly #plan: ReadPlan = { errorCode: 0, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
  readonly #listed: ListedOffset = { error: 0, leaderEpoch: -1, timestamp: -1, offset: -1 };
  #blocker: Link | null = null;
  #retainAt: number;
  #freezing: { slots: readonly number[]; reply: Reply } | null = null;
  #appended = 0;
  #failed = 0;
  #bytes = 0;
  #writes = 0;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.published = parts.published;
    this.groupCommit = parts.groupCommit;
    this.fullValidation = parts.fullValidation;
    this.#errands = new Errands({ ...parts, disk: parts.environment.disk, post: (message) => parts.post(message) });
    this.#retainAt = parts.clock.now() + parts.retentionCheckMs;
  }

  // ---- Role

  drain(_now: number): boolean {
    let any = false;
    const now = this.#parts.clock.now();
    for (const link of this.#links) {
      const { inbox } = link;
      for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
        any = true;
        this.#take(link, at, now);
        inbox.next();
      }
    }
    return any;
  }

  settle(_now: number): boolean {
    const any = this.#dirty.length > 0;
    const now = any ? this.#parts.clock.now() : 0;
    for (const partition of this.#dirty) {
      if (partition.dirty) this.#writes += 1;
      partition.settle(now);
    }
    this.#dirty.length = 0;
    if (this.#freezing !== null) this.#freeze();
    for (const link of this.#links) link.outbox.ringBell();
    return any;
  }

  /** A ring that was full is tried again soon: its reader rings no bell when it has made room. */
  deadline(): number {
    for (const { outbox } of this.#links) if (outbox.congested) return this.#parts.clock.monotonic() + RETRY_MS;
    return Number.POSITIVE_INFINITY;
  }

  pending(): boolean {
    for (const { inbox } of this.#links) if (inbox.peek() >= 0) return true;
    return false;
  }

  control(message: ControlMessage, reply: Reply): void {
    switch (message.kind) {
      case 'open':
        return this.#open(message.partitions, reply);
      case 'thaw':
        for (const partition of message.partitions) this.#thaw(partition);
        return reply();
      case 'freeze':
        // What was sent before the processors held back is in the rings.
        this.drain(0);
        this.#freezing = { slots: message.slots, reply };
        return this.#freeze();
      case 'configure':
        for (const slot of message.slots) {
          const partition = this.#partition(slot);
          partition.log.config = message.config;
          partition.minInsyncReplicas = message.minInsyncReplicas;
        }
        return reply();
      case 'remove':
        return this.#remove(message.slots, reply);
      case 'checked':
        this.#touch(this.#errands.checked(message.token, message.verdict, this.#parts.clock.now()));
        return reply();
      case 'close':
        return this.#close(reply);
      case 'unlink':
        this.#unlink(message.peer);
        return reply();
      default:
        reply(undefined, `a handler does not know ${message.kind}`);
    }
  }

  linked(peer: string, inbox: Inbox, outbox: Outbox, memory: Memory | null): void {
    const link = { peer, index: Number(peer.slice(1)), inbox, outbox, memory: memory ?? NO_MEMORY };
    this.#links.push(link);
    if (peer.startsWith('p')) this.#processors[link.index] = link;
    if (peer.startsWith('b')) this.#blocker = link;
  }

  stop(): void {
    this.#parts.cache.close();
  }

  /** Once a second, too: what is due to be removed goes. */
  count(): void {
    const { counters, cache } = this.#parts;
    this.#look(this.#parts.clock.now());
    counters.set('batchesAppended', this.#appended);
    counters.set('appendsFailed', this.#failed);
    counters.set('bytesAppended', this.#bytes);
    counters.set('writes', this.#writes);
    counters.set('filesOpen', cache.openFiles);
    counters.set(
      'ringQueued',
      this.#links.reduce((sum, link) => sum + link.inbox.queued, 0),
    );
  }

  // ---- Desk of the partitions

  appended(
    asker: number,
    op: number,
    part: number,
    error: number,
    base: number,
    appendTime: number,
    start: number,
  ): void {
    if (error === ERROR.NONE) this.#appended += 1;
    else this.#failed += 1;
    this.#processor(asker).outbox.send(APPENDED, op, part, error, 0, 0, 0, 0, base, appendTime, start);
  }

  advanced(slot: number, watchers: number): void {
    for (let index = 0; index < this.#processors.length; index++) {
      if ((watchers & (1 << index)) !== 0) this.#processors[index]?.outbox.send(ADVANCED, slot, 0, 0, 0, 0, 0, 0);
    }
  }

  sync(partition: Partition, plan: SyncPlan): void {
    const blocker = this.#blocker;
    assert(blocker !== null, 'a handler has a blocker');
    this.#errands.sync(blocker.outbox, partition, plan);
  }

  offline(slot: number, why: string): void {
    this.#parts.post({ kind: 'offline', from: this.name, slot, why });
  }

  check(partition: Partition, applicant: Applicant, needKeys: boolean): void {
    this.#errands.check(partition, applicant, needKeys);
  }

  #touch(partition: Partition): void {
    if (partition.touched) return;
    partition.touched = true;
    this.#dirty.push(partition);
  }

  // ---- Messages

  #take(link: Link, at: number, now: number): void {
    const { words, floats } = link.inbox;
    const half = at >> 1;
    const a = words[at + 1] as number;
    const b = words[at + 2] as number;
    const c = words[at + 3] as number;
    switch (words[at]) {
      case APPEND:
        return this.#append(
          link,
          a,
          b,
          c,
          words[at + 4] as number,
          words[at + 5] as number,
          words[at + 6] as number,
          words[at + 7] as number,
          now,
        );
      case LOCATE:
        return this.#locate(
          link,
          a,
          b,
          c,
          words[at + 4] as number,
          words[at + 5] as number,
          words[at + 6] as number,
          floats[half + 4] as number,
        );
      case LIST_OFFSET: {
        const listed = this.#listed;
        const partition = this.#partitions[c];
        if (partition === undefined) listed.error = ERROR.NOT_LEADER_OR_FOLLOWER;
        else partition.listOffset(floats[half + 4] as number, words[at + 6] as number, listed);
        const { error, leaderEpoch, timestamp, offset } = listed;
        link.outbox.send(OFFSET_LISTED, a, b, error, leaderEpoch, 0, 0, 0, timestamp, offset);
        return;
      }
      case BLOCKED_DONE:
        return this.#errands.synced(a, c);
      default:
        assert(false, 'a handler knows its messages', { type: words[at] });
    }
  }

  #append(
    link: Link,
    op: number,
    part: number,
    slot: number,
    offset: number,
    length: number,
    epoch: number,
    flags: number,
    now: number,
  ): void {
    const asker = link.index;
    const partition = this.#partitions[slot];
    if (partition === undefined) {
      this.appended(asker, op, part, ERROR.NOT_LEADER_OR_FOLLOWER, -1, -1, -1);
      return;
    }
    if ((flags & FLAG_ACKS_ALL) !== 0 && partition.inSyncReplicas < partition.minInsyncReplicas) {
      this.appended(asker, op, part, ERROR.NOT_ENOUGH_REPLICAS, -1, -1, -1);
      return;
    }
    this.#bytes += length;
    this.#touch(partition);
    partition.append(link.memory, offset, length, epoch, now, asker, op, part);
  }

  #locate(
    link: Link,
    op: number,
    part: number,
    slot: number,
    bytesMax: number,
    flags: number,
    epoch: number,
    offset: number,
  ): void {
    const plan = this.#plan;
    const partition = this.#partitions[slot];
    if (partition === undefined) {
      link.outbox.send(LOCATED, op, part, ERROR.NOT_LEADER_OR_FOLLOWER, -1, 0, 0, 0, 0, -1, -1, -1);
      return;
    }
    partition.locate(offset, bytesMax, (flags & FLAG_FIRST_BATCH) !== 0, epoch, plan);
    const { highWatermark, lastStableOffset } = partition;
    link.outbox.send(
      LOCATED,
      op,
      part,
      plan.errorCode,
      plan.slot,
      plan.length,
      plan.firstBatchBytes,
      partition.isWarm(offset, plan) ? 1 : 0,
      plan.position,
      highWatermark,
      partition.log.logStartOffset,
      lastStableOffset,
    );
  }

  // ---- Control

  #open(partitions: readonly PartitionMessage[], reply: Reply): void {
    const offline: { slot: number; why: string }[] = [];
    for (const message of partitions) {
      try {
        this.#place(
          message,
          PartitionLog.open({ ...this.#parts.environment, ...message, now: this.#parts.clock.now() }),
        );
      } catch (problem) {
        if (isFault(problem)) throw problem;
        this.published.setState(message.slot, OFFLINE);
        offline.push({ slot: message.slot, why: (problem as Error).message });
      }
    }
    reply(offline);
  }

  #thaw(message: PartitionMessage & FrozenPartition): void {
    this.#place(
      message,
      PartitionLog.thaw(message.bytes, { ...this.#parts.environment, ...message, now: this.#parts.clock.now() }),
    );
  }

  #place(message: PartitionMessage, log: PartitionLog): void {
    this.published.setOwner(message.slot, this.#parts.index);
    const partition = new Partition(message.slot, log, message.leaderEpoch, this);
    partition.minInsyncReplicas = message.minInsyncReplicas;
    this.#partitions[message.slot] = partition;
  }

  /** All that were asked for are frozen together, once nothing is under way in any of them. */
  #freeze(): void {
    const freezing = this.#freezing as { slots: readonly number[]; reply: Reply };
    for (const slot of freezing.slots) if (!this.#partition(slot).quiet) return;
    this.#freezing = null;
    const frozen = freezing.slots.map((slot) => {
      const bytes = this.#partition(slot).log.freeze();
      this.#partitions[slot] = undefined;
      return { slot, bytes };
    });
    freezing.reply(frozen);
  }

  #remove(slots: readonly number[], reply: Reply): void {
    for (const slot of slots) {
      const partition = this.#partitions[slot];
      if (partition === undefined) continue;
      this.#partitions[slot] = undefined;
      this.published.setState(slot, OFFLINE);
      const watchers = this.published.takeWatchers(slot);
      if (watchers !== 0) this.advanced(slot, watchers);
      this.#errands.removeLater(partition.log.remove(this.#parts.clock.now()));
    }
    reply();
  }

  /** What time alone brings: syncs that are due, old segments, silent producers, files to remove. */
  #look(now: number): void {
    const retain = now >= this.#retainAt;
    if (retain) this.#retainAt = now + this.#parts.retentionCheckMs;
    for (const partition of this.#partitions) {
      if (partition === undefined) continue;
      partition.look(now);
      if (retain) partition.retain(now);
    }
    this.#errands.removeDue(this.#partitions, now);
  }

  /** A clean end: every log closed, with what main writes into the checkpoint files. */
  #close(reply: Reply): void {
    const closed: {
      slot: number;
      endOffset: number;
      logStartOffset: number;
      highWatermark: number;
      error: string | null;
    }[] = [];
    for (const [slot, partition] of this.#partitions.entries()) {
      if (partition === undefined) continue;
      let error: string | null = null;
      try {
        partition.log.close();
      } catch (problem) {
        error = (problem as Error).message;
      }
      const { logEndOffset, logStartOffset } = partition.log;
      closed.push({ slot, endOffset: logEndOffset, logStartOffset, highWatermark: partition.highWatermark, error });
      this.#partitions[slot] = undefined;
    }
    reply(closed);
  }

  #partition(slot: number): Partition {
    const partition = this.#partitions[slot];
    assert(partition !== undefined, 'the handler owns the partition', { slot, handler: this.name });
    return partition;
  }

  #processor(index: number): Link {
    const link = this.#processors[index];
    assert(link !== undefined, 'the asker is linked', { index });
    return link;
  }

  #unlink(peer: string): void {
    const index = this.#links.findIndex((link) => link.peer === peer);
    if (index >= 0) this.#links.splice(index, 1);
    if (peer.startsWith('p')) this.#processors[Number(peer.slice(1))] = undefined;
  }
}
