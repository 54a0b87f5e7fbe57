/**
 * Fetch: answers with ranges of log files as soon as enough bytes are visible, or when the client's patience ends. The
 * published state of the partitions says whether there is anything; only then are their owners asked where it lies.
 * Bytes are shared out in the order of the request, the first batch of the first partition with data always goes whole.
 */
import { Timer } from '../base/timers.ts';
import {
  EPOCH_FINAL,
  EPOCH_INITIAL,
  type FetchedPartition,
  type FetchSession,
  NOTHING_SENT,
  partitionKey,
} from '../replica/fetch-session.ts';
import { newPartitionView } from '../replica/published.ts';
import { ERROR } from '../wire/errors.ts';
import type { Fetch } from '../wire/messages/fetch.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { requestedOnce, updateSession } from './fetched-partitions.ts';
import {
  type ApiCall,
  FLAG_COMMITTED,
  FLAG_FIRST_BATCH,
  type Floor,
  type LeasedRange,
  type Located,
  type Operation,
  type Watcher,
} from './floor.ts';
import { type PartitionAnswer, TopicAnswers } from './topic-answers.ts';

type Request = RequestOf<typeof Fetch>;
type Response = ResponseInput<typeof Fetch>;

const READ_COMMITTED = 1;

/** What a fetch knows of one of its partitions in this round. */
interface Target {
  readonly fetched: FetchedPartition;
  readonly slot: number;
  error: number;
  /** The lease, -1 when there is none. */
  file: number;
  position: number;
  length: number;
  firstBatchBytes: number;
  warm: boolean;
  inOlder: boolean;
  highWatermark: number;
  lastStableOffset: number;
  logStartOffset: number;
  /** Bytes visible when it was last looked at. */
  visibleBytes: number;
}

const view = newPartitionView();

class FetchOperation implements Operation, Watcher {
  readonly call: ApiCall;
  readonly #request: Request;
  readonly #floor: Floor;
  readonly #session: FetchSession | null;
  readonly #incremental: boolean;
  readonly #targets: Target[];
  readonly #committed: boolean;
  /** No answer is larger than the budget, so none waits for more. */
  readonly #minBytes: number;
  readonly #deadline: number;
  readonly #timer: Timer;
  readonly #id: number;
  #asked = 0;
  /** Bytes that the last round found, when they were too few. */
  #found = 0;
  #watching = false;
  #over = false;
  /** Of the floor, when the targets' slots were looked up. */
  #deletions: number;

