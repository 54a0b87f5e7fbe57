/**
 * Incremental fetches: a session remembers what a client reads, so that requests and answers carry only what changed.
 * Its id names the processor that keeps it (the low five bits) and travels with the connection. Epochs: 0 asks for a new session,
 * -1 ends one, each fetch in between counts up by one and wraps from 2^31 - 1 to 1.
 */
import type { Random } from '../base/random.ts';
import type { Uuid } from '../base/uuid.ts';
import { ERROR } from '../wire/errors.ts';

export const EPOCH_INITIAL = 0;
export const EPOCH_FINAL = -1;
const PROCESSOR_BITS = 5;
/** Partitions in all sessions of a processor, some 250 bytes each. */
export const SESSION_PARTITIONS_MAX = 1_000_000;

/** What the last answer said of a partition, when there was none. */
export const NOTHING_SENT = -2;

/**
 * One partition that a client reads, in the order in which it named them. By id its topic has no name, by name a zero id.
 * Plain: a session moves between threads.
 */
export interface FetchedPartition {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partition: number;
  fetchOffset: number;
  bytesMax: number;
  leaderEpoch: number;
  /** What the last answer said, to say it again only when it changes. */
  sentHighWatermark: number;
  sentLogStart: number;
}

export function partitionKey(topic: string, topicId: Uuid, partition: number): string {
  return topic === '' ? `${topicId}${partition}` : `${topic}\0${partition}`;
}

export interface FetchSession {
  readonly id: number;
  readonly connection: number;
  epoch: number;
  byId: boolean;
  usedAt: number;
  readonly partitions: Map<string, FetchedPartition>;
  /** How many of them count among those of all sessions. */
  counted: number;
}

export function nextEpoch(epoch: number): number {
  return epoch === 0x7fffffff ? 1 : epoch + 1;
}

export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>();
  readonly #processor: number;
  readonly #slotsMax: number;
  readonly #random: Random;
  /** A session that was not used for so long may be pushed out. */
  readonly #evictAfterMs: number;
  readonly #partitionsMax: number;
  #partitions = 0;

  constructor(
    processor: number,
    slotsMax: number,
    random: Random,
    evictAfterMs = 120_000,
    partitionsMax = SESSION_PARTITIONS_MAX,
  ) {
    this.#processor = processor;
    this.#slotsMax = slotsMax;
    this.#random = random;
    this.#evictAfterMs = evictAfterMs;
    this.#partitionsMax = partitionsMax;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** A new session, or null when all places are taken by sessions in use: the client is served without one. */
  create(connection: number, byId: boolean, now: number): FetchSession | null {
    if (this.#slotsMax === 0) return null;
    if (this.#sessions.size >= this.#slotsMax && !this.#evict(now)) return null;
    let id = 0;
    do {
      id = ((1 + this.#random.below(0x03fffffe)) << PROCESSOR_BITS) | this.#processor;
    } while (this.#sessions.has(id));
    const session = { id, connection, epoch: 1, byId, usedAt: now, partitions: new Map(), counted: 0 };
    this.#sessions.set(id, session);
    return session;
  }

  /** The session for an incremental fetch, or the error that says why there is none. */
  use(id: number, epoch: number, byId: boolean, now: number): FetchSession | number {
    const session = this.#sessions.get(id);
    if (session === undefined) return ERROR.FETCH_SESSION_ID_NOT_FOUND;
    if (session.epoch !== epoch) return ERROR.INVALID_FETCH_SESSION_EPOCH;
    if (session.byId !== byId) return ERROR.FETCH_SESSION_TOPIC_ID_ERROR;
    session.epoch = nextEpoch(epoch);
    session.usedAt = now;
    return session;
  }

  /**
   * Counts what the session has now. False when all sessions together have too many partitions: then this one is over, and
   * its client is served without one, which costs bytes and no memory.
   */
  fit(session: FetchSession): boolean {
    this.#partitions += session.partitions.size - session.counted;
    session.counted = session.partitions.size;
    if (this.#partitions <= this.#partitionsMax) return true;
    this.remove(session.id);
    return false;
  }

  remove(id: number): void {
    this.#partitions -= this.#sessions.get(id)?.counted ?? 0;
    this.#sessions.delete(id);
  }

  /** Sessions of a connection that moves away. */
  take(connection: number): FetchSession[] {
    const taken: FetchSession[] = [];
    for (const session of this.#sessions.values()) if (session.connection === connection) taken.push(session);
    for (const { id } of taken) this.remove(id);
    return taken;
  }

  /** Sessions that came with a connection: they keep their ids. */
  adopt(sessions: readonly FetchSession[], connection: number): void {
    for (const session of sessions) {
      this.#sessions.set(session.id, { ...session, connection });
      this.#partitions += session.counted;
    }
  }

  drop(connection: number): void {
    this.take(connection);
  }

  #evict(now: number): boolean {
    let oldest: FetchSession | null = null;
    for (const session of this.#sessions.values())
      if (oldest === null || session.usedAt < oldest.usedAt) oldest = session;
    if (oldest === null || now - oldest.usedAt < this.#evictAfterMs) return false;
    this.remove(oldest.id);
    return true;
  }
}
