/**
 * The IO role: takes what comes by ring (`questions.ts`) and by control message for the partitions it owns
 * (`owned-partitions.ts`), writes once a round for everything that came, and answers. Blocking calls go to the blocker.
 */
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { empty } from '../../base/lists.ts';
import { type Memory, NO_MEMORY } from '../../base/memory.ts';
import type { Timers } from '../../base/timers.ts';
import { apply, type Change, imageOf } from '../../cluster/changes.ts';
import { type MetadataImage, NO_CONFIGS } from '../../cluster/image.ts';
import type { GroupSettings } from '../../coordinator/group/desk.ts';
import type { Opening } from '../../log/admission.ts';
import type { LogEnvironment } from '../../log/environment.ts';
import type { FileCache } from '../../log/files.ts';
import type { FileTable } from '../../log/leases.ts';
import type { SyncPlan } from '../../log/partition-log.ts';
import type { Applicant } from '../../replica/admission-line.ts';
import type { Partition } from '../../replica/partition.ts';
import type { PartitionDesk } from '../../replica/partition-desk.ts';
import type { PublishedPartitions } from '../../replica/published.ts';
import { ERROR } from '../../wire/errors.ts';
import type { ControlMessage, FromThread } from '../control.ts';
import type { Counters } from '../counters.ts';
import type { Registry } from '../net/answers.ts';
import { LetterWriter } from '../rings/letters.ts';
import { Links } from '../rings/links.ts';
import { ADVANCED, APPENDED, BLOCKED_DONE, COORDINATED, RECORDS_DELETED } from '../rings/messages.ts';
import type { Inbox, Outbox } from '../rings/ring.ts';
import type { Reply, Role } from '../role.ts';
import { Coordinators, OWN } from './coordinators.ts';
import { Errands } from './errands.ts';
import { KnownTopics } from './known-topics.ts';
import { causeOf, OwnedPartitions } from './owned-partitions.ts';
import { type HandlerLink, Questions, type QuestionsDesk } from './questions.ts';

export interface HandlerParts {
  readonly name: string;
  readonly index: number;
  readonly groupCommit: boolean;
  readonly fullValidation: boolean;
  readonly retentionCheckMs: number;
  readonly checkpointMs: number;
  /** What the logs need of the world. */
  readonly environment: LogEnvironment;
  readonly cache: FileCache;
  readonly registry: Registry;
  readonly files: FileTable;
  readonly published: PublishedPartitions;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly groups: GroupSettings;
  readonly groupExpiryCheckMs: number;
  readonly image: MetadataImage;
  readonly counters: Counters;
  post(message: FromThread): void;
}

const RETRY_MS = 1;