  constructor(
    call: ApiCall,
    request: Request,
    floor: Floor,
    partitions: readonly FetchedPartition[],
    session: FetchSession | null,
    incremental: boolean,
  ) {
    this.call = call;
    this.#request = request;
    this.#floor = floor;
    this.#session = session;
    this.#incremental = incremental;
    this.#committed = request.isolationLevel === READ_COMMITTED;
    this.#minBytes = Math.min(request.minBytes, this.#budget());
    this.#deadline = floor.monotonic() + Math.max(0, request.maxWaitMs);
    this.#timer = new Timer(() => floor.attempt(call, () => this.#round()));
    this.#deletions = floor.deletions;
    this.#targets = partitions.map((fetched) => this.#target(fetched));
    this.#id = floor.open(this);
    call.onAbandon = () => this.#abandon();
    call.onHurry = () => {
      if (this.#watching) this.#round();
    };
  }

  start(): void {
    this.#round();
  }

  located(part: number, error: number, located: Located): void {
    const target = this.#targets[part] as Target;
    this.#asked -= 1;
    target.error = error;
    target.file = located.slot;
    target.position = located.position;
    target.length = located.length;
    target.firstBatchBytes = located.firstBatchBytes;
    target.warm = located.warm;
    target.inOlder = located.inOlder;
    if (error === ERROR.NONE || error === ERROR.OFFSET_OUT_OF_RANGE) {
      target.highWatermark = located.highWatermark;
      target.lastStableOffset = located.lastStableOffset;
      target.logStartOffset = located.logStartOffset;
    }
    if (this.#asked > 0) return;
    if (this.#over) this.#drop();
    else this.#weigh();
  }

  advanced(slot: number): void {
    if (!this.#watching) return;
    if (this.#deletions !== this.#floor.deletions) return this.#round();
    // Watched again before looking: what is appended behind the look rings the bell.
    this.#floor.watch(slot, this);
    if (this.#due()) this.#round();
  }

  /** A slot is good until a topic is deleted: then it may belong to another one. */
  #lookAgain(): void {
    this.#deletions = this.#floor.deletions;
    for (let part = 0; part < this.#targets.length; part++) {
      const target = this.#targets[part] as Target;
      if (target.slot < 0) continue;
      const now = this.#target(target.fetched);
      if (now.slot !== target.slot) this.#targets[part] = now;
    }
  }

  #target(fetched: FetchedPartition): Target {
    const byId = this.call.version >= 13;
    const route = byId ? this.#floor.routeById(fetched.topicId) : this.#floor.route(fetched.topic);
    const slot = route?.slots[fetched.partition] ?? -1;
    return {
      fetched,
      slot,
      error:
        slot >= 0 ? ERROR.NONE : byId && route === null ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      file: -1,
      position: 0,
      length: 0,
      firstBatchBytes: 0,
      warm: false,
      inOlder: false,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      visibleBytes: 0,
    };
  }

  /** Looks at all partitions; asks the owners of those that have something, answers, or waits. */
  #round(): void {
    this.#unwatch();
    const floor = this.#floor;
    if (this.#deletions !== floor.deletions) this.#lookAgain();
    const targets = this.#targets;
    const flags = FLAG_FIRST_BATCH | (this.#committed ? FLAG_COMMITTED : 0);
    const budget = this.#budget();
    let failed = false;
    let ask = 0;
    this.#asked = 1;
    for (let part = 0; part < targets.length; part++) {
      const target = targets[part] as Target;
      const { fetched, slot } = target;
      if (slot < 0) {
        failed = true;
        continue;
      }
      floor.published.read(slot, view);
      target.highWatermark = view.highWatermark;
      target.lastStableOffset = view.lastStableOffset;
      target.logStartOffset = view.logStartOffset;
      target.visibleBytes = view.visibleBytes;
      const visible = this.#committed ? view.lastStableOffset : view.highWatermark;
      const knownEpoch = fetched.leaderEpoch === -1 || fetched.leaderEpoch === view.leaderEpoch;
      if (fetched.fetchOffset === visible && knownEpoch && floor.published.online(slot)) continue;
      ask += 1;
      this.#asked += 1;
      const bytesMax = Math.min(fetched.bytesMax, budget);
      floor.locate(this.#id, part, slot, Math.max(0, bytesMax), flags, fetched.leaderEpoch, fetched.fetchOffset);
    }
    this.#asked -= 1;
    if (ask > 0 && this.#asked > 0) return;
    if (ask > 0 || failed) this.#weigh();
    else this.#waitOrAnswer();
  }

  /** All owners have answered: is it enough? */
  #weigh(): void {
    let bytes = 0;
    let failed = false;
    let ends = false;
    for (const target of this.#targets) {
      if (target.error !== ERROR.NONE) failed = true;
      if (target.length > 0 && target.inOlder) ends = true;
      bytes += target.length;
    }
    this.#found = bytes;
    if (failed || ends || bytes >= this.#minBytes) this.#answer();
    else this.#waitOrAnswer();
  }

  #waitOrAnswer(): void {
    const over = this.call.hurried || this.#floor.monotonic() >= this.#deadline;
    if (over || this.#minBytes <= 0 || this.#targets.length === 0) {
      this.#answer();
      return;
    }
    this.#dropLeases();
    if (this.#deletions !== this.#floor.deletions) return this.#round();
    this.call.waits = true;
    this.#watching = true;
    this.#floor.timers.set(this.#timer, this.#deadline);
    for (const target of this.#targets) this.#floor.watch(target.slot, this);
    // An append between the look and the watch rings no bell: look once more.
    if (this.#due()) this.#round();
  }

  /** True when what came since the last look makes another one worth it. */
  #due(): boolean {
    const { published } = this.#floor;
    let bytes = this.#found;
    for (const target of this.#targets) {
      if (!published.online(target.slot)) return true;
      published.read(target.slot, view);
      if (target.fetched.fetchOffset < view.logStartOffset) return true;
      bytes += view.visibleBytes - target.visibleBytes;
    }
    return bytes >= this.#minBytes;
  }

  #budget(): number {
    return Math.min(this.#request.maxBytes, this.#floor.limits.fetchBytesMax);
  }

  #answer(): void {
    this.#unwatch();
    const ranges: LeasedRange[] = [];
    const responses = new TopicAnswers();
    let left = this.#budget();
    for (const target of this.#targets) {
      const { fetched } = target;
      const length = target.error === ERROR.NONE ? this.#share(target, left, ranges.length === 0) : 0;
      let records: LeasedRange | null = null;
      if (length > 0) {
        records = { slot: target.file, position: target.position, length, warm: target.warm };
        ranges.push(records);
        left -= length;
        target.file = -1;
      }
      if (!this.#worthSaying(target, length)) continue;
      responses.of(fetched.topic, fetched.topicId).push(this.#partitionAnswer(target, records));
      if (length > 0) this.#rotate(fetched);
    }
    this.#dropLeases();
    this.#end();
    const sessionId = this.#session?.id ?? 0;
    const answer: Response = { throttleTimeMs: 0, errorCode: ERROR.NONE, sessionId, responses: responses.all };
    this.call.answer(answer, ranges);
  }

  /** How many of the bytes found fit: the first batch of all whole, later ones only if their first batch fits. */
  #share(target: Target, left: number, first: boolean): number {
    if (target.length === 0) return 0;
    if (first) return Math.max(Math.min(target.length, left), target.firstBatchBytes);
    return left < target.firstBatchBytes ? 0 : Math.min(target.length, left);
  }

  #worthSaying(target: Target, length: number): boolean {
    const { fetched } = target;
    const changed =
      fetched.sentHighWatermark !== target.highWatermark || fetched.sentLogStart !== target.logStartOffset;
    if (target.error === ERROR.NONE) {
      fetched.sentHighWatermark = target.highWatermark;
      fetched.sentLogStart = target.logStartOffset;
    } else fetched.sentHighWatermark = NOTHING_SENT;
    return !this.#incremental || length > 0 || changed || target.error !== ERROR.NONE;
  }

  #partitionAnswer(target: Target, records: LeasedRange | null): PartitionAnswer {
    const failed = target.error !== ERROR.NONE;
    return {
      partitionIndex: target.fetched.partition,
      errorCode: target.error,
      highWatermark: failed ? -1 : target.highWatermark,
      lastStableOffset: failed ? -1 : target.lastStableOffset,
      logStartOffset: failed ? -1 : target.logStartOffset,
      abortedTransactions: this.#committed ? [] : null,
      preferredReadReplica: -1,
      records: records ?? NO_RECORDS,
    };
  }

  /** Who got something goes to the end of the line of its session. */
  #rotate(fetched: FetchedPartition): void {
    const partitions = this.#session?.partitions;
    if (partitions === undefined) return;
    const key = partitionKey(fetched.topic, fetched.topicId, fetched.partition);
    if (partitions.get(key) !== fetched) return;
    partitions.delete(key);
    partitions.set(key, fetched);
  }

  #unwatch(): void {
    if (!this.#watching) return;
    this.#watching = false;
    this.call.waits = false;
    this.#floor.timers.cancel(this.#timer);
    for (const target of this.#targets) this.#floor.unwatch(target.slot, this);
  }

  #dropLeases(): void {
    for (const target of this.#targets) {
      if (target.file >= 0) this.#floor.releaseLease(target.file);
      target.file = -1;
      target.length = 0;
    }
  }

  #abandon(): void {
    this.#over = true;
    this.#unwatch();
    if (this.#asked === 0) this.#drop();
  }

  /** Nobody waits for the answer. */
  #drop(): void {
    this.#end();
    this.call.answerNothing();
  }

  #end(): void {
    this.#dropLeases();
    this.#floor.close(this.#id);
  }
}

const NO_RECORDS = new Uint8Array(0);

export function fetch(call: ApiCall, request: Request, floor: Floor): void {
  const byId = call.version >= 13;
  const now = floor.monotonic();
  const { sessionId, sessionEpoch } = request;
  const replica = call.version >= 15 ? request.replicaState.replicaId : request.replicaId;
  const refuse = (errorCode: number): void => {
    call.answer({ throttleTimeMs: 0, errorCode, sessionId: 0, responses: [] } satisfies Response);
  };
  // Nobody follows a broker that is alone: a replica id is forged or lost.
  if (replica >= 0) return refuse(ERROR.CLUSTER_AUTHORIZATION_FAILED);
  if (sessionEpoch > 0) {
    const session = floor.sessions.use(sessionId, sessionEpoch, byId, now);
    if (typeof session === 'number') return refuse(session);
    updateSession(session, request, byId);
    if (!floor.sessions.fit(session)) return refuse(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    new FetchOperation(call, request, floor, [...session.partitions.values()], session, true).start();
    return;
  }
  if (sessionId !== 0) floor.sessions.remove(sessionId);
  if (sessionEpoch < EPOCH_FINAL) return refuse(ERROR.INVALID_FETCH_SESSION_EPOCH);
  const wanted = sessionEpoch === EPOCH_INITIAL && call.version >= 7;
  const session = wanted ? floor.sessions.create(call.connection, byId, now) : null;
  if (session !== null) updateSession(session, request, byId);
  if (session === null || !floor.sessions.fit(session)) {
    new FetchOperation(call, request, floor, requestedOnce(request, byId), null, false).start();
    return;
  }
  // In the order of this request: whoever gets something goes to the end of the session's line meanwhile.
  const partitions = [...session.partitions.values()];
  new FetchOperation(call, request, floor, partitions, session, false).start();
}