export class Handler implements Role, PartitionDesk, QuestionsDesk {
  readonly name: string;
  readonly published: PublishedPartitions;
  readonly groupCommit: boolean;
  readonly fullValidation: boolean;
  readonly #parts: HandlerParts;
  readonly #dirty: Partition[] = [];
  readonly #links = new Links<HandlerLink>();
  readonly #processors: (HandlerLink | undefined)[] = [];
  readonly #errands: Errands;
  readonly #owned: OwnedPartitions;
  readonly #questions: Questions;
  readonly #coordinators: Coordinators;
  #image: MetadataImage;
  #blocker: HandlerLink | null = null;
  #appended = 0;
  #failed = 0;
  #writes = 0;
  #taken = 0;
  #queuedMs = 0;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.published = parts.published;
    this.groupCommit = parts.groupCommit;
    this.fullValidation = parts.fullValidation;
    this.#errands = new Errands({ ...parts, disk: parts.environment.disk, post: (message) => parts.post(message) });
    this.#image = parts.image;
    this.#coordinators = new Coordinators({
      ...parts,
      random: parts.environment.random,
      settings: parts.groups,
      expiryCheckMs: parts.groupExpiryCheckMs,
      overrides: (group) => this.#image.groupConfigs.get(group) ?? NO_CONFIGS,
      topics: new KnownTopics(() => this.#image),
      touch: (partition) => this.touch(partition),
      linked: (link) => this.#processors[link.index] === link,
    });
    this.#owned = new OwnedPartitions({
      ...parts,
      errands: this.#errands,
      coordinators: this.#coordinators,
      saidAll: () => !this.#links.all.some(({ letters }) => letters?.congested),
      desk: this,
    });
    this.#questions = new Questions(this.#owned, this);
  }

  // ---- Role

  drain(turnAt: number): boolean {
    let any = false;
    const now = this.#parts.clock.now();
    for (const link of this.#links.all) {
      const { inbox } = link;
      for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
        if (link !== this.#blocker) this.#countTaken(turnAt - (inbox.floats[(at >> 1) + 7] as number));
        any = true;
        if (!this.#questions.take(link, at, now)) this.#blockerDone(inbox, at);
        inbox.next();
      }
    }
    return any;
  }

  #countTaken(queuedMs: number): void {
    this.#taken += 1;
    this.#queuedMs += Math.max(0, queuedMs);
  }

  settle(_now: number): boolean {
    this.#coordinators.settle();
    const any = this.#dirty.length > 0;
    const now = any ? this.#parts.clock.now() : 0;
    for (const partition of this.#dirty) {
      if (partition.dirty) this.#writes += 1;
      partition.settle(now);
    }
    empty(this.#dirty);
    this.#coordinators.settled();
    for (const link of this.#links.all) link.letters?.flush();
    this.#owned.settle();
    this.#links.ringBells();
    return any;
  }

  /** A ring that was full is tried again soon: its reader rings no bell when it has made room. */
  deadline(): number {
    for (const { outbox, letters } of this.#links.all)
      if (outbox.congested || letters?.congested) return this.#parts.clock.monotonic() + RETRY_MS;
    return Number.POSITIVE_INFINITY;
  }

  pending(): boolean {
    return this.#links.pending || this.#coordinators.pending;
  }

  control(message: ControlMessage, reply: Reply): void {
    switch (message.kind) {
      case 'open':
        return this.#owned.open(message.partitions, reply);
      case 'thaw':
        return this.#owned.thaw(message.partitions, reply);
      case 'freeze':
        // What was sent before the processors held back is in the rings.
        this.drain(0);
        return this.#owned.freeze(message.slots, reply);
      case 'image':
        this.#image = imageOf(message.image.clusterId, message.image.changes);
        return reply();
      case 'changes':
        this.#change(message.changes);
        return reply();
      case 'configure':
        return this.#owned.configure(message, reply);
      case 'share':
        this.#parts.cache.filesMax = message.max;
        return reply();
      case 'remove':
        // What was sent before the processors forgot them is in the rings, and still counts.
        this.drain(0);
        return this.#owned.remove(message.slots, reply);
      case 'fail':
        return this.#owned.fail(message.slots, message.why, reply);
      case 'sizes':
        return this.#owned.sizes(reply);
      case 'producers':
        return this.#owned.producers(message.slots, reply);
      case 'opened':
        this.touch(this.#errands.opened(message.token, message.opened, this.#parts.clock.now()));
        return reply();
      case 'startKept':
        this.#recordsDeleted(message.token, message.kept);
        return reply();
      case 'close':
        return this.#owned.close(reply);
      case 'unlink':
        // What the other one said last is in the ring, and its link is all that leads there.
        this.drain(0);
        this.#unlink(message.peer);
        return reply();
      default:
        reply(undefined, `a handler does not know ${message.kind}`);
    }
  }

  linked(
    peer: string,
    inbox: Inbox,
    outbox: Outbox,
    memory: Memory | null,
    letterMemory: SharedArrayBuffer | null = null,
  ): void {
    const letters = letterMemory === null ? null : new LetterWriter(letterMemory, outbox, COORDINATED);
    const link = { peer, index: Number(peer.slice(1)), inbox, outbox, memory: memory ?? NO_MEMORY, letters };
    this.#links.add(link);
    if (peer.startsWith('p')) this.#processors[link.index] = link;
    if (peer.startsWith('b')) this.#blocker = link;
  }

  stop(): void {
    this.#parts.cache.close();
  }

  /** Once a second, too: what is due to be removed goes. */
  count(): void {
    const { counters, cache } = this.#parts;
    this.#owned.look(this.#parts.clock.now());
    this.#coordinators.look(this.#parts.clock.now());
    counters.set('batchesAppended', this.#appended);
    counters.set('appendsFailed', this.#failed);
    counters.set('bytesAppended', this.#questions.bytes);
    counters.set('writes', this.#writes);
    counters.set('requestsTaken', this.#taken);
    counters.set('requestQueueMs', this.#queuedMs);
    counters.set('filesOpen', cache.openFiles);
    counters.set('ringQueued', this.#links.queued);
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
    if (asker === OWN) return this.#coordinators.appended(op, error);
    this.#processor(asker).outbox.send(APPENDED, op, part, error, 0, 0, 0, 0, base, appendTime, start);
  }

  refused(asker: number, op: number, part: number, error: number, start: number, fault: number, record: number): void {
    this.#failed += 1;
    if (asker === OWN) return this.#coordinators.appended(op, error);
    this.#processor(asker).outbox.send(APPENDED, op, part, error, fault, record, 0, 0, -1, -1, start);
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

  offline(slot: number, problem: Error): void {
    this.#coordinators.closed(slot);
    this.#parts.post({ kind: 'offline', from: this.name, slot, ...causeOf(problem) });
  }

  open(partition: Partition, applicant: Applicant, opening: Opening): void {
    this.#errands.open(partition, applicant, opening);
  }

  release(memory: Memory): void {
    this.#parts.registry.unregister(memory);
    // Its pages go now, not when the collector comes by.
    (memory.bytes.buffer as ArrayBuffer).transfer(0);
  }

  // ---- Desk of the questions

  touch(partition: Partition): void {
    if (partition.touched) return;
    partition.touched = true;
    this.#dirty.push(partition);
  }

  coordinate(link: HandlerLink, at: number): void {
    this.#coordinators.take(link, at, (slot) =>
      this.#owned.at(slot) === undefined ? this.#owned.absent(slot) : ERROR.KAFKA_STORAGE_ERROR,
    );
  }

  keepStart(partition: Partition, asker: number, op: number, part: number): void {
    this.#errands.keepStart(partition, asker, op, part);
  }

  // ---- Answers of others

  #blockerDone({ words }: Inbox, at: number): void {
    assert(words[at] === BLOCKED_DONE, 'a handler knows its messages', { type: words[at] });
    this.#errands.synced(words[at + 1] as number, words[at + 3] as number);
  }

  /** The start of a log is kept on disk, or cannot be: whoever moved it hears of it. */
  #recordsDeleted(token: number, kept: boolean): void {
    const { asker, operation, part, lowWatermark } = this.#errands.startKept(token);
    const { outbox } = this.#processor(asker);
    if (kept) outbox.send(RECORDS_DELETED, operation, part, ERROR.NONE, 0, 0, 0, 0, lowWatermark);
    else outbox.send(RECORDS_DELETED, operation, part, ERROR.KAFKA_STORAGE_ERROR, 0, 0, 0, 0, -1);
  }

  /** Coordinators know the topics as processors do, and forget the offsets of those that go. */
  #change(changes: readonly Change[]): void {
    this.#image = apply(this.#image, changes);
    const deleted = changes.flatMap((change) => (change.kind === 'topicDeleted' ? [change.topic] : []));
    if (deleted.length > 0) this.#coordinators.topicsDeleted(deleted);
  }

  #processor(index: number): HandlerLink {
    const link = this.#processors[index];
    assert(link !== undefined, 'the asker is linked', { index });
    return link;
  }

  #unlink(peer: string): void {
    const memory = this.#links.remove(peer)?.memory ?? NO_MEMORY;
    // Nothing of what lies there is under way: the peer has let go of it all before it went.
    if (memory !== NO_MEMORY) this.#parts.registry.unregister(memory);
    if (peer.startsWith('p')) this.#processors[Number(peer.slice(1))] = undefined;
  }
}
